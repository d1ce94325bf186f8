/** Latencies in buckets that grow by an eighth: constant memory, percentiles within 12.5 %, nothing allocated per value. */
const STEPS = 8;
const OCTAVES = 40;

export class LatencyHistogram {
  readonly #counts: Uint32Array = new Uint32Array(STEPS * OCTAVES);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Microseconds; `weight` values of the same size. */
  add(us: number, weight: number): void {
    const value = us < 1 ? 1 : us;
    const octave = Math.min(OCTAVES - 1, Math.floor(Math.log2(value)));
    const step = Math.min(STEPS - 1, Math.floor((value / 2 ** octave - 1) * STEPS));
    const at = octave * STEPS + step;
    this.#counts[at] = (this.#counts[at] ?? 0) + weight;
    this.#total += weight;
  }

  /** Upper edge of the bucket in which the share lies, microseconds; 0 without values. */
  percentile(share: number): number {
    let left = this.#total * share;
    if (this.#total === 0) return 0;
    for (let at = 0; at < this.#counts.length; at += 1) {
      left -= this.#counts[at] ?? 0;
      if (left <= 0) return 2 ** Math.floor(at / STEPS) * (1 + ((at % STEPS) + 1) / STEPS);
    }
    return 2 ** OCTAVES;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}
