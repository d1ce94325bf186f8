/**
 * Positions at average cost, in exact integers.
 *
 * Think of every fill as a flow of quote currency: a buy pays price × quantity, a sale receives it. What was
 * paid for the open part is `cost` (negative for a short position); what a closing fill brings beyond the
 * part of `cost` it releases is realised profit. Money is scaled at price_digits + quantity_digits.
 *
 * Invariants
 * - cash + quantity·price = realised + unrealised − fees, after every fill, at every price
 *   (venue-properties.test.ts "money is conserved", against a second implementation that shares no code).
 */
import { invariant } from "@rumi/kernel";
import type { PositionView } from "../types.ts";

const MILLION = 1_000_000n;

export class Position {
  quantity = 0;
  cost = 0n;
  realised = 0n;
  fees = 0n;
  cash = 0n;

  /** `side` 1 buys, -1 sells. */
  fill(side: 1 | -1, price: number, quantity: number, fee: bigint): void {
    const signed = side * quantity;
    const flow = BigInt(price) * BigInt(signed);
    const closing = this.quantity * signed < 0 ? Math.min(quantity, Math.abs(this.quantity)) : 0;
    if (closing > 0) {
      const released = (this.cost * BigInt(closing)) / BigInt(Math.abs(this.quantity));
      this.realised -= BigInt(price) * BigInt(side * closing) + released;
      this.cost -= released;
    }
    this.cost += BigInt(price) * BigInt(side * (quantity - closing));
    this.quantity += signed;
    this.cash -= flow + fee;
    this.fees += fee;
    invariant(Number.isSafeInteger(this.quantity), "a position stays below 2^53");
  }

  /** How much an order of this side can still take away from the position. */
  reducible(side: 1 | -1): number {
    return Math.max(0, -side * this.quantity);
  }

  unrealised(last_price: number): bigint {
    return BigInt(this.quantity) * BigInt(last_price) - this.cost;
  }

  /** As a venue tells it, valued at `last_price` (scaled). */
  view(instrument: number, last_price: number): PositionView {
    return {
      instrument,
      quantity: this.quantity,
      cost: this.cost,
      realised_profit: this.realised,
      unrealised_profit: this.unrealised(last_price),
      fees: this.fees,
      cash: this.cash,
      last_price,
    };
  }
}

/** Fee of a fill, rounded up against us: a charge to the next unit above, a rebate to the next below. */
export function feeOf(price: number, quantity: number, ppm: number): bigint {
  const exact = BigInt(price) * BigInt(quantity) * BigInt(ppm);
  return exact > 0n ? (exact + MILLION - 1n) / MILLION : exact / MILLION;
}
