/**
 * How long staged intents have waited by the clock of the machine that they wait on: where no market comes, event time
 * stands still and an intent would stay fresh for ever. What it finds becomes recorded inputs, so a replay needs no clock.
 */
import type { StagingInput } from "./input.ts";
import type { StagedIntents } from "./staged-intents.ts";

export class StagingClock {
  readonly #after_ms: number;
  readonly #monotonic: () => number;
  /** By key: when it was first seen to wait. A life that goes on from a checkpoint counts anew. */
  readonly #since = new Map<number, number>();

  constructor(expires_after_us: number, monotonic: () => number) {
    this.#after_ms = expires_after_us / 1_000;
    this.#monotonic = monotonic;
  }

  /** Those that waited too long; asked before anything else is taken. */
  look({ keys }: Pick<StagedIntents, "keys">): readonly StagingInput[] {
    if (keys.length === 0 && this.#since.size === 0) return [];
    const now = this.#monotonic();
    const waiting = new Set(keys);
    for (const key of this.#since.keys()) if (!waiting.has(key)) this.#since.delete(key);
    return keys.flatMap((key) => {
      const since = this.#since.get(key) ?? now;
      this.#since.set(key, since);
      return now - since >= this.#after_ms
        ? [{ input: "staging" as const, action: "expire" as const, idempotency_key: String(key) }]
        : [];
    });
  }
}
