/**
 * Time that a thread had for itself: what it spent on a processor, and what it slept of its own accord; never what it
 * spent waiting for a processor.
 *
 * How to think: a deadline that is judged by it condemns nobody for what a busy machine did. The kernel counts a wait only
 * when it is over, so a thread that could run is judged by its processor time alone, and only one that sleeps by the
 * clock. Where the kernel does not tell, all wall time counts.
 */
import { readFileSync, readlinkSync } from "node:fs";

export type ThreadTimes = {
  /** Milliseconds on a processor since it began. */
  readonly ran_ms: number;
  /** Milliseconds that it waited for one; a wait that goes on is not in it yet. */
  readonly waited_ms: number;
  /** It runs, or would if it had a processor. */
  readonly canRun: boolean;
};
/** Of a thread of this process; null: not known. */
export type TimesOf = (thread: number) => ThreadTimes | null;

/** Number of the thread that asks, 0 where the system has none to tell. */
export function ownThread(): number {
  try {
    // "<process>/task/<thread>"
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return 0;
  }
}

export const threadTimes: TimesOf = (thread) => {
  try {
    // Nanoseconds on a processor, nanoseconds waiting for one, turns.
    const [ran, waited] = readFileSync(`/proc/self/task/${thread}/schedstat`, "utf8").split(" ");
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    // The name in brackets may hold anything; the state follows it.
    const canRun = stat.charAt(stat.lastIndexOf(")") + 2) === "R";
    return { ran_ms: Number(ran) / 1e6, waited_ms: Number(waited) / 1e6, canRun };
  } catch {
    return null;
  }
};

/** A stopwatch that shows a thread's own time since the last `restart`; exact to the time between two looks. */
export class OwnTime {
  readonly #now_ms: () => number;
  readonly #timesOf: TimesOf;
  #thread = 0;
  #wall = 0;
  #times: ThreadTimes | null = null;
  #own = 0;

  constructor(now_ms: () => number, timesOf: TimesOf = threadTimes) {
    this.#now_ms = now_ms;
    this.#timesOf = timesOf;
  }

  restart(thread: number): void {
    this.#thread = thread;
    this.#wall = this.#now_ms();
    this.#times = thread === 0 ? null : this.#timesOf(thread);
    this.#own = 0;
  }

  passedMs(): number {
    const before = this.#times;
    const times = before === null ? null : this.#timesOf(this.#thread);
    const wall = this.#now_ms();
    const passed = wall - this.#wall;
    this.#wall = wall;
    this.#times = times;
    if (before === null || times === null) this.#own += passed;
    else if (times.canRun) this.#own += times.ran_ms - before.ran_ms;
    else this.#own += Math.max(0, passed - (times.waited_ms - before.waited_ms));
    return this.#own;
  }
}
