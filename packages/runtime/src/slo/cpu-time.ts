/**
 * Processor time of one instance, window by window: what its own work cost, never what a busy machine made it wait (M-3.3.1).
 *
 * How to think: a strategy in a process has the kernel's count of that process. One in the lane's thread has its slices by
 * the clock, and the thread's own account says how much of such time was spent on a processor and how much in a queue
 * for one; a slice never sleeps, so the rest is work. The account is asked once a window, not once a slice: a look costs
 * as much as a slice. Where the kernel does not tell, all time counts.
 *
 * Invariant: a starved lane is not blamed, one that burns is (cpu-time.test.ts, watch.test.ts "[M-3.3.1]").
 */
import { ownThread, type ThreadTimes, threadTimes } from "@rumi/sandbox";
import type { Strategy } from "../strategy/strategy.ts";

/** What the calling thread spent since it began; null: not known. */
export type ThreadAccount = () => Pick<ThreadTimes, "ran_ms" | "waited_ms"> | null;

/** Thousands of instances share a lane's thread, and one answer. */
const SHARED_FOR_MS = 20;

/** The kernel's word about the thread in which it is asked. */
export function kernelAccount(monotonic: () => number): ThreadAccount {
  let known: ReturnType<ThreadAccount> = null;
  let until = Number.NEGATIVE_INFINITY;
  return () => {
    const now = monotonic();
    if (now < until) return known;
    const thread = ownThread();
    known = thread === 0 ? null : threadTimes(thread);
    until = now + SHARED_FOR_MS;
    return known;
  };
}

export class CpuMeter {
  readonly #account: ThreadAccount;
  readonly #strategy: Pick<Strategy, "cpu">;
  #thread: ReturnType<ThreadAccount>;
  #process: ReturnType<NonNullable<Strategy["cpu"]>>;

  constructor(strategy: Pick<Strategy, "cpu">, account: ThreadAccount = () => null) {
    this.#account = account;
    this.#strategy = strategy;
    this.#thread = account();
    this.#process = strategy.cpu?.() ?? null;
  }

  /** Milliseconds of processor time since it was asked last, in which its slices took `slices_ms` by the clock. */
  window(slices_ms: number): number {
    return this.#strategy.cpu === undefined ? this.#inThread(slices_ms) : (this.#inProcess() ?? slices_ms);
  }

  #inThread(slices_ms: number): number {
    const before = this.#thread;
    const now = this.#account();
    this.#thread = now;
    if (before === null || now === null) return slices_ms;
    const ran = Math.max(0, now.ran_ms - before.ran_ms);
    const waited = Math.max(0, now.waited_ms - before.waited_ms);
    return ran === 0 ? 0 : Math.min(ran, (slices_ms * ran) / (ran + waited));
  }

  /** Another process since then has spent all that it has spent. */
  #inProcess(): number | null {
    const before = this.#process;
    const now = this.#strategy.cpu?.() ?? null;
    this.#process = now;
    if (now === null) return null;
    return Math.max(0, now.ms - (before?.pid === now.pid ? before.ms : 0));
  }
}
