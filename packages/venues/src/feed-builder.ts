/**
 * A feed that grows, row by row: what loaders fill, and what a live market appends to.
 *
 * How to think: `feed` is one object for ever; its `length` rises and its columns are replaced by larger ones when they
 * are full, so whoever reads a growing feed takes the columns from it anew for every slice of rows. `mixed` appears with
 * the first row that is no trade. Rows are appended in the order in which they are to be delivered.
 *
 * Invariants
 * - What was appended is what `finish` hands out, for every kind (feed-builder.test.ts).
 * - A book row carries the best bid and ask of a book that this builder keeps per instrument (feed-builder.test.ts).
 */
import { Book, markOf, type BookLevels } from "./book.ts";
import { allocateColumns, copyColumns, sliceColumns } from "./columns.ts";
import { allocateBars, allocateBooks, allocateQuotes, copyTable, sliceTable } from "./tables.ts";
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

const FIRST_TABLE_ROWS = 256;

export class FeedBuilder {
  /** Live: its length rises with every row. */
  readonly feed: Mutable<TradeColumns> & { mixed?: Mutable<MixedColumns> };
  #capacity: number;
  readonly #books: Map<number, Book>;
  readonly #used = { quotes: 0, bars: 0, books: 0, levels: 0 };

  /** `after`: the builder of the rows before, whose books go on here. */
  constructor(capacity: number, after?: FeedBuilder) {
    this.#books = after === undefined ? new Map() : after.#books;
    this.#capacity = Math.max(16, capacity);
    this.feed = { ...allocateColumns(this.#capacity), length: 0 };
  }

  get length(): number {
    return this.feed.length;
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
    if (detail === mixed.quotes.bid_price.length) mixed.quotes = grown(mixed.quotes, allocateQuotes(detail * 2));
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
    if (detail === mixed.bars.open.length) mixed.bars = grown(mixed.bars, allocateBars(detail * 2));
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
    const roomy = { books: mixed.books.action.length, levels: mixed.books.level_price.length };
    if (detail === roomy.books || this.#used.levels > roomy.levels)
      mixed.books = grown(
        mixed.books,
        allocateBooks(
          detail === roomy.books ? detail * 2 : roomy.books,
          this.#used.levels > roomy.levels ? this.#used.levels * 2 : roomy.levels,
        ),
      );
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

  /** Exactly the rows written, as a feed of its own; the builder is not to be used afterwards. */
  finish(): MarketFeed {
    const { mixed, ...rows } = this.feed;
    if (mixed === undefined) return sliceColumns(rows, 0, rows.length);
    const { quotes, bars, books: all } = mixed;
    const used = this.#used;
    const { level_price, level_quantity, ...heads } = all;
    const books = { ...sliceTable(heads, used.books), ...sliceTable({ level_price, level_quantity }, used.levels) };
    const tables = { quotes: sliceTable(quotes, used.quotes), bars: sliceTable(bars, used.bars), books };
    return sliceColumns({ ...rows, mixed: { ...mixed, ...tables } }, 0, rows.length);
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
      kind: new Uint8Array(this.#capacity).fill(MARKET_KIND.trade),
      detail: new Uint32Array(this.#capacity),
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
    this.#capacity *= 2;
    const { feed } = this;
    const larger = allocateColumns(this.#capacity);
    copyColumns(feed, larger, 0);
    Object.assign(feed, { ...larger, length: feed.length });
    if (feed.mixed === undefined) return;
    const kind = new Uint8Array(this.#capacity);
    const detail = new Uint32Array(this.#capacity);
    kind.set(feed.mixed.kind);
    detail.set(feed.mixed.detail);
    feed.mixed.kind = kind;
    feed.mixed.detail = detail;
  }
}

function grown<T extends Readonly<Record<string, Float64Array | Uint32Array | Uint8Array>>>(from: T, to: T): T {
  copyTable(from, to, 0);
  return to;
}
