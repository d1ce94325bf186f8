/**
 * What became of an order, from the last word about it. Pure.
 *
 * A venue answers a cancel or an amendment that came too late with a refusal of its own; that is then the last word, and
 * says only that the order is over.
 */
import type { JsonObject } from "@rumi/kernel";

export const ORDER_STATES = ["submitted", "open", "filled", "cancelled", "rejected", "over", "unknown"] as const;
/** `submitted`: it left, and nobody has answered. `over`: it has ended, and the last word does not say how. */
export type OrderState = (typeof ORDER_STATES)[number];

const STATES: Readonly<Record<string, OrderState>> = {
  accepted: "open",
  partially_filled: "open",
  amended: "open",
  filled: "filled",
  cancelled: "cancelled",
  rejected: "rejected",
};
/** Refusals of a cancel or an amendment that are about an order which is there no more. */
const GONE: readonly unknown[] = ["M.VENUE.ORDER_CLOSED", "M.VENUE.UNKNOWN_ORDER"];

export function orderState(status: string, report: JsonObject): OrderState {
  if (status === "cancel_rejected" || status === "amend_rejected")
    return GONE.includes(report["reason_code"]) ? "over" : "open";
  return STATES[status] ?? "unknown";
}
