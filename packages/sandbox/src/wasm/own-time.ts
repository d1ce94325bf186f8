/**
 * Time that a thread had for itself: wall time less what it spent waiting for a processor, as the kernel counts it.
 *
 * A deadline that is judged by it condemns nobody for what a busy machine did. Where the kernel does not tell, all wall
 * time counts.
 */
import { readFileSync, readlinkSync } from "node:fs";

/** Milliseconds that a thread of this process has waited while it could have run, since it began; null: not known. */
export type WaitedMs = (thread: number) => number | null;

/** Number of the thread that asks, 0 where the system has none to tell. */
export function ownThread(): number {
  try {
    // "<process>/task/<thread>"
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return 0;
  }
}

export const threadWaitedMs: WaitedMs = (thread) => {
  try {
    // Nanoseconds on a processor, nanoseconds waiting for one, turns.
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, "utf8").split(" ")[1]) / 1e6;
  } catch {
    return null;
  }
};

/** A stopwatch that shows a thread's own time since the last `restart`. */
export class OwnTime {
  readonly #now_ms: () => number;
  readonly #waited_ms: WaitedMs;
  #thread = 0;
  #wall = 0;
  #waited: number | null = null;

  constructor(now_ms: () => number, waited_ms: WaitedMs = threadWaitedMs) {
    this.#now_ms = now_ms;
    this.#waited_ms = waited_ms;
  }

  restart(thread: number): void {
    this.#thread = thread;
    this.#wall = this.#now_ms();
    this.#waited = thread === 0 ? null : this.#waited_ms(thread);
  }

  passedMs(): number {
    const waited = this.#waited === null ? null : this.#waited_ms(this.#thread);
    return this.#now_ms() - this.#wall - (waited === null || this.#waited === null ? 0 : waited - this.#waited);
  }
}
