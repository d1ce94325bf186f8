/**
 * What the venue simulator says on the wire (docs/venue-sim.md): JSON over HTTP and WebSocket, numbers as decimal strings.
 *
 * Both sides import this file, so that neither can drift; a test speaks raw HTTP besides (server.test.ts).
 */
import type { InstrumentSpec } from "@rumi/abi";

export const WIRE = {
  key: "x-key",
  timestamp: "x-timestamp",
  recv_window: "x-recv-window",
  signature: "x-signature",
  admin: "x-admin-token",
} as const;

export const WIRE_LIMITS = {
  body_bytes: 16_384,
  page_rows: 1_000,
  recv_window_ms: 60_000,
} as const;

/** Why a request was refused; all of these are the venue's word that nothing was done, except `INTERNAL`. */
export const WIRE_CODES = [
  "BAD_REQUEST",
  "UNAUTHORISED",
  "KEY_DISABLED",
  "TIMESTAMP",
  "RATE_LIMITED",
  "DUPLICATE_CLIENT_ORDER_ID",
  "UNKNOWN_ORDER",
  "ORDER_CLOSED",
  "REJECTED",
  "VENUE_BUSY",
  "NOT_FOUND",
  "INTERNAL",
] as const;
export type WireCode = (typeof WIRE_CODES)[number];

export type WireOrder = {
  readonly client_order_id: string;
  readonly venue_order_id: string;
  readonly instrument_id: string;
  readonly side: "buy" | "sell";
  readonly type: "limit" | "market";
  readonly time_in_force: "gtc" | "ioc" | "fok";
  readonly price: string;
  readonly quantity: string;
  readonly filled: string;
  readonly state: "open" | "filled" | "cancelled" | "rejected";
  readonly reason_code: string | null;
  readonly updated_us: number;
};

export type WireFill = {
  /** Counts from 1 within the account, without gaps. */
  readonly number: number;
  readonly fill_id: string;
  readonly client_order_id: string;
  readonly venue_order_id: string;
  readonly instrument_id: string;
  readonly side: "buy" | "sell";
  readonly price: string;
  readonly quantity: string;
  /** In quote currency at price_digits + quantity_digits. */
  readonly fee: string;
  readonly liquidity: "maker" | "taker";
  readonly time_us: number;
};

export type WireTrade = {
  readonly seq: number;
  readonly instrument_id: string;
  readonly price: string;
  readonly quantity: string;
  readonly aggressor: "buyer" | "seller" | "unknown";
  readonly trade_id: number;
  readonly time_us: number;
};

export type WirePosition = { readonly instrument_id: string; readonly quantity: string; readonly cash: string };
export type WireInstrument = InstrumentSpec;

/** Of the stream of market data. */
export type MarketMessage =
  | { readonly type: "trades"; readonly trades: readonly WireTrade[] }
  | { readonly type: "end"; readonly last_seq: number };

/** Of the signed stream of updates; `seq` counts from the stream's opening. */
export type UpdateMessage = { readonly seq: number; readonly time_us: number } & (
  | { readonly type: "ready"; readonly fills: number }
  | {
      readonly type: "order";
      readonly event: "accepted" | "amended" | "cancelled" | "rejected";
      readonly order: WireOrder;
    }
  | { readonly type: "fill"; readonly fill: WireFill; readonly order: WireOrder }
);

export type WireRefusal = {
  readonly code: WireCode;
  readonly message: string;
  readonly reason_code: string | null;
  readonly time_us: number;
  readonly order: WireOrder | null;
};

export type PlaceOrder = {
  readonly client_order_id: string;
  readonly instrument_id: string;
  readonly side: "buy" | "sell";
  readonly type: "limit" | "market";
  readonly time_in_force: "gtc" | "ioc" | "fok";
  readonly price: string;
  readonly quantity: string;
  readonly reduce_only: boolean;
  readonly post_only: boolean;
};
