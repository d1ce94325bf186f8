/**
 * The tables beside a feed's rows: quotes, bars, books and their levels; columns that grow and that are joined.
 *
 * How to think: each table is a record of typed arrays of one capacity. The builder grows them by doubling; a finished
 * feed holds exactly what was written.
 */
import { MARKET_KIND, type BarColumns, type BookColumns, type MixedColumns, type QuoteColumns } from "./types.ts";

type Column = Float64Array | Uint32Array | Uint8Array;
export type Tables = Pick<MixedColumns, "quotes" | "bars" | "books">;
/** What is added to a row's `detail` when tables are joined, by MARKET_KIND. */
export type Shift = Readonly<Record<number, number>>;

export function allocateQuotes(length: number): QuoteColumns {
  return {
    bid_price: new Float64Array(length),
    bid_quantity: new Float64Array(length),
    ask_price: new Float64Array(length),
    ask_quantity: new Float64Array(length),
  };
}

export function allocateBars(length: number): BarColumns {
  return {
    duration_us: new Float64Array(length),
    open: new Float64Array(length),
    high: new Float64Array(length),
    low: new Float64Array(length),
  };
}

export function allocateBooks(length: number, levels: number): BookColumns {
  return {
    ...allocateQuotes(length),
    action: new Uint8Array(length),
    first_sequence: new Float64Array(length),
    last_sequence: new Float64Array(length),
    first_level: new Float64Array(length),
    bids: new Uint32Array(length),
    asks: new Uint32Array(length),
    level_price: new Float64Array(levels),
    level_quantity: new Float64Array(levels),
  };
}

export type TableSizes = {
  readonly quotes: number;
  readonly bars: number;
  readonly books: number;
  readonly levels: number;
};

export function allocateMixed(length: number, sizes: TableSizes): MixedColumns {
  return {
    kind: new Uint8Array(length),
    detail: new Uint32Array(length),
    quotes: allocateQuotes(sizes.quotes),
    bars: allocateBars(sizes.bars),
    books: allocateBooks(sizes.books, sizes.levels),
  };
}

/** The parts' tables one after another, and how far each part's rows moved. */
export function joinTables(parts: readonly (Tables | undefined)[]): {
  readonly tables: Tables;
  readonly offsets: readonly (Shift | undefined)[];
} {
  const sizes = { quotes: 0, bars: 0, books: 0, levels: 0 };
  const offsets = parts.map((part) => {
    if (part === undefined) return undefined;
    const shift = {
      [MARKET_KIND.quote]: sizes.quotes,
      [MARKET_KIND.bar]: sizes.bars,
      [MARKET_KIND.book]: sizes.books,
    };
    sizes.quotes += part.quotes.bid_price.length;
    sizes.bars += part.bars.open.length;
    sizes.books += part.books.action.length;
    sizes.levels += part.books.level_price.length;
    return shift;
  });
  const quotes = allocateQuotes(sizes.quotes);
  const bars = allocateBars(sizes.bars);
  const books = allocateBooks(sizes.books, sizes.levels);
  let levels = 0;
  for (const [index, part] of parts.entries()) {
    const shift = offsets[index];
    if (part === undefined || shift === undefined) continue;
    copyTable(part.quotes, quotes, shift[MARKET_KIND.quote] ?? 0);
    copyTable(part.bars, bars, shift[MARKET_KIND.bar] ?? 0);
    const { level_price, level_quantity, ...heads } = part.books;
    const at = shift[MARKET_KIND.book] ?? 0;
    copyTable(heads, books, at);
    for (let row = 0; row < heads.action.length; row += 1)
      books.first_level[at + row] = levels + (heads.first_level[row] ?? 0);
    books.level_price.set(level_price, levels);
    books.level_quantity.set(level_quantity, levels);
    levels += level_price.length;
  }
  return { tables: { quotes, bars, books }, offsets };
}

/** Copies every column of `from` into the column of the same name, at `offset`. */
export function copyTable<T extends Readonly<Record<string, Column>>>(from: T, to: T, offset: number): void {
  for (const name of Object.keys(from)) to[name]?.set(from[name] ?? [], offset);
}

/** The first `length` rows of a table, as views. */
export function sliceTable<T extends Readonly<Record<string, Column>>>(table: T, length: number): T {
  return Object.fromEntries(Object.entries(table).map(([name, column]) => [name, column.subarray(0, length)])) as T;
}
