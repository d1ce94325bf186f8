/**
 * Time that a thread, or a process with all below it, had for itself: what it spent on a processor, and what it slept of
 * its own accord; never what it spent waiting for a processor.
 *
 * How to think: a deadline that is judged by it condemns nobody for what a busy machine did. The kernel counts a wait only
 * when it is over, so a thread that could run is judged by its processor time alone, and only one that sleeps by the
 * clock. Where the kernel does not tell, all wall time counts.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { childrenOf } from "./jail/end-tree.ts";

export type ThreadTimes = {
  /** Milliseconds on a processor since it began. */
  readonly ran_ms: number;
  /** Milliseconds that it waited for one; a wait that goes on is not in it yet. */
  readonly waited_ms: number;
  /** It runs, or would if it had a processor. */
  readonly canRun: boolean;
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
  const threads = threadsBelow(pid).map(timesAt);
  if (threads.length === 0) return null;
  let [ran_ms, waited_ms, canRun] = [0, 0, false];
  for (const times of threads) {
    if (times === null) continue; // it ended between two looks
    ran_ms += times.ran_ms;
    waited_ms += times.waited_ms;
    canRun ||= times.canRun;
  }
  return { ran_ms, waited_ms, canRun };
};

function threadsBelow(pid: number): readonly string[] {
  try {
    const own = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`);
    return [...own, ...childrenOf(pid).flatMap(threadsBelow)];
  } catch {
    return []; // gone, or the system tells nothing
  }
}

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
  }

  passedMs(): number {
    const before = this.#times;
    const times = before === null ? null : this.#timesOf(this.#id);
    const wall = this.#now_ms();
    const passed = wall - this.#wall;
    this.#wall = wall;
    this.#times = times;
    if (before === null || times === null) return (this.#own += passed);
    // Of a tree, what ended is missing from the later sum, and what many threads waited may be more than passed.
    const ran = Math.max(0, times.ran_ms - before.ran_ms);
    const waited = times.waited_ms - before.waited_ms;
    return (this.#own += times.canRun ? ran : Math.max(ran, passed - waited));
  }
}
