/**
 * Whether the wall clock was, or may have been, set forward a moment ago: then it says of no lease that it is over.
 *
 * How to think: leases end by the wall clock of the store, a holder counts by its own monotonic clock. A step of the wall
 * clock ends every lease at once while holders that cannot be heard still act in good faith. So after a step a whole lease
 * time passes by the monotonic clock before one is taken from its holder; each round looks (lease-ends.ts). What happened
 * before this program started it cannot know, so the same holds after every start.
 *
 * Invariant: a step forward while a runner is cut off makes no second holder (packages/sim/src/simulate.test.ts).
 */
import type { Clock, Millis } from "@rumi/kernel";

/** Milliseconds; what a holder keeps back of its own deadline is more than this. */
export const CLOCK_STEP_MS = 500;

export class ClockSteps {
  readonly #clock: Clock;
  readonly #lease_ttl: Millis;
  #ahead: number;
  #trustedFrom: number;

  constructor(clock: Clock, lease_ttl: Millis) {
    this.#clock = clock;
    this.#lease_ttl = lease_ttl;
    this.#ahead = this.#aheadNow();
    this.#trustedFrom = clock.monotonic() + lease_ttl;
  }

  /** False for a lease time after the start and after a step forward; a step back only makes leases look longer than they are (lease-ends.ts). */
  mayEndLeases(): boolean {
    const ahead = this.#aheadNow();
    const now = this.#clock.monotonic();
    if (ahead - this.#ahead > CLOCK_STEP_MS) this.#trustedFrom = now + this.#lease_ttl;
    this.#ahead = ahead;
    return now >= this.#trustedFrom;
  }

  #aheadNow(): number {
    return this.#clock.now() / 1_000 - this.#clock.monotonic();
  }
}
