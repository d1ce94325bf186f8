/** The shape of what the simulated exchange reports. */
import type { ClientOrderId } from "@rumi/kernel";
import type { ExecutionReport } from "../types.ts";
import type { Order, Side } from "./market.ts";
import { VENUE_REASONS, type VenueReason } from "./reasons.ts";

/** What a report says beyond the order itself. */
export type ReportExtra = {
  readonly reason?: VenueReason | null;
  readonly fill?: {
    readonly price: number;
    readonly quantity: number;
    readonly fee: bigint;
    readonly liquidity: "maker" | "taker";
    readonly id: string;
  };
};

export function sideName(side: Side): "buy" | "sell" {
  return side === 1 ? "buy" : "sell";
}

/** The refusal of an instruction about an order that never arrived. */
export function unknownOrder(
  client_order_id: ClientOrderId,
  kind: "cancel_rejected" | "amend_rejected",
  event_time_us: number,
): ExecutionReport {
  return {
    kind,
    client_order_id,
    venue_order_id: "",
    fill_id: null,
    instrument: 0,
    side: "buy",
    price: 0,
    quantity: 0,
    remaining: 0,
    fee: 0n,
    liquidity: "none",
    reason_code: VENUE_REASONS.unknown_order,
    event_time_us,
  };
}

export function reportOf(
  prefix: string,
  order: Order,
  kind: ExecutionReport["kind"],
  event_time_us: number,
  { fill, reason = null }: ReportExtra,
): ExecutionReport {
  return {
    kind,
    client_order_id: order.client_order_id,
    venue_order_id: `${prefix}-${order.number}`,
    fill_id: fill?.id ?? null,
    instrument: order.instrument,
    side: sideName(order.side),
    price: fill?.price ?? 0,
    quantity: fill?.quantity ?? 0,
    remaining: order.state === "open" ? order.quantity - order.filled : 0,
    fee: fill?.fee ?? 0n,
    liquidity: fill?.liquidity ?? "none",
    reason_code: reason,
    event_time_us,
  };
}
