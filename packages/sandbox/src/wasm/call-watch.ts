/**
 * The fence behind fuel: another thread sees which call a lane is in, and ends the lane when the call passes its deadline.
 *
 * How to think: the lane writes three words around a call: a number that is odd inside of one, whose call it is, and its
 * deadline. It reads no clock. The watchdog looks every few milliseconds; a call that it keeps seeing is judged by the
 * thread's own time (own-time.ts), so that a busy machine condemns nobody.
 *
 * Invariant: a call without fuel is told within its deadline and a few looks (call-watch.test.ts "[M-5.2.7]").
 */
import { OwnTime, ownThread, type TimesOf } from "../own-time.ts";

const WORD = { call: 0, slot: 1, deadline_ms: 2, thread: 3 } as const;
const WORDS = 4;

export type CallWatch = Int32Array<SharedArrayBuffer>;

export function createCallWatch(): CallWatch {
  return new Int32Array(new SharedArrayBuffer(WORDS * 4));
}

/** Called once by the watched thread: which one it is. */
export function announceThread(watch: CallWatch): void {
  Atomics.store(watch, WORD.thread, ownThread());
}

/** The thread that announced itself, or 0. */
export const watchedThread = (watch: CallWatch): number => Atomics.load(watch, WORD.thread);

/** One strategy's side of the watch. Callbacks that are not events may take {@link RARE_FACTOR} deadlines. */
export class CallMark {
  readonly #watch: Int32Array;
  readonly #slot: number;
  readonly #deadline_ms: number;

  constructor(watch: Int32Array, slot: number, deadline_ms: number) {
    this.#watch = watch;
    this.#slot = slot;
    this.#deadline_ms = deadline_ms;
  }

  enterEvent(): void {
    this.#enter(this.#deadline_ms);
  }
  enterRare(): void {
    this.#enter(this.#deadline_ms * RARE_FACTOR);
  }
  leave(): void {
    const watch = this.#watch;
    watch[WORD.call] = ((watch[WORD.call] ?? 0) + 1) | 0;
  }

  #enter(deadline_ms: number): void {
    const watch = this.#watch;
    watch[WORD.slot] = this.#slot;
    watch[WORD.deadline_ms] = deadline_ms;
    watch[WORD.call] = ((watch[WORD.call] ?? 0) + 1) | 0;
  }
}

/** As for jailed processes: init, saved state and shutdown may take longer than an event. */
export const RARE_FACTOR = 20;

/** For strategies that nobody watches (backtests, admission: their processes are watched as a whole). */
export const UNWATCHED: CallMark = new CallMark(new Int32Array(WORDS), 0, 1);

export type LateCall = { readonly slot: number; readonly deadline_ms: number };

/** Looks `every_ms`; tells a late call once and then looks no more. Returns the stop function. */
export function startCallWatchdog(
  watch: CallWatch,
  options: {
    readonly every_ms: number;
    readonly now_ms: () => number;
    readonly onLate: (late: LateCall) => void;
    /** The kernel's word, unless a test has another. */
    readonly timesOf?: TimesOf;
  },
): () => void {
  const time = new OwnTime(options.now_ms, options.timesOf);
  let seen = 0;
  const timer = setInterval(() => {
    const call = Atomics.load(watch, WORD.call);
    if ((call & 1) === 0) return void (seen = 0);
    if (call !== seen) {
      seen = call;
      return time.restart(watchedThread(watch));
    }
    const late = { slot: Atomics.load(watch, WORD.slot), deadline_ms: Atomics.load(watch, WORD.deadline_ms) };
    if (time.passedMs() < late.deadline_ms || Atomics.load(watch, WORD.call) !== call) return;
    clearInterval(timer);
    options.onLate(late);
  }, options.every_ms);
  timer.unref();
  return () => clearInterval(timer);
}
