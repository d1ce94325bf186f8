/**
 * Processor time that a jail spent: of the process that we started and of everything below it, threads and children that
 * have ended included. Another machine load is not in it, and neither is what it waited for.
 */
import { readFileSync } from "node:fs";
import { treeOf } from "./tree.ts";

/** The kernel tells processor time to user space in hundredths of a second, whatever it counts in itself. */
const MS_PER_TICK = 10;
/** Two looks at a process may lie so much farther apart than what it spent: user and system time are each told in ticks. */
export const CPU_ROUNDING_MS = 2 * MS_PER_TICK;

/** Milliseconds; null where nothing can be known of it (it has ended, or the system does not tell). */
export function treeCpuMs(pid: number): number | null {
  const [own, ...below] = treeOf(pid).map((one) => processCpuMs(one.pid));
  return own === undefined || own === null ? null : below.reduce<number>((sum, ms) => sum + (ms ?? 0), own);
}

/** Of one process, all its threads, and the children that it has already seen the end of. */
export function processCpuMs(pid: number): number | null {
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
