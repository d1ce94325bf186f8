/**
 * The bot's capital, once more where orders leave: whoever let an order come this far, it does not go beyond (L-07, L-36). Pure.
 *
 * How to think: the gate judged with what the instance knew when it decided; here the same is counted from what the venue
 * is known to hold when the order leaves. What only closes a position passes, and so does every cancel.
 */
import type { InstrumentSpec } from "@rumi/abi";
import { exceedsCapital } from "../gate/exposure.ts";
import type { ExternalVenue } from "./external-venue.ts";
import type { Outgoing } from "./reports.ts";

export type CapitalFence = {
  readonly instruments: readonly InstrumentSpec[];
  /** Quote currency, scaled by 10^8. */
  readonly capital: bigint;
};

/** `request` is in the book already, as the venue was asked for it. */
export function isBeyondCapital(book: ExternalVenue, fence: CapitalFence, request: Outgoing): boolean {
  if (request.kind === "cancel") return false;
  const live = book.live();
  const id = request.kind === "submit" ? request.order.client_order_id : request.client_order_id;
  const at = live.findIndex(({ order }) => order.client_order_id === id);
  const known = live[at];
  if (known === undefined || known.order.reduce_only) return false;
  const { price, quantity } = request.kind === "submit" ? request.order : request;
  // Neither more of it nor dearer: it shrinks.
  if (request.kind === "amend" && quantity <= known.quantity && price <= known.price) return false;
  const positions = book.positions();
  const { instrument, side } = known.order;
  const open_orders = live.map(({ order, ...now }, key) => ({
    key,
    instrument: order.instrument,
    side: order.side,
    type: order.type,
    price: now.price,
    remaining: now.quantity - now.filled,
    quantity: now.quantity,
  }));
  const moment = {
    open_orders,
    positions: positions.map((one) => one.quantity),
    last_prices: positions.map((one) => one.last_price),
  };
  return exceedsCapital({ instrument, side, price, quantity: quantity - known.filled }, fence, moment, at) !== "";
}
