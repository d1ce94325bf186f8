/**
 * When nobody can act under an instance's epoch any more: it was never leased, given back, taken by another, or ran out.
 *
 * How to think: two clocks say that it ran out. The store's wall clock does, unless it was set forward a moment ago
 * (clock-steps.ts). Set back it would say for as long as the step was that a lease runs whose holder died long ago; so the
 * monotonic clock of this program is asked too. A holder may act for less than a lease time from when it asked for its last
 * renewal, and that was before the renewal stood in the row. A row that has stood as it is for a lease time is nobody's.
 * Its `renewed_at` tells a renewal: the store's clock counts milliseconds at the coarsest, and a runner renews seconds apart.
 *
 * Invariants
 * - Such a row is taken from its holder before anything is built on it, and only as it was seen: a renewal that comes in
 *   between keeps it (lease-ends.test.ts), and one that comes behind it is refused (packages/store/test/leases.test.ts).
 * - Wall clocks that go back delay no failover by more than a lease time (packages/sim/src/simulate.test.ts).
 */
import type { Clock, Millis } from "@rumi/kernel";
import { readLease, releaseUnrenewedWrite, type LeaseRow, type Store } from "@rumi/store";
import { keyOf, type Recorder } from "../runners/recorder.ts";
import { ClockSteps } from "./clock-steps.ts";
import { resource } from "./observe.ts";
import { keyText, type InstanceRow } from "./tables.ts";

export type LeaseEndsDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly lease_ttl: Millis;
  readonly recorder: Pick<Recorder, "commit">;
};

type Seen = Pick<LeaseRow, "epoch" | "renewed_at"> & { readonly since: Millis };

export class LeaseEnds {
  readonly #of: LeaseEndsDeps;
  readonly #steps: ClockSteps;
  readonly #seen = new Map<string, Seen>();
  #byWallClock = false;

  constructor(of: LeaseEndsDeps) {
    this.#of = of;
    this.#steps = new ClockSteps(of.clock, of.lease_ttl);
  }

  /** Called once a round: looks at the clocks, and forgets all instances but these. */
  beginRound(instances: readonly InstanceRow[]): void {
    this.#byWallClock = this.#steps.mayEndLeases();
    const named = new Set(instances.map(keyText));
    for (const name of this.#seen.keys()) if (!named.has(name)) this.#seen.delete(name);
  }

  /** True also where this very look ended it; what was renewed in between is looked at in the next round. */
  async isOver(instance: InstanceRow): Promise<boolean> {
    const { store, clock, lease_ttl } = this.#of;
    const { holder, epoch } = instance;
    if (epoch === 0 || holder === null) return true;
    const lease = await readLease(store, store, keyOf(instance));
    if (lease === undefined || lease.holder === null || lease.epoch !== epoch) return true;
    const unrenewed_ms = this.#unrenewed(keyText(instance), lease);
    // The store's clock decides at the acquisition; this look saves pointless attempts, and those that a step of it invites.
    if (this.#byWallClock && lease.expires_at <= clock.now()) return true;
    return unrenewed_ms >= lease_ttl && this.#takeAway(instance, { ...lease, holder: lease.holder });
  }

  /** Milliseconds for which the row has stood as it does, as far as this program saw. */
  #unrenewed(name: string, { epoch, renewed_at }: LeaseRow): number {
    const now = this.#of.clock.monotonic();
    const seen = this.#seen.get(name);
    if (seen?.epoch === epoch && seen.renewed_at === renewed_at) return now - seen.since;
    this.#seen.set(name, { epoch, renewed_at, since: now });
    return 0;
  }

  #takeAway(instance: InstanceRow, lease: LeaseRow & { readonly holder: string }): Promise<boolean> {
    const event = {
      action: "lease.expired",
      ...resource(instance),
      outcome: "SUCCESS" as const,
      details: { holder: null, previous_holder: lease.holder, epoch: lease.epoch },
    };
    const trail = { run_id: instance.run_id, trace_id: instance.trace_id };
    const { store, recorder } = this.#of;
    return recorder.commit("system:instances", [releaseUnrenewedWrite(store, lease)], [event], trail);
  }
}
