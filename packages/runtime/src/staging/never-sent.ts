/** What a strategy hears of an intent that was staged, or let out, and will never be an order, as if the venue had said it. */
import type { ClientOrderId } from "@rumi/kernel";
import type { ExecutionReport } from "@rumi/venues";
import type { LiveOrder } from "../instance/orders.ts";
import type { StagedIntent } from "./staged-intents.ts";

type NeverWords = {
  readonly how: "rejected" | "cancelled";
  readonly reason_code: string;
  readonly event_time_us: number;
};

/** `undefined` where the order that it would have changed is over. No order of that id ever left. */
export function neverSent(
  { action, client_order_id }: Pick<StagedIntent, "action" | "client_order_id">,
  target: LiveOrder | undefined,
  { how, reason_code, event_time_us }: NeverWords,
): ExecutionReport | undefined {
  const order = action.kind === "submit" ? action.order : target;
  const id = action.kind === "submit" ? client_order_id : target?.client_order_id;
  if (order === undefined || id === undefined || id === null) return undefined;
  return {
    kind: action.kind === "submit" ? how : "amend_rejected",
    client_order_id: id as ClientOrderId,
    venue_order_id: "",
    fill_id: null,
    instrument: order.instrument,
    side: order.side,
    price: 0,
    quantity: 0,
    remaining: target === undefined ? order.quantity : target.remaining,
    fee: 0n,
    liquidity: "none",
    reason_code,
    event_time_us,
  };
}
