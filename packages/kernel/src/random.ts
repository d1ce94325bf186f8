/**
 * Chance, injected. Each consumer draws from its own named stream, so that a new draw in one place
 * moves no other, and one seed reproduces a whole run.
 */
import { createHash, randomBytes } from "node:crypto";

export interface Random {
  bytes(count: number): Uint8Array;
  /** Uniform in [0, bound), bound ≤ 2^32. */
  below(bound: number): number;
  /** Uniform in [0, 1) with 32 bits. */
  unit(): number;
  /** An independent stream; the same name under the same seed gives the same stream. */
  stream(name: string): Random;
}

/** Reproducible randomness (xoshiro128**) seeded by SHA-256 of seed and stream name. Not for keys. */
export function seededRandom(seed: string): Random {
  const state = new Uint32Array(createHash("sha256").update(seed).digest().buffer.slice(0, 16));
  if (state.every((word) => word === 0)) state[0] = 1;
  const rotl = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0;
  const next = (): number => {
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = state;
    const result = Math.imul(rotl(Math.imul(s1, 5) >>> 0, 7), 9) >>> 0;
    const t = (s1 << 9) >>> 0;
    let [a, b, c, d] = [s0, s1, s2 ^ s0, s3 ^ s1];
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d >>> 0, 11);
    state.set([a >>> 0, b >>> 0, c >>> 0, d >>> 0]);
    return result;
  };
  return fromNext(next, (name) => seededRandom(`${seed}/${name}`));
}

/** Drawn from the system at once: a call for each id would cost more than the rest of the id. */
const POOL_BYTES = 8_192;
const POOLED_DRAW_BYTES = 64;

/** The operating system's randomness, for keys, salts and ids. */
export function systemRandom(): Random {
  const next = (): number => randomBytes(4).readUInt32LE(0);
  let pool = new Uint8Array(0);
  let used = 0;
  const bytes = (count: number): Uint8Array => {
    if (count > POOLED_DRAW_BYTES) return new Uint8Array(randomBytes(count));
    if (used + count > pool.length) {
      pool = new Uint8Array(randomBytes(POOL_BYTES));
      used = 0;
    }
    const drawn = pool.slice(used, used + count);
    pool.fill(0, used, used + count); // nobody draws it again, nobody finds it later
    used += count;
    return drawn;
  };
  return { ...fromNext(next, () => systemRandom()), bytes };
}

function fromNext(next: () => number, stream: (name: string) => Random): Random {
  return {
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff),
    below: (bound) => {
      if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) throw new RangeError(`bound ${bound}`);
      const limit = 2 ** 32 - (2 ** 32 % bound);
      for (;;) {
        const value = next();
        if (value < limit) return value % bound;
      }
    },
    unit: () => next() / 2 ** 32,
    stream,
  };
}
