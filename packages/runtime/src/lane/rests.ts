/**
 * Who of a lane's instances rests, and until when: one timer for all of them, and a rest allocates nothing.
 *
 * How to think: a heap by moment. What an instance would keep for the length of its rest (a timer, a promise and what hangs
 * on them) outlives the young heap; of thousands of instances that is megabytes in every second. Here it keeps a place.
 *
 * Invariant: whoever rests is called once, when its time has come or somebody wakes it before (rests.test.ts).
 */
import type { Timers } from "@rumi/kernel";

export type Sleeper = {
  /** Monotonic milliseconds; kept by {@link Rests}. */
  restsUntil: number;
  /** Its place in the heap, {@link AWAKE} while it does not rest; kept by {@link Rests}. */
  restPlace: number;
  readonly goOn: () => void;
};

export const AWAKE = -1;

export class Rests {
  readonly #timers: Timers;
  readonly #monotonic: () => number;
  readonly #heap: Sleeper[] = [];
  #firesAt = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => undefined;
  readonly #fire = (): void => this.#wakeDue();

  constructor(timers: Timers, monotonic: () => number) {
    this.#timers = timers;
    this.#monotonic = monotonic;
  }

  /** For so many milliseconds at most. */
  rest(sleeper: Sleeper, ms: number): void {
    const now = this.#monotonic();
    sleeper.restsUntil = now + ms;
    sleeper.restPlace = this.#heap.length;
    this.#heap.push(sleeper);
    this.#rise(sleeper);
    if (sleeper.restPlace === 0 && sleeper.restsUntil < this.#firesAt) this.#arm(now);
  }

  /** Ends a rest before its time; false: there was none. It goes on when whoever woke it has come to an end. */
  wake(sleeper: Sleeper): boolean {
    if (sleeper.restPlace === AWAKE) return false;
    this.#take(sleeper);
    queueMicrotask(sleeper.goOn);
    return true;
  }

  #wakeDue(): void {
    this.#firesAt = Number.POSITIVE_INFINITY;
    const now = this.#monotonic();
    for (let first = this.#heap[0]; first !== undefined && first.restsUntil <= now; first = this.#heap[0]) {
      this.#take(first);
      first.goOn();
    }
    this.#arm(now);
  }

  #arm(now: number): void {
    const first = this.#heap[0];
    if (first === undefined || first.restsUntil >= this.#firesAt) return;
    this.#cancel();
    this.#firesAt = first.restsUntil;
    this.#cancel = this.#timers.after(Math.max(0, Math.ceil(first.restsUntil - now)), this.#fire);
  }

  #take(sleeper: Sleeper): void {
    const last = this.#heap.pop();
    if (last !== undefined && last !== sleeper) {
      last.restPlace = sleeper.restPlace;
      this.#heap[last.restPlace] = last;
      this.#rise(last);
      this.#sink(last);
    }
    sleeper.restPlace = AWAKE;
  }

  #rise(sleeper: Sleeper): void {
    for (;;) {
      const above = sleeper.restPlace === 0 ? undefined : this.#heap[(sleeper.restPlace - 1) >>> 1];
      if (above === undefined || above.restsUntil <= sleeper.restsUntil) return;
      this.#swap(above, sleeper);
    }
  }

  #sink(sleeper: Sleeper): void {
    for (;;) {
      const left = this.#heap[sleeper.restPlace * 2 + 1];
      const right = this.#heap[sleeper.restPlace * 2 + 2];
      const earlier = right !== undefined && left !== undefined && right.restsUntil < left.restsUntil ? right : left;
      if (earlier === undefined || sleeper.restsUntil <= earlier.restsUntil) return;
      this.#swap(sleeper, earlier);
    }
  }

  #swap(above: Sleeper, below: Sleeper): void {
    [above.restPlace, below.restPlace] = [below.restPlace, above.restPlace];
    this.#heap[above.restPlace] = above;
    this.#heap[below.restPlace] = below;
  }
}
