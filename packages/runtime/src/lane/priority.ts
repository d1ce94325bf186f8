/**
 * How a Compute lane stands behind everything else: nice 19 for its thread, and for what it starts.
 *
 * How to think: on Linux a thread has a nice value of its own, and children inherit their maker's. But a jailed process is
 * a session of its own, and with automatic scheduling groups each session is weighed against the others as a whole, so
 * its group is lowered too; never our own. What is in force is read back, never assumed (priority.test.ts).
 */
import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";

export const COMPUTE_NICE = 19;

/** Lowers the calling thread; answers the nice value that the kernel then shows. */
export function lowerThread(): number {
  const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  setPriority(thread, COMPUTE_NICE);
  return niceOf(`/proc/self/task/${thread}/stat`);
}

/** Lowers the scheduling groups of a process and its descendants that are not ours; answers how many. */
export function lowerGroups(pid: number): number {
  const own = groupOf("self")?.name;
  if (own === undefined) return 0;
  let lowered = 0;
  for (const one of [pid, ...descendants(pid)]) {
    const group = groupOf(String(one));
    if (group === undefined || group.name === own || group.nice === COMPUTE_NICE) continue;
    if (write(`/proc/${one}/autogroup`, String(COMPUTE_NICE))) lowered += 1;
  }
  return lowered;
}

/** The scheduling group of a process; `undefined` where the kernel has none, or the process is gone. */
export function groupOf(pid: string): { readonly name: string; readonly nice: number } | undefined {
  const match = /^(\S+) nice (-?\d+)/.exec(read(`/proc/${pid}/autogroup`) ?? "");
  return match === null ? undefined : { name: match[1] ?? "", nice: Number(match[2]) };
}

/** Field 19 of a stat file; the name before it may hold anything, so it is cut off first. */
export function niceOf(path: string): number {
  const text = readFileSync(path, "utf8");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[16]);
}

export function descendants(pid: number): readonly number[] {
  const children = (read(`/proc/${pid}/task/${pid}/children`) ?? "").trim();
  return children === "" ? [] : children.split(" ").flatMap((child) => [Number(child), ...descendants(Number(child))]);
}

// A process may end between two looks: then there is nothing to lower.
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function write(path: string, text: string): boolean {
  try {
    writeFileSync(path, text);
    return true;
  } catch {
    return false;
  }
}
