/**
 * Time that a thread, or a process with all below it, had for itself: what it spent on a processor, and what it slept of
 * its own accord; never what it spent waiting for a processor.
 *
 * How to think: a deadline that is judged by it condemns nobody for what a busy machine did. The kernel counts a wait only
 * when it is over, so a thread that could run is judged by its processor time alone, and only one that sleeps by the
 * clock. Where the kernel does not tell, all wall time counts. A thread that ends takes its own account with it, so of
 * a tree the processes' accounts are read too: coarser, but they keep what has ended.
 *
 * Invariant: threads that end neither add time that nobody had nor hide what they burned (own-time.test.ts).
 */
import { readFileSync, readlinkSync } from "node:fs";
import { CPU_ROUNDING_MS, processCpuMs } from "./jail/cpu-time.ts";
import { treeOf } from "./jail/tree.ts";

export type ThreadTimes = {
  /** Milliseconds on a processor since it began. */
  readonly ran_ms: number;
  /** Milliseconds that it waited for one; a wait that goes on is not in it yet. */
  readonly waited_ms: number;
  /** It runs, or would if it had a processor. */
  readonly canRun: boolean;
  /** Of a tree: milliseconds on a processor by all that ever belonged to it, threads and children that ended too; in ticks. */
  readonly spent_ms?: number;
};
/** Of a thread of this process, or of a process tree, by its number; null: not known. */
export type TimesOf = (id: number) => ThreadTimes | null;

/** Number of the thread that asks, 0 where the system has none to tell. */
export function ownThread(): number {
  try {
    // "<process>/task/<thread>"
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return 0;
  }
}

export const threadTimes: TimesOf = (thread) => timesAt(`/proc/self/task/${thread}`);

/** Of a process and everything below it, all threads together; one that can run is enough for all. */
export const treeTimes: TimesOf = (pid) => {
  const processes = treeOf(pid);
  if (processes.length === 0) return null;
  let [ran_ms, waited_ms, spent_ms, canRun] = [0, 0, 0, false];
  for (const one of processes) {
    spent_ms += processCpuMs(one.pid) ?? 0;
    for (const thread of one.threads) {
      const times = timesAt(`/proc/${one.pid}/task/${thread}`);
      if (times === null) continue; // it ended between two looks
      ran_ms += times.ran_ms;
      waited_ms += times.waited_ms;
      canRun ||= times.canRun;
    }
  }
  return { ran_ms, waited_ms, canRun, spent_ms };
};

function timesAt(task: string): ThreadTimes | null {
  try {
    // Nanoseconds on a processor, nanoseconds waiting for one, turns.
    const [ran, waited] = readFileSync(`${task}/schedstat`, "utf8").split(" ");
    const stat = readFileSync(`${task}/stat`, "utf8");
    // The name in brackets may hold anything; the state follows it.
    const canRun = stat.charAt(stat.lastIndexOf(")") + 2) === "R";
    return { ran_ms: Number(ran) / 1e6, waited_ms: Number(waited) / 1e6, canRun };
  } catch {
    return null;
  }
}

/** A stopwatch that shows own time since the last `restart`; exact to the time between two looks. */
export class OwnTime {
  readonly #now_ms: () => number;
  readonly #timesOf: TimesOf;
  #id = 0;
  #wall = 0;
  #times: ThreadTimes | null = null;
  #own = 0;
  /** What had been spent when it began. */
  #spent = 0;

  constructor(now_ms: () => number, timesOf: TimesOf = threadTimes) {
    this.#now_ms = now_ms;
    this.#timesOf = timesOf;
  }

  /** 0: nobody the system could tell of. */
  restart(id: number): void {
    this.#id = id;
    this.#wall = this.#now_ms();
    this.#times = id === 0 ? null : this.#timesOf(id);
    this.#own = 0;
    this.#spent = this.#times?.spent_ms ?? 0;
  }

  passedMs(): number {
    const before = this.#times;
    const times = before === null ? null : this.#timesOf(this.#id);
    const wall = this.#now_ms();
    const passed = wall - this.#wall;
    this.#wall = wall;
    this.#times = times;
    if (before === null || times === null) return (this.#own += passed);
    // Of a tree, what ended is missing from the later sums, and what many threads waited may be more than passed.
    const ran = Math.max(0, times.ran_ms - before.ran_ms);
    const waited = Math.max(0, times.waited_ms - before.waited_ms);
    this.#own += times.canRun ? ran : Math.max(ran, passed - waited);
    // Threads that ended between two looks are in no sum; what is certain of theirs counts all the same.
    const certain = (times.spent_ms ?? 0) - this.#spent - CPU_ROUNDING_MS;
    return (this.#own = Math.max(this.#own, certain));
  }
}
