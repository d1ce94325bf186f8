/**
 * Processor time that a jail spent: of the process that we started and of everything below it, threads and ended children
 * included. Another machine load is not in it, and neither is what it waited for.
 */
import { readFileSync } from "node:fs";
import { childrenOf } from "./end-tree.ts";

/** The kernel tells processor time to user space in hundredths of a second, whatever it counts in itself. */
const MS_PER_TICK = 10;
const DEPTH = 8;

/** Milliseconds; null where nothing can be known of it (it has ended, or the system does not tell). */
export function treeCpuMs(pid: number): number | null {
  const own = ownCpuMs(pid);
  return own === null ? null : own + below(pid, DEPTH);
}

function below(pid: number, depth: number): number {
  if (depth === 0) return 0;
  return childrenOf(pid).reduce((sum, child) => sum + (ownCpuMs(child) ?? 0) + below(child, depth - 1), 0);
}

/** With the children that it has already seen the end of. */
function ownCpuMs(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in brackets may hold anything; state is the first word behind it, utime the twelfth.
    const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = words.slice(11, 15).reduce((sum, word) => sum + Number(word), 0);
    return Number.isSafeInteger(ticks) ? ticks * MS_PER_TICK : null;
  } catch {
    return null;
  }
}
