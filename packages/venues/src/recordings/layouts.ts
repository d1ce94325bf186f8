/**
 * The layouts of recordings that are known, as rows of columns; docs/recordings.md shows them.
 *
 * How to think: a column says how its text is read and in which slot of the row's values the number goes. What the slots
 * mean is decided by the layout's kind, so that one parser, one checker and one report serve every layout.
 */
import type { RecordingFormat } from "../types.ts";

export type KnownFormat = Exclude<RecordingFormat, "auto">;
export type LayoutKind = "trade" | "quote" | "bar" | "book_increments" | "book_snapshot";

/** Places in a row's values. From `a` on they belong to the kind. */
export const SLOT = {
  /** Microseconds. */
  time: 0,
  /** Microseconds; the time where the layout has one clock. */
  received: 1,
  id: 2,
  /** Second hash of a text id, 0 for a number: tells a collision from a duplicate. */
  id_check: 3,
  /** Trade: aggressor (0 unknown, 1 buyer, 2 seller). Book: side (1 bid, 2 ask). */
  side: 4,
  /** Trade, book: price. Quote: bid price. Bar: close. Snapshot: first of its numbers, ask and bid per level. */
  a: 5,
  /** Trade, book: quantity. Quote: ask price. Bar: volume. */
  b: 6,
  /** Quote: bid quantity. Bar: open. Book: 1 in a snapshot. */
  c: 7,
  /** Quote: ask quantity. Bar: high. */
  d: 8,
  /** Bar: low. */
  e: 9,
  /** Bar: number of trades. */
  f: 10,
  /** Bar: duration; while it is read, its closing time. */
  g: 11,
} as const;
export const SNAPSHOT_LEVELS_MAX = 25;
export const ROW_SLOTS: number = SLOT.a + SNAPSHOT_LEVELS_MAX * 4 + 3;

export type Role =
  | "id"
  | "time"
  | "received"
  /** A time, held in the column's slot. */
  | "other_time"
  | "price"
  | "quantity"
  /** A sum of quantities: what is finer than the instrument's digits is cut off, because sums carry noise. */
  | "volume"
  | "count"
  | "side"
  | "book_side"
  | "boolean"
  | "name"
  /** True when the buyer was the maker, so that the seller was the aggressor. */
  | "buyer_is_maker"
  /** Checked for its form, then left out. */
  | "unused_integer"
  | "unused_decimal"
  | "unused_boolean";

export type Column = {
  readonly role: Role;
  readonly slot: number;
  /** For messages. */
  readonly label: string;
  /** Of a number: whether 0 is a value, and nothing at all is 0. */
  readonly zero: "refused" | "allowed" | "or_empty";
};

export type Layout = {
  readonly format: KnownFormat;
  readonly variant: string;
  readonly kind: LayoutKind;
  readonly columns: readonly Column[];
  /** Whether ids rise by one, so that a missing id is a missing row. */
  readonly consecutive_ids: boolean;
  /** How a duplicate is known: by its id, by a row that repeats the one before, or not at all. */
  readonly duplicates: "by_id" | "repeated_row" | "none";
  /** Tardis says microseconds; the others are told apart by the size of their first time. */
  readonly time_unit: "us" | "by_size";
  /** The header's names in lower case letters and digits, joined by commas. */
  readonly header: RegExp;
};

const column = (role: Role, slot = 0, label: string = role, zero: Column["zero"] = "refused"): Column => ({
  role,
  slot,
  label,
  zero,
});
const ID = column("id", SLOT.id);
const TIME = column("time", SLOT.time);
const PRICE = column("price", SLOT.a);
const QUANTITY = column("quantity", SLOT.b);
const BUYER_IS_MAKER = column("buyer_is_maker", SLOT.side);
const NAME = column("name");
const INTEGER = column("unused_integer");
const DECIMAL = column("unused_decimal");
const BOOLEAN = column("unused_boolean");
const TARDIS = [NAME, NAME, TIME, column("received", SLOT.received, "local time")] as const;
const CANDLE = [
  column("time", SLOT.time, "open time"),
  column("price", SLOT.c, "open"),
  column("price", SLOT.d, "high"),
  column("price", SLOT.e, "low"),
  column("price", SLOT.a, "close"),
  column("volume", SLOT.b, "volume", "allowed"),
] as const;

const AGGREGATE = [ID, PRICE, QUANTITY, INTEGER, INTEGER, TIME, BUYER_IS_MAKER] as const;
const SINGLE = [ID, PRICE, QUANTITY, DECIMAL, TIME, BUYER_IS_MAKER] as const;
const trades = {
  kind: "trade",
  duplicates: "by_id",
  consecutive_ids: true,
  time_unit: "by_size",
  header: /^(id|a|tradeid|aggtradeid|aggregatetradeid),price,(quantity|qty)(,[a-z0-9]*){3,5}$/,
} as const;
const tardis = { consecutive_ids: false, time_unit: "us" } as const;
const TARDIS_HEADER = "exchange,symbol,timestamp,localtimestamp";

function snapshot(levels: number): Layout {
  const columns: Column[] = [...TARDIS];
  const names: string[] = [];
  for (let level = 0; level < levels; level += 1) {
    const at = SLOT.a + level * 4;
    columns.push(
      column("price", at, `ask ${level} price`, "or_empty"),
      column("quantity", at + 1, `ask ${level} amount`, "or_empty"),
      column("price", at + 2, `bid ${level} price`, "or_empty"),
      column("quantity", at + 3, `bid ${level} amount`, "or_empty"),
    );
    names.push(`asks${level}price,asks${level}amount,bids${level}price,bids${level}amount`);
  }
  return {
    ...tardis,
    format: "tardis_book_snapshot",
    variant: `${levels} levels`,
    kind: "book_snapshot",
    duplicates: "repeated_row",
    columns,
    header: new RegExp(`^${TARDIS_HEADER},${names.join(",")}$`),
  };
}

export const LAYOUTS: readonly Layout[] = [
  { ...trades, format: "binance_agg_trades", variant: "spot", columns: [...AGGREGATE, BOOLEAN] },
  { ...trades, format: "binance_agg_trades", variant: "futures", columns: AGGREGATE },
  { ...trades, format: "binance_trades", variant: "spot", columns: [...SINGLE, BOOLEAN] },
  { ...trades, format: "binance_trades", variant: "futures", columns: SINGLE },
  {
    ...tardis,
    format: "tardis_trades",
    variant: "trades",
    kind: "trade",
    duplicates: "by_id",
    columns: [...TARDIS, ID, column("side", SLOT.side), PRICE, QUANTITY],
    header: new RegExp(`^${TARDIS_HEADER},id,side,price,amount$`),
  },
  {
    ...tardis,
    format: "tardis_quotes",
    variant: "quotes",
    kind: "quote",
    duplicates: "repeated_row",
    columns: [
      ...TARDIS,
      column("quantity", SLOT.d, "ask amount", "or_empty"),
      column("price", SLOT.b, "ask price", "or_empty"),
      column("price", SLOT.a, "bid price", "or_empty"),
      column("quantity", SLOT.c, "bid amount", "or_empty"),
    ],
    header: new RegExp(`^${TARDIS_HEADER},askamount,askprice,bidprice,bidamount$`),
  },
  {
    ...tardis,
    format: "tardis_incremental_book_l2",
    variant: "book",
    kind: "book_increments",
    duplicates: "none",
    columns: [
      ...TARDIS,
      column("boolean", SLOT.c),
      column("book_side", SLOT.side),
      PRICE,
      column("quantity", SLOT.b, "amount", "allowed"),
    ],
    header: new RegExp(`^${TARDIS_HEADER},issnapshot,side,price,amount$`),
  },
  snapshot(5),
  snapshot(SNAPSHOT_LEVELS_MAX),
  {
    format: "binance_book_ticker",
    variant: "book ticker",
    kind: "quote",
    duplicates: "by_id",
    consecutive_ids: false,
    time_unit: "by_size",
    columns: [
      ID,
      column("price", SLOT.a, "bid price", "allowed"),
      column("quantity", SLOT.c, "bid quantity", "allowed"),
      column("price", SLOT.b, "ask price", "allowed"),
      column("quantity", SLOT.d, "ask quantity", "allowed"),
      TIME,
      column("received", SLOT.received, "event time"),
    ],
    header: /^updateid,bestbidprice,bestbidqty,bestaskprice,bestaskqty,transactiontime,eventtime$/,
  },
  {
    format: "binance_klines",
    variant: "klines",
    kind: "bar",
    duplicates: "by_id",
    consecutive_ids: true,
    time_unit: "by_size",
    columns: [
      ...CANDLE,
      column("other_time", SLOT.g, "close time"),
      DECIMAL,
      column("count", SLOT.f, "number of trades"),
      DECIMAL,
      DECIMAL,
      DECIMAL,
    ],
    header: /^opentime,open,high,low,close,volume,closetime(,[a-z0-9]*){5}$/,
  },
  {
    format: "freqtrade_json",
    variant: "candles",
    kind: "bar",
    duplicates: "by_id",
    consecutive_ids: true,
    time_unit: "by_size",
    columns: CANDLE,
    header: /^never$/,
  },
];

/** For messages. */
export const KNOWN_LAYOUTS =
  "binance_agg_trades (8 or 7 columns), binance_trades (7 or 6), tardis_trades (8), binance_klines (12), " +
  "binance_book_ticker (7), tardis_quotes (8), tardis_incremental_book_l2 (8), tardis_book_snapshot (24 or 104), " +
  "freqtrade_json (a list of lists of 6)";

/** Whether a first line that holds no data is the column header of one of these layouts. */
export function isKnownHeader(line: string, layouts: readonly Layout[]): boolean {
  const names = line.split(",").map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, ""));
  return layouts.some((layout) => layout.header.test(names.join(",")));
}
