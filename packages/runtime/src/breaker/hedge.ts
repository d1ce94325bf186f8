/**
 * What a breaker in HedgeToFlat still has to send (M-9.2.1): reduce-only market orders of the runtime itself. Pure.
 *
 * How to think: whatever is held and no order of the runtime is under way for gets one order of the opposite side. A
 * fill that came in between, or a partial fill, is seen the next time and answered by another order; `HEDGE` attempts
 * bound that. What is smaller than the venue's least quantity cannot be sold and stays, on the record.
 *
 * Keys: a strategy counts its intents from 1; the runtime's own orders count from 2^52, so that they never meet and the
 * same run gives the same client order ids (docs/formats/client-order-id.md).
 */
import type { InstrumentSpec } from "@rumi/abi";
import { BREAKER_LIMITS } from "./config.ts";

/** Idempotency keys from here on belong to the runtime; the gate refuses them from a strategy. */
export const RUNTIME_KEYS_FROM: number = 2 ** 52;

export type Hedge = {
  readonly instrument: number;
  readonly side: "buy" | "sell";
  /** Scaled, a multiple of the lot. */
  readonly quantity: number;
};

export type HedgePlan = {
  readonly orders: readonly Hedge[];
  /** Something stays that cannot be sent: too small, or no attempts are left. */
  readonly stuck: boolean;
  readonly flat: boolean;
};

export function planHedge(facts: {
  readonly instruments: readonly InstrumentSpec[];
  /** Signed, by instrument. */
  readonly positions: readonly number[];
  /** Instruments with an order of the runtime under way. */
  readonly underway: ReadonlySet<number>;
  readonly attempts: number;
}): HedgePlan {
  const orders: Hedge[] = [];
  let stuck = false;
  let flat = true;
  for (const [instrument, spec] of facts.instruments.entries()) {
    const position = facts.positions[instrument] ?? 0;
    if (position === 0) continue;
    flat = false;
    if (facts.underway.has(instrument)) continue;
    const held = Math.min(Math.abs(position), spec.max_quantity);
    const quantity = held - (held % spec.lot_size);
    if (quantity < spec.min_quantity || facts.attempts + orders.length >= BREAKER_LIMITS.hedges) stuck = true;
    else orders.push({ instrument, side: position > 0 ? "sell" : "buy", quantity });
  }
  return { orders, stuck, flat };
}
