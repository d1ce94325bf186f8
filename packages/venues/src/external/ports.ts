/**
 * A venue outside this process, as two ports: where rows come from, and where orders go (M-1.2.1).
 *
 * How to think: everything here is asynchronous and may fail in the middle. An answer therefore says what is known: the
 * venue's word that something was done, its word that nothing was done, or that nobody knows (`unknown`). A timeout and a
 * dropped connection are always `unknown`. Numbers are scaled integers, as everywhere inside.
 */
import type { ClientOrderId } from "@rumi/kernel";
import type { FeedRow } from "../feed-builder.ts";
import type { NewOrder } from "../types.ts";

/** What the venue says of one order at one moment. */
export type OrderSnapshot = {
  readonly client_order_id: ClientOrderId;
  readonly venue_order_id: string;
  readonly instrument: number;
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly quantity: number;
  readonly filled: number;
  readonly state: "open" | "filled" | "cancelled" | "rejected";
  readonly reason_code: string | null;
  /** Venue time; never runs backwards for one order. */
  readonly updated_us: number;
};

export type VenueFill = {
  /** The venue's own count of the account's fills, without gaps; what a query continues after. */
  readonly number: number;
  readonly fill_id: string;
  readonly client_order_id: ClientOrderId;
  readonly venue_order_id: string;
  readonly instrument: number;
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly quantity: number;
  /** Scaled at price_digits + quantity_digits, decimal text: it may exceed 2^53. */
  readonly fee: string;
  readonly liquidity: "maker" | "taker";
  readonly time_us: number;
};

/** Why the venue did nothing. */
export type RefusalKind =
  | "duplicate"
  | "unknown_order"
  | "order_closed"
  | "clock"
  | "key"
  | "busy"
  | "rejected"
  | "malformed";

export type VenueAnswer =
  /** Done, and this is the order now. */
  | { readonly kind: "done"; readonly order: OrderSnapshot; readonly time_us: number }
  /** The venue's word that nothing was done. */
  | {
      readonly kind: "refused";
      readonly refusal: RefusalKind;
      readonly reason_code: string;
      readonly order: OrderSnapshot | null;
      readonly time_us: number;
    }
  /** The venue's word that nothing was done, and when to ask again. */
  | { readonly kind: "rate_limited"; readonly retry_after_ms: number }
  /** Nobody knows whether it was done. */
  | { readonly kind: "unknown"; readonly problem: string };

/** A question that changes nothing: answered, to be asked later, or not answered. */
export type Asked<T> =
  | { readonly kind: "answer"; readonly value: T; readonly time_us: number }
  | { readonly kind: "rate_limited"; readonly retry_after_ms: number }
  | { readonly kind: "refused"; readonly refusal: RefusalKind; readonly reason_code: string }
  | { readonly kind: "unknown"; readonly problem: string };

export type UpdateSink = {
  /** The stream stands; what happened before must be asked for. */
  readonly ready: () => void;
  readonly order: (order: OrderSnapshot) => void;
  readonly fill: (fill: VenueFill) => void;
  /** Something was left out. */
  readonly gap: () => void;
  readonly lost: (problem: string) => void;
};

/** Where orders go. */
export interface ExecutionVenue {
  place(order: NewOrder): Promise<VenueAnswer>;
  cancel(id: ClientOrderId): Promise<VenueAnswer>;
  /** `price` and total `quantity`, filled part included. */
  amend(
    id: ClientOrderId,
    change: { readonly instrument: number; readonly price: number; readonly quantity: number },
  ): Promise<VenueAnswer>;
  /** `null` is the venue's word that it does not know the id. */
  query(id: ClientOrderId): Promise<Asked<OrderSnapshot | null>>;
  openOrders(): Promise<Asked<readonly OrderSnapshot[]>>;
  /** The oldest first, one page. */
  fillsAfter(number: number): Promise<Asked<readonly VenueFill[]>>;
  /** Reads the venue's clock, so that later requests bear its time; answers its lead over ours in microseconds. */
  syncClock(): Promise<Asked<number>>;
  /** How long after its own timestamp a request may still be carried out. */
  readonly recv_window_ms: number;
  /** Streams updates until `close`, dialling again by itself. */
  listen(sink: UpdateSink): void;
  close(): void;
}

export type FeedNotice = "connected" | "disconnected" | "gap_filled" | "gap_lost" | "stale" | "fresh";

export type FeedSink = {
  /** Of any kind, in the order of the venue's count, each once; a book row has at most as many levels as the ABI's frames. */
  readonly row: (row: FeedRow, seq: number) => void;
  readonly notice: (notice: FeedNotice, detail: string) => void;
  /** No row will follow. */
  readonly end: () => void;
};

/** Where rows come from. */
export interface MarketFeedSource {
  /** Rows after `seq`; `null` begins with what is next now. */
  start(after: number | null, sink: FeedSink): void;
  close(): void;
}
