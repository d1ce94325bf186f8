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

type Kind<T> = { new (buffer: ArrayBuffer, offset: number, length: number): T; readonly BYTES_PER_ELEMENT: number };
/** How one column of a table is made. */
type Make = <T>(kind: Kind<T>, length: number) => T;
const dense: Make = (Of, length) => new Of(new ArrayBuffer(length * Of.BYTES_PER_ELEMENT), 0, length);

const MIB = 1_048_576;
/**
 * An array that takes memory only where it is written. So large a block comes from the kernel page by page, while a
 * smaller one may be recycled and is wiped, every byte of it; where that costs little it is left as it is.
 */
export function sparse<T>(Of: Kind<T>, length: number): T {
  const bytes = length * Of.BYTES_PER_ELEMENT;
  return new Of(new ArrayBuffer(bytes < MIB ? bytes : Math.max(bytes, 33 * MIB)), 0, length);
}

export function allocateQuotes(length: number, make: Make = dense): QuoteColumns {
  return {
    bid_price: make(Float64Array, length),
    bid_quantity: make(Float64Array, length),
    ask_price: make(Float64Array, length),
    ask_quantity: make(Float64Array, length),
  };
}

export function allocateBars(length: number, make: Make = dense): BarColumns {
  return {
    duration_us: make(Float64Array, length),
    open: make(Float64Array, length),
    high: make(Float64Array, length),
    low: make(Float64Array, length),
  };
}

export function allocateBooks(length: number, levels: number, make: Make = dense): BookColumns {
  return {
    ...allocateQuotes(length, make),
    action: make(Uint8Array, length),
    first_sequence: make(Float64Array, length),
    last_sequence: make(Float64Array, length),
    first_level: make(Float64Array, length),
    bids: make(Uint32Array, length),
    asks: make(Uint32Array, length),
    level_price: make(Float64Array, levels),
    level_quantity: make(Float64Array, levels),
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

/** Rows [from, to) of a table, as views. */
export function sliceTable<T extends Readonly<Record<string, Column>>>(table: T, from: number, to?: number): T {
  return Object.fromEntries(Object.entries(table).map(([name, column]) => [name, column.subarray(from, to)])) as T;
}
