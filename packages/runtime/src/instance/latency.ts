/**
 * How long events take, as a histogram of fixed bounds: from handing an event to the strategy until what it put out has
 * passed the gate.
 *
 * Observation only: nothing of it is saved or replayed, and no decision of the machine reads it. The host times the
 * first row of each slice, so that the hot path itself looks at no clock.
 */

/** Upper bounds in milliseconds; a last bucket takes whatever is slower. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000,
];

export class LatencyMeter {
  readonly #counts: Float64Array = new Float64Array(LATENCY_BOUNDS_MS.length + 1);
  #count = 0;
  #sum = 0;

  observe(ms: number): void {
    let at = 0;
    while (at < LATENCY_BOUNDS_MS.length && ms > (LATENCY_BOUNDS_MS[at] ?? 0)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count += 1;
    this.#sum += ms;
  }

  get count(): number {
    return this.#count;
  }
  get sum_ms(): number {
    return this.#sum;
  }

  /** Counts of each bucket that has any, by its upper bound (`+Inf` for the last); not cumulated. */
  buckets(): readonly (readonly [string, number])[] {
    return [...this.#counts].flatMap((count, at): (readonly [string, number])[] =>
      count === 0 ? [] : [[String(LATENCY_BOUNDS_MS[at] ?? "+Inf"), count]],
    );
  }

  /** The upper bound that `share` (0 to 1) of the events kept; `null` before the first, and beyond the last bound. */
  quantile(share: number): number | null {
    let seen = 0;
    for (const [at, count] of this.#counts.entries()) {
      seen += count;
      if (this.#count > 0 && seen >= share * this.#count) return LATENCY_BOUNDS_MS[at] ?? null;
    }
    return null;
  }
}
