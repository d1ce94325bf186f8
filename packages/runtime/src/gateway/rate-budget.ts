/** How many requests may leave now: a bucket that fills with time, and a pause that the venue asked for. */
export class RateBudget {
  readonly #perSecond: number;
  #tokens: number;
  #at_ms: number;
  #pausedUntil_ms = 0;

  constructor(perSecond: number, now_ms: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#at_ms = now_ms;
  }

  /** Nothing leaves before `until_ms`. */
  pause(until_ms: number): void {
    this.#pausedUntil_ms = Math.max(this.#pausedUntil_ms, until_ms);
  }

  /** Takes one request's worth and answers 0, or answers the milliseconds until there is one. */
  take(now_ms: number): number {
    if (now_ms < this.#pausedUntil_ms) return this.#pausedUntil_ms - now_ms;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now_ms - this.#at_ms) * this.#perSecond) / 1_000);
    this.#at_ms = now_ms;
    if (this.#tokens < 1) return Math.max(1, ((1 - this.#tokens) * 1_000) / this.#perSecond);
    this.#tokens -= 1;
    return 0;
  }
}
