/** Reproducible chance: xoshiro128** on the run's seed; the same numbers as the Rust and Python SDKs draw. */
export class Random {
  /** Four words, so that a checkpoint can carry them. */
  state: [number, number, number, number];

  constructor(seed: Uint8Array) {
    const word = (at: number): number =>
      ((seed[at] ?? 0) | ((seed[at + 1] ?? 0) << 8) | ((seed[at + 2] ?? 0) << 16) | ((seed[at + 3] ?? 0) << 24)) >>> 0;
    this.state = [word(0), word(4), word(8), word(12)];
    if (this.state.every((one) => one === 0)) this.state = [1, 0, 0, 0];
  }

  nextU32(): number {
    const [s0, s1, s2, s3] = this.state;
    const turned = rotate(Math.imul(s1, 5), 7);
    const c = s2 ^ s0;
    const d = s3 ^ s1;
    this.state = [(s0 ^ d) >>> 0, (s1 ^ c) >>> 0, (c ^ (s1 << 9)) >>> 0, rotate(d, 11)];
    return Math.imul(turned, 9) >>> 0;
  }

  /** Uniform in [0, bound), bound ≤ 2^32; 0 for a bound of 0. */
  below(bound: number): number {
    if (bound === 0) return 0;
    const limit = 4_294_967_296 - (4_294_967_296 % bound);
    for (;;) {
      const value = this.nextU32();
      if (value < limit) return value % bound;
    }
  }
}

function rotate(word: number, by: number): number {
  return ((word << by) | (word >>> (32 - by))) >>> 0;
}
