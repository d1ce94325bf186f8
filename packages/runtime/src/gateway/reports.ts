/** What comes in from a venue outside: recorded with its cursor before anything follows from it. */
import type { ClientOrderId } from "@rumi/kernel";
import type { NewOrder, OrderSnapshot, VenueFill } from "@rumi/venues";

export type VenueReport =
  | { readonly kind: "order"; readonly order: OrderSnapshot }
  | { readonly kind: "fill"; readonly fill: VenueFill }
  /** It is certain that nothing was done: the venue's word, or it never left. */
  | {
      readonly kind: "refused";
      readonly action: "submit" | "cancel" | "amend";
      readonly client_order_id: ClientOrderId;
      readonly reason_code: string;
      readonly time_us: number;
    }
  /** Every fill up to this number of the account is on the record. */
  | { readonly kind: "fills_up_to"; readonly number: number };

/** What the gateway or the feed noticed; triggers of the circuit breaker among them. */
export const GATEWAY_CONDITIONS = [
  "connected",
  "disconnected",
  /** 429. */
  "rate_limited",
  /** A request whose outcome nobody knows yet. */
  "outcome_unknown",
  "outcome_resolved",
  /** The venue refused an order. */
  "order_rejected",
  "update_gap",
  "reconciled",
  "key_refused",
  "clock_corrected",
  /** An order at the venue that this instance did not send. */
  "foreign_order",
  /** At the end of a run: an order of ours that the venue still holds, whatever its cancel was answered. */
  "still_open",
  "feed_connected",
  "feed_disconnected",
  "feed_gap_filled",
  "feed_gap_lost",
  "feed_stale",
  "feed_fresh",
  /** No row for long, though the stream stands; and the first one after. */
  "feed_quiet",
  "feed_resumed",
  /** The tape of the earlier life ended in the middle of a write; what it had not finished is asked for again. */
  "tape_mended",
] as const;
export type GatewayCondition = (typeof GATEWAY_CONDITIONS)[number];

export type GatewayNote = {
  readonly input: "gateway";
  readonly condition: GatewayCondition;
  readonly reason_code: string | null;
  /** Of the order it is about. */
  readonly client_order_id: string | null;
  readonly detail: string;
  readonly received_time_us: number;
};

export type GatewayInput =
  | GatewayNote
  | { readonly input: "venue_report"; readonly report: VenueReport; readonly received_time_us: number };

/** What the instance wants of the venue. */
export type Outgoing =
  | { readonly kind: "submit"; readonly order: NewOrder }
  | { readonly kind: "cancel"; readonly client_order_id: ClientOrderId }
  | {
      readonly kind: "amend";
      readonly client_order_id: ClientOrderId;
      readonly instrument: number;
      readonly price: number;
      readonly quantity: number;
    };
