/**
 * One row of a tape, format 2: any kind that a feed knows, and books carried over from before a segment (no rows).
 *
 * How to think: a row is a multiple of eight bytes and says its own length. Checks are the group's (group.ts): a row that
 * is read here belongs to a group whose checksum holds, so what is wrong with it was written so.
 *
 * Layout: docs/formats/tape.md; golden vector docs/formats/tape.v2.json (tape.test.ts).
 */
import { ABI_LIMITS } from "@rumi/abi";
import { invariant } from "@rumi/kernel";
import { BOOK_ACTION, MARKET_KIND, type BookLevels, type FeedRow } from "@rumi/venues";

const HEAD = 32;
const BOOK_HEAD = 64;
const LEVEL = 16;
/** A book as it stood before the segment's first row. */
export const CARRIED_BOOK = 5;
const BYTES = { trade: 64, quote: 64, bar: 88 } as const;
export const ROW_BYTES_MAX = BOOK_HEAD + LEVEL * ABI_LIMITS.book_levels;

export type CarriedBook = {
  readonly kind: "carried_book";
  readonly instrument: number;
  readonly action: keyof typeof BOOK_ACTION;
  readonly bids: BookLevels;
  readonly asks: BookLevels;
};
export type TapedRow = { readonly bytes: number } & (
  | { readonly row: FeedRow; readonly seq: number }
  | { readonly row: CarriedBook }
);

export function rowBytes(row: FeedRow | CarriedBook): number {
  if (row.kind !== "book" && row.kind !== "carried_book") return BYTES[row.kind];
  const levels = row.bids.length + row.asks.length;
  invariant(levels <= ABI_LIMITS.book_levels, "a book row has as many levels as a frame at most");
  return BOOK_HEAD + LEVEL * levels;
}

/** `seq`: the venue's own count of the row. */
export function writeRow(to: DataView, at: number, row: FeedRow | CarriedBook, seq: number): void {
  to.setUint32(at, rowBytes(row), true);
  to.setUint16(at + 6, row.instrument, true);
  if (row.kind === "carried_book") {
    to.setUint16(at + 4, CARRIED_BOOK, true);
    for (let word = at + 8; word < at + BOOK_HEAD; word += 8) to.setFloat64(word, 0, true);
    return writeLevels(to, at, row);
  }
  to.setUint16(at + 4, MARKET_KIND[row.kind] | (row.flags << 8), true);
  writeNumbers(to, at + 8, row.event_time_us, row.received_time_us, seq);
  const body = at + HEAD;
  switch (row.kind) {
    case "trade":
      writeNumbers(to, body, row.price, row.quantity, row.trade_id);
      to.setUint32(at + 56, row.aggressor, true);
      return to.setUint32(at + 60, 0, true);
    case "quote":
      writeNumbers(to, body, row.bid_price, row.bid_quantity, row.ask_price);
      return to.setFloat64(body + 24, row.ask_quantity, true);
    case "bar":
      writeNumbers(to, body, row.duration_us, row.open, row.high);
      writeNumbers(to, body + 24, row.low, row.close, row.volume);
      return to.setFloat64(body + 48, row.trades, true);
    case "book":
      to.setFloat64(body, row.first_sequence, true);
      to.setFloat64(body + 8, row.last_sequence, true);
      return writeLevels(to, at, row);
  }
}

function writeLevels(to: DataView, at: number, { action, bids, asks }: Omit<CarriedBook, "kind">): void {
  to.setUint32(at + 48, bids.length, true);
  to.setUint32(at + 52, asks.length, true);
  to.setUint32(at + 56, BOOK_ACTION[action], true);
  to.setUint32(at + 60, 0, true);
  let level = at + BOOK_HEAD;
  for (const side of [bids, asks])
    for (const [price, quantity] of side) {
      to.setFloat64(level, price, true);
      to.setFloat64(level + 8, quantity, true);
      level += LEVEL;
    }
}

/** The row at `at`, or why it is none of this format. `end`: where its group ends. */
export function readRow(from: DataView, at: number, end: number): TapedRow | string {
  if (at + HEAD > end) return "a row is cut";
  const bytes = from.getUint32(at, true);
  if (bytes < HEAD || bytes % 8 !== 0 || at + bytes > end) return "a row's length is wrong";
  const kind = from.getUint8(at + 4);
  const head = {
    flags: from.getUint8(at + 5),
    instrument: from.getUint16(at + 6, true),
    event_time_us: from.getFloat64(at + 8, true),
    received_time_us: from.getFloat64(at + 16, true),
  };
  const seq = from.getFloat64(at + 24, true);
  const number = (index: number): number => from.getFloat64(at + HEAD + 8 * index, true);
  switch (kind) {
    case MARKET_KIND.trade: {
      if (bytes !== BYTES.trade) break;
      const aggressor = from.getUint32(at + 56, true);
      const row = { price: number(0), quantity: number(1), trade_id: number(2), aggressor };
      return { bytes, seq, row: { kind: "trade", ...head, ...row } };
    }
    case MARKET_KIND.quote: {
      if (bytes !== BYTES.quote) break;
      const bid = { bid_price: number(0), bid_quantity: number(1) };
      return { bytes, seq, row: { kind: "quote", ...head, ...bid, ask_price: number(2), ask_quantity: number(3) } };
    }
    case MARKET_KIND.bar: {
      if (bytes !== BYTES.bar) break;
      const [duration_us, open, high, low] = [number(0), number(1), number(2), number(3)];
      const prices = { duration_us, open, high, low, close: number(4) };
      return { bytes, seq, row: { kind: "bar", ...head, ...prices, volume: number(5), trades: number(6) } };
    }
    case MARKET_KIND.book:
    case CARRIED_BOOK: {
      const book = readLevels(from, at, bytes);
      if (book === undefined) break;
      if (kind === CARRIED_BOOK) return { bytes, row: { kind: "carried_book", instrument: head.instrument, ...book } };
      const sequences = { first_sequence: number(0), last_sequence: number(1) };
      return { bytes, seq, row: { kind: "book", ...head, ...sequences, ...book } };
    }
    default:
      return `a row is of kind ${kind}, which this version does not know`;
  }
  return "a row's length is wrong for its kind";
}

function readLevels(
  from: DataView,
  at: number,
  bytes: number,
): Pick<CarriedBook, "action" | "bids" | "asks"> | undefined {
  if (bytes < BOOK_HEAD) return undefined;
  const bids = from.getUint32(at + 48, true);
  const asks = from.getUint32(at + 52, true);
  const action = from.getUint32(at + 56, true);
  if (bytes !== BOOK_HEAD + LEVEL * (bids + asks)) return undefined;
  const level = (index: number): readonly [number, number] => {
    const place = at + BOOK_HEAD + LEVEL * index;
    return [from.getFloat64(place, true), from.getFloat64(place + 8, true)];
  };
  return {
    action: action === BOOK_ACTION.snapshot ? "snapshot" : "increment",
    bids: Array.from({ length: bids }, (_, index) => level(index)),
    asks: Array.from({ length: asks }, (_, index) => level(bids + index)),
  };
}

function writeNumbers(to: DataView, at: number, first: number, second: number, third: number): void {
  to.setFloat64(at, first, true);
  to.setFloat64(at + 8, second, true);
  to.setFloat64(at + 16, third, true);
}
