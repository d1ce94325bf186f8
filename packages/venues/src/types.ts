/** Market data and execution as the runtime sees them; every venue, recorded or real, speaks these. */
import type { InstrumentSpec } from "@rumi/abi";
import type { ClientOrderId, Digest } from "@rumi/kernel";

/** What a row of a feed is; the numbers are those of the ABI's frames. */
export const MARKET_KIND = { trade: 1, quote: 2, bar: 3, book: 4 } as const;
export type MarketKind = keyof typeof MARKET_KIND;
/** What a book row does to the book; the ABI's words. */
export const BOOK_ACTION = { snapshot: 1, increment: 2 } as const;

/**
 * Decoded trades, one column each, `length` rows, ordered as they are to be delivered.
 * Times in microseconds since the epoch; price and quantity are scaled integers held in float64.
 */
export type TradeColumns = {
  readonly length: number;
  /** Index into the feed's instruments. */
  readonly instrument: Uint16Array;
  readonly event_time_us: Float64Array;
  readonly received_time_us: Float64Array;
  readonly price: Float64Array;
  readonly quantity: Float64Array;
  /** 0 unknown, 1 buyer was the aggressor, 2 seller was the aggressor. */
  readonly aggressor: Uint8Array;
  readonly trade_id: Float64Array;
  /** Quality flags: 1 stale, 2 gap before, 4 duplicate, 8 out of order, 16 clock drift. */
  readonly flags: Uint8Array;
};

/**
 * A feed of any market kinds. Without `mixed` every row is a trade, and nothing else is looked at.
 *
 * With it, a row that is no trade holds in `price` what the market is worth after it (middle of the best bid and ask,
 * close of a bar; 0 unknown), in `quantity` a bar's volume, in `trade_id` a bar's number of trades (0 unknown), and the
 * rest in the table of its kind at `detail[row]`.
 */
export type MarketFeed = TradeColumns & {
  readonly mixed?: MixedColumns;
  /** A feed that grows may have left its past behind: rows before this one hold nothing any more. */
  readonly kept_from?: number;
};

export type MixedColumns = {
  /** One of MARKET_KIND per row. */
  readonly kind: Uint8Array;
  /** Row of the kind's table; not meaningful for trades. */
  readonly detail: Uint32Array;
  readonly quotes: QuoteColumns;
  readonly bars: BarColumns;
  readonly books: BookColumns;
};
/** Best bid and ask; price and quantity 0 where a side is empty. */
export type QuoteColumns = {
  readonly bid_price: Float64Array;
  readonly bid_quantity: Float64Array;
  readonly ask_price: Float64Array;
  readonly ask_quantity: Float64Array;
};
/** A bar is told at its end: its event time is its open time plus its duration, its close is the row's price. */
export type BarColumns = {
  readonly duration_us: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
};
/** Book rows: the best bid and ask after the row, and the levels it changes, best first, bids before asks. */
export type BookColumns = QuoteColumns & {
  readonly action: Uint8Array;
  readonly first_sequence: Float64Array;
  readonly last_sequence: Float64Array;
  /** The row's levels are [first_level, first_level + bids + asks) of the two level columns. */
  readonly first_level: Float64Array;
  readonly bids: Uint32Array;
  readonly asks: Uint32Array;
  readonly level_price: Float64Array;
  /** 0 removes the level. */
  readonly level_quantity: Float64Array;
};

/** The layouts of recordings; docs/recordings.md shows them. */
export const RECORDING_FORMATS = [
  "auto",
  "binance_agg_trades",
  "binance_trades",
  "tardis_trades",
  "binance_klines",
  "binance_book_ticker",
  "tardis_quotes",
  "tardis_incremental_book_l2",
  "tardis_book_snapshot",
  "freqtrade_json",
] as const;
export type RecordingFormat = (typeof RECORDING_FORMATS)[number];

export type RecordingFile = {
  readonly path: string;
  readonly format: RecordingFormat;
  readonly instrument: InstrumentSpec;
};

/** What the loader saw; nothing it left out is left unsaid. */
export type LoadReport = {
  readonly files: readonly {
    readonly path: string;
    readonly sha256: Digest;
    readonly format: RecordingFormat;
    readonly time_unit: "ms" | "us";
    readonly header: boolean;
    readonly compression: "none" | "gzip" | "zip";
    readonly rows_accepted: number;
    /** Bytes after decompression. */
    readonly bytes: number;
    /** `off` without a cache folder; `rebuilt` when the cached copy was damaged. */
    readonly cache: "off" | "hit" | "written" | "rebuilt";
  }[];
  readonly rows_read: number;
  readonly rows_accepted: number;
  readonly rows_rejected: number;
  /** Rows of the feed: fewer than accepted where several make one message of a book. */
  readonly events: number;
  /** 1-based line of the first rejected row, its file and why. */
  readonly first_rejected: {
    readonly path: string;
    readonly line: number;
    readonly problem: string;
  } | null;
  readonly out_of_order: number;
  readonly duplicates: number;
  /** Rows with a gap before them: ids left out (Binance) or a pause beyond `max_time_gap_us`. */
  readonly gaps: number;
  readonly id_gaps: number;
  readonly time_gaps: number;
  /** Received later than `stale_after_us` after the event. */
  readonly stale: number;
  /** Received more than `max_clock_drift_us` before the event: the two clocks disagree. */
  readonly clock_drift: number;
  /** Same trade id, other contents. */
  readonly id_conflicts: number;
  /** Two different text ids with the same 53-bit hash. */
  readonly id_collisions: number;
  /** How often each reason of rejection occurred. */
  readonly rejections: Readonly<Record<string, number>>;
  readonly first_event_time_us: number | null;
  readonly last_event_time_us: number | null;
};

export type NewOrder = {
  readonly client_order_id: ClientOrderId;
  /** Rises with every order of its sender; one that does not rise is a duplicate, however long ago the first was. */
  readonly sequence?: number;
  readonly instrument: number;
  readonly side: "buy" | "sell";
  readonly type: "limit" | "market";
  readonly time_in_force: "gtc" | "ioc" | "fok";
  /** Scaled; 0 for a market order. */
  readonly price: number;
  readonly quantity: number;
  readonly reduce_only: boolean;
  readonly post_only: boolean;
};

export type ExecutionReport = {
  readonly kind:
    | "accepted"
    | "rejected"
    | "partially_filled"
    | "filled"
    | "cancelled"
    | "amended"
    | "cancel_rejected"
    | "amend_rejected";
  readonly client_order_id: ClientOrderId;
  /** Deterministic: same seed, events and orders give the same ids. */
  readonly venue_order_id: string;
  readonly fill_id: string | null;
  readonly instrument: number;
  readonly side: "buy" | "sell";
  /** Of this fill, scaled; 0 where there is none. */
  readonly price: number;
  readonly quantity: number;
  /** Of the order after this report. */
  readonly remaining: number;
  /** Scaled at price_digits + quantity_digits of the instrument, in quote currency; positive is paid. */
  readonly fee: bigint;
  readonly liquidity: "maker" | "taker" | "none";
  /** Coded reason of a rejection, e.g. `M.VENUE.REDUCE_ONLY`. */
  readonly reason_code: string | null;
  readonly event_time_us: number;
};

export type PositionView = {
  readonly instrument: number;
  /** Signed, scaled quantity. */
  readonly quantity: number;
  /** Quote currency at price_digits + quantity_digits. */
  readonly cost: bigint;
  readonly realised_profit: bigint;
  readonly unrealised_profit: bigint;
  /** Quote currency received minus paid, fees included: cash + quantity·last_price = realised + unrealised − fees. */
  readonly cash: bigint;
  readonly fees: bigint;
  readonly last_price: number;
};

export type SimulatedVenueOptions = {
  readonly instruments: readonly InstrumentSpec[];
  /** Parts per million of the notional. */
  readonly maker_fee_ppm: number;
  readonly taker_fee_ppm: number;
  /** Order entry latency: base plus uniform jitter drawn from the seed. */
  readonly latency_us: number;
  readonly latency_jitter_us: number;
  readonly seed: string;
  /** What stands before a new resting order at its price; without it `last_trade_at_price`. */
  readonly queue_ahead?: QueueModel;
};

export type QueueModel =
  /** The quantity of the last trade seen at that price, 0 where none was seen. */
  { readonly kind: "last_trade_at_price" } | { readonly kind: "fixed"; readonly quantity: number };

/** A venue that fills against recorded trades, driven only by event time; deterministic. */
export interface SimulatedVenue {
  submit(order: NewOrder, at_us: number): void;
  cancel(client_order_id: ClientOrderId, at_us: number): void;
  /** `price` and total `quantity`, filled part included. */
  amend(
    client_order_id: ClientOrderId,
    change: { readonly price: number; readonly quantity: number },
    at_us: number,
  ): void;
  /** Cancels, on arrival, every order that arrived before. */
  cancelAll(at_us: number): void;
  /** Moves to row `row` of the feed, whatever its kind, and matches; reports are appended to `out` in the order they happened. */
  onRow(feed: MarketFeed, row: number, out: ExecutionReport[]): void;
  /** Reports due up to `at_us` although no trade came (acknowledgements, cancels). */
  advanceTo(at_us: number, out: ExecutionReport[]): void;
  /** Nothing is under way and nothing rests: until it is told something, no trade brings a report. */
  isQuiet(): boolean;
  openOrders(): readonly {
    readonly client_order_id: ClientOrderId;
    readonly instrument: number;
    readonly side: "buy" | "sell";
    readonly price: number;
    readonly remaining: number;
  }[];
  positions(): readonly PositionView[];
  /** Puts every position's signed, scaled quantity at its instrument's place: what a gate asks for before each verdict. */
  quantities(into: Float64Array): void;
  /** Versioned, checksummed by the caller; `restore` of a `save` continues byte for byte as before. */
  save(): Uint8Array;
  restore(bytes: Uint8Array): void;
}
