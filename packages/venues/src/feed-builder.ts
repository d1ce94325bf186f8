/**
 * A feed that grows, row by row: what loaders fill, and what a live market appends to.
 *
 * How to think: `feed` is one object for ever; its `length` rises and its columns are replaced by larger ones when they
 * are full, so whoever reads a growing feed takes the columns from it anew for every slice of rows. `mixed` appears with
 * the first row that is no trade. Rows are appended in the order in which they are to be delivered.
 *
 * A feed may begin late (`first_row`) and leave its past behind (`forget`): rows keep their numbers, and what lies before
 * is memory that nobody touches, so that a feed which lives for months holds a window and not its history.
 *
 * Invariants
 * - What was appended is what `finish` hands out, for every kind (feed-builder.test.ts).
 * - Whatever is forgotten, the rows that are kept read as before, details and levels included (feed-builder.test.ts).
 * - A book row carries the best bid and ask of a book that this builder keeps per instrument (feed-builder.test.ts).
 */
import { Book, markOf, type BookLevels } from "./book.ts";
import { allocateColumns, allocateSparse, copyColumns, sliceColumns } from "./columns.ts";
import { allocateBars, allocateBooks, allocateQuotes, copyTable, sliceTable, sparse } from "./tables.ts";
import { BOOK_ACTION, MARKET_KIND, type MarketFeed, type MixedColumns, type TradeColumns } from "./types.ts";

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/** What every kind of row says. `flags`: quality bits. */
export type RowHead = {
  readonly instrument: number;
  readonly event_time_us: number;
  readonly received_time_us: number;
  readonly flags: number;
};
export type TradeRow = RowHead & {
  readonly price: number;
  readonly quantity: number;
  readonly aggressor: number;
  readonly trade_id: number;
};
export type QuoteRow = RowHead & {
  readonly bid_price: number;
  readonly bid_quantity: number;
  readonly ask_price: number;
  readonly ask_quantity: number;
};
/** `event_time_us` is the bar's end. */
export type BarRow = RowHead & {
  readonly duration_us: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly trades: number;
};
/** Levels best first; sequences 0 where the source has none. */
export type BookRow = RowHead & {
  readonly action: keyof typeof BOOK_ACTION;
  readonly first_sequence: number;
  readonly last_sequence: number;
  readonly bids: BookLevels;
  readonly asks: BookLevels;
};

/** A row of any kind, as a feed tells it. */
export type FeedRow =
  | ({ readonly kind: "trade" } & TradeRow)
  | ({ readonly kind: "quote" } & QuoteRow)
  | ({ readonly kind: "bar" } & BarRow)
  | ({ readonly kind: "book" } & BookRow);

const FIRST_TABLE_ROWS = 256;
/** Every growth of a feed that forgets is garbage of the size of its past, though most of it was never touched. */
const SPARSE_GROWTH = 6;

export class FeedBuilder {
  /** Live: its length rises with every row. */
  readonly feed: Mutable<TradeColumns> & { mixed?: Mutable<MixedColumns>; kept_from: number };
  #capacity: number;
  /** Rows before it are not copied when the columns grow. */
  #kept: number;
  readonly #rowsLeast: number;
  readonly #books: Map<number, Book>;
  readonly #used = { quotes: 0, bars: 0, books: 0, levels: 0 };

  /**
   * `capacity`: rows that the feed has room for at first, and by which it grows at least. `after`: the builder of the
   * rows before, whose books go on here. `first_row`: the number of the first row that will be appended.
   */
  constructor(capacity: number, { after, first_row = 0 }: { after?: FeedBuilder; first_row?: number } = {}) {
    this.#books = after === undefined ? new Map() : after.#books;
    this.#rowsLeast = Math.max(16, capacity);
    this.#capacity = first_row + this.#rowsLeast;
    this.#kept = first_row;
    const columns = first_row === 0 ? allocateColumns(this.#capacity) : allocateSparse(this.#capacity);
    this.feed = { ...columns, length: first_row, kept_from: first_row };
  }

  get length(): number {
    return this.feed.length;
  }

  /** Rows before this one are not read any more: the next growth leaves them behind. */
  forget(row: number): void {
    const kept = Math.min(row, this.feed.length);
    if (kept <= this.#kept) return;
    this.#kept = kept;
    this.feed.kept_from = kept;
  }

  add(row: FeedRow): void {
    switch (row.kind) {
      case "trade":
        return this.trade(row);
      case "quote":
        return this.quote(row);
      case "bar":
        return this.bar(row);
      case "book":
        return this.book(row);
    }
  }

  /** The books as they stand: what a feed that begins here must know of the rows before. */
  *books(): Iterable<{ readonly instrument: number; readonly bids: BookLevels; readonly asks: BookLevels }> {
    for (const [instrument, book] of this.#books) yield { instrument, ...book.levels() };
  }

  /** Levels of a book before the first row. */
  carry(instrument: number, action: number, bids: BookLevels, asks: BookLevels): void {
    this.#bookOf(instrument).apply(action, bids, asks);
  }

  /** Makes room for one more trade and returns its row; the caller writes every trade column of `feed`. */
  next(): number {
    const row = this.feed.length;
    if (row === this.#capacity) this.#grow();
    const { mixed } = this.feed;
    if (mixed !== undefined) mixed.kind[row] = MARKET_KIND.trade;
    this.feed.length = row + 1;
    return row;
  }

  trade(row: TradeRow): void {
    const at = this.next();
    this.#head(at, row, row.price, row.quantity, row.trade_id);
    this.feed.aggressor[at] = row.aggressor;
  }

  quote(row: QuoteRow): void {
    const mixed = this.#mixed();
    const detail = this.#used.quotes++;
    if (detail === mixed.quotes.bid_price.length) {
      const from = this.#firstDetail(MARKET_KIND.quote, detail);
      mixed.quotes = grown(mixed.quotes, allocateQuotes(roomAfter(from, detail), sparse), from);
    }
    const { quotes } = mixed;
    quotes.bid_price[detail] = row.bid_price;
    quotes.bid_quantity[detail] = row.bid_quantity;
    quotes.ask_price[detail] = row.ask_price;
    quotes.ask_quantity[detail] = row.ask_quantity;
    this.#append(MARKET_KIND.quote, detail, row, markOf(row.bid_price, row.ask_price), 0, 0);
  }

  bar(row: BarRow): void {
    const mixed = this.#mixed();
    const detail = this.#used.bars++;
    if (detail === mixed.bars.open.length) {
      const from = this.#firstDetail(MARKET_KIND.bar, detail);
      mixed.bars = grown(mixed.bars, allocateBars(roomAfter(from, detail), sparse), from);
    }
    const { bars } = mixed;
    bars.duration_us[detail] = row.duration_us;
    bars.open[detail] = row.open;
    bars.high[detail] = row.high;
    bars.low[detail] = row.low;
    this.#append(MARKET_KIND.bar, detail, row, row.close, row.volume, row.trades);
  }

  book(row: BookRow): void {
    const mixed = this.#mixed();
    const detail = this.#used.books++;
    const first = this.#used.levels;
    const levels = row.bids.length + row.asks.length;
    this.#used.levels += levels;
    if (detail === mixed.books.action.length || this.#used.levels > mixed.books.level_price.length)
      mixed.books = this.#roomierBooks(mixed.books, detail);
    const { books } = mixed;
    const action = BOOK_ACTION[row.action];
    const book = this.#bookOf(row.instrument);
    book.apply(action, row.bids, row.asks);
    const { bid, ask } = book;
    books.bid_price[detail] = bid.price;
    books.bid_quantity[detail] = bid.quantity;
    books.ask_price[detail] = ask.price;
    books.ask_quantity[detail] = ask.quantity;
    books.action[detail] = action;
    books.first_sequence[detail] = row.first_sequence;
    books.last_sequence[detail] = row.last_sequence;
    books.first_level[detail] = first;
    books.bids[detail] = row.bids.length;
    books.asks[detail] = row.asks.length;
    let at = first;
    for (const side of [row.bids, row.asks])
      for (const [price, quantity] of side) {
        books.level_price[at] = price;
        books.level_quantity[at] = quantity;
        at += 1;
      }
    this.#append(MARKET_KIND.book, detail, row, markOf(bid.price, ask.price), 0, 0);
  }

  /** Exactly the rows written, as a feed of its own; the builder is not to be used afterwards. Nothing was forgotten. */
  finish(): MarketFeed {
    const { mixed, ...rows } = this.feed;
    if (mixed === undefined) return sliceColumns(rows, 0, rows.length);
    const { quotes, bars, books: all } = mixed;
    const used = this.#used;
    const { level_price, level_quantity, ...heads } = all;
    const books = {
      ...sliceTable(heads, 0, used.books),
      ...sliceTable({ level_price, level_quantity }, 0, used.levels),
    };
    const tables = { quotes: sliceTable(quotes, 0, used.quotes), bars: sliceTable(bars, 0, used.bars), books };
    return sliceColumns({ ...rows, mixed: { ...mixed, ...tables } }, 0, rows.length);
  }

  /** Room for the book row `detail` and all levels that are used by now. */
  #roomierBooks(
    { level_price, level_quantity, ...heads }: MixedColumns["books"],
    detail: number,
  ): MixedColumns["books"] {
    const { levels } = this.#used;
    const from = this.#firstDetail(MARKET_KIND.book, detail);
    const fromLevel = from < detail ? (heads.first_level[from] ?? 0) : Math.min(levels, level_price.length);
    const larger = allocateBooks(
      detail === heads.action.length ? roomAfter(from, detail) : heads.action.length,
      levels > level_price.length ? roomAfter(fromLevel, levels) : level_price.length,
      sparse,
    );
    copyTable(sliceTable(heads, from, detail), larger, from);
    const told = sliceTable({ level_price, level_quantity }, fromLevel, level_price.length);
    copyTable(told, larger, fromLevel);
    return larger;
  }

  /** The first row of a kind's table that a kept row refers to; `used` when none does. */
  #firstDetail(kind: number, used: number): number {
    const { mixed, length } = this.feed;
    if (mixed === undefined || this.#kept === 0) return 0;
    for (let row = this.#kept; row < length; row += 1) if (mixed.kind[row] === kind) return mixed.detail[row] ?? 0;
    return used;
  }

  #append(kind: number, detail: number, head: RowHead, price: number, quantity: number, trades: number): void {
    const at = this.next();
    const mixed = this.#mixed();
    mixed.kind[at] = kind;
    mixed.detail[at] = detail;
    this.#head(at, head, price, quantity, trades);
    this.feed.aggressor[at] = 0;
  }

  #head(at: number, head: RowHead, price: number, quantity: number, id: number): void {
    const { feed } = this;
    feed.instrument[at] = head.instrument;
    feed.event_time_us[at] = head.event_time_us;
    feed.received_time_us[at] = head.received_time_us;
    feed.flags[at] = head.flags;
    feed.price[at] = price;
    feed.quantity[at] = quantity;
    feed.trade_id[at] = id;
  }

  #mixed(): Mutable<MixedColumns> {
    return (this.feed.mixed ??= {
      kind: sparse(Uint8Array, this.#capacity).fill(MARKET_KIND.trade, this.#kept, this.feed.length),
      detail: sparse(Uint32Array, this.#capacity),
      quotes: allocateQuotes(FIRST_TABLE_ROWS),
      bars: allocateBars(FIRST_TABLE_ROWS),
      books: allocateBooks(FIRST_TABLE_ROWS, FIRST_TABLE_ROWS),
    });
  }

  #bookOf(instrument: number): Book {
    const known = this.#books.get(instrument) ?? new Book();
    this.#books.set(instrument, known);
    return known;
  }

  #grow(): void {
    const { feed } = this;
    const from = this.#kept;
    this.#capacity = roomAfter(from, feed.length, this.#rowsLeast);
    const larger = from === 0 ? allocateColumns(this.#capacity) : allocateSparse(this.#capacity);
    copyColumns(from === 0 ? feed : sliceColumns(feed, from, feed.length), larger, from);
    Object.assign(feed, { ...larger, length: feed.length });
    if (feed.mixed === undefined) return;
    const kind = sparse(Uint8Array, this.#capacity);
    const detail = sparse(Uint32Array, this.#capacity);
    kind.set(feed.mixed.kind.subarray(from), from);
    detail.set(feed.mixed.detail.subarray(from), from);
    feed.mixed.kind = kind;
    feed.mixed.detail = detail;
  }
}

/** Capacity for `used` rows and as many again; where the first ones were left behind, several times what is kept. */
function roomAfter(from: number, used: number, least = FIRST_TABLE_ROWS): number {
  return used + Math.max(least, (used - from) * (from === 0 ? 1 : SPARSE_GROWTH));
}

function grown<T extends Readonly<Record<string, Float64Array | Uint32Array | Uint8Array>>>(
  of: T,
  to: T,
  from: number,
): T {
  copyTable(sliceTable(of, from), to, from);
  return to;
}
