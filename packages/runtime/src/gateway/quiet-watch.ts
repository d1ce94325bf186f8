/**
 * A market that says nothing for long is a condition of its own: the line stands, no row is late, and yet nothing comes.
 *
 * How to think: the watch knows when the last row came and looks again when the silence could be too long. It only tells;
 * what a bot makes of it is the breaker's and the strategy's business. Invariant (live-doubt.test.ts): one word when it
 * becomes quiet and one when it speaks again, never more.
 */
import { SYSTEM_TIMERS, type Timers } from "@rumi/kernel";

export type QuietWatchOptions = {
  readonly after_ms: number;
  readonly monotonic: () => number;
  readonly timers: Timers | undefined;
  /** Milliseconds without a row. */
  readonly quiet: (silent_ms: number) => void;
  readonly resumed: (silent_ms: number) => void;
};

export class QuietWatch {
  readonly #o: QuietWatchOptions;
  readonly #timers: Timers;
  #last_ms: number;
  #isQuiet = false;
  #cancel: () => void;

  constructor(options: QuietWatchOptions) {
    this.#o = options;
    this.#timers = options.timers ?? SYSTEM_TIMERS;
    this.#last_ms = options.monotonic();
    this.#cancel = this.#timers.after(options.after_ms, () => this.#look());
  }

  /** A row came. */
  heard(): void {
    const now = this.#o.monotonic();
    const silent_ms = now - this.#last_ms;
    this.#last_ms = now;
    if (!this.#isQuiet) return;
    this.#isQuiet = false;
    this.#o.resumed(silent_ms);
    this.#cancel = this.#timers.after(this.#o.after_ms, () => this.#look());
  }

  close(): void {
    this.#cancel();
  }

  #look(): void {
    const silent_ms = this.#o.monotonic() - this.#last_ms;
    const left_ms = this.#o.after_ms - silent_ms;
    if (left_ms > 0) {
      this.#cancel = this.#timers.after(left_ms, () => this.#look());
      return;
    }
    this.#isQuiet = true;
    this.#o.quiet(silent_ms);
  }
}
