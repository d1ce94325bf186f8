/**
 * The book of one instrument, as far as recordings and live feeds tell it: levels per side, the best of each.
 *
 * How to think: a sorted list per side whose best level is the last one, because most changes happen there.
 * It answers what every book row of a feed carries: best bid and ask after the row.
 *
 * Invariant: after any updates the best levels are those of a plain map of price to quantity (book.test.ts).
 */
import { BOOK_ACTION, MARKET_KIND, type MixedColumns } from "./types.ts";

/** Levels of one row: `[price, quantity]`, scaled; quantity 0 removes. */
export type BookLevels = readonly (readonly [price: number, quantity: number])[];

export class Book {
  readonly #bids = new BookSide(1);
  readonly #asks = new BookSide(-1);

  apply(action: number, bids: BookLevels, asks: BookLevels): void {
    if (action === BOOK_ACTION.snapshot) {
      this.#bids.clear();
      this.#asks.clear();
    }
    for (const [price, quantity] of bids) this.#bids.set(price, quantity);
    for (const [price, quantity] of asks) this.#asks.set(price, quantity);
  }

  /** All of it, best first. */
  levels(): { readonly bids: BookLevels; readonly asks: BookLevels } {
    return { bids: this.#bids.levels(), asks: this.#asks.levels() };
  }

  /** Best of a side: price and quantity, 0 and 0 when it is empty. */
  get bid(): { readonly price: number; readonly quantity: number } {
    return this.#bids.best();
  }
  get ask(): { readonly price: number; readonly quantity: number } {
    return this.#asks.best();
  }
}

class BookSide {
  /** Ascending in sign × price, so that the best is the last. */
  readonly #keys: number[] = [];
  readonly #quantities: number[] = [];
  readonly #sign: 1 | -1;

  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }

  clear(): void {
    this.#keys.length = 0;
    this.#quantities.length = 0;
  }

  set(price: number, quantity: number): void {
    const key = this.#sign * price;
    const at = this.#place(key);
    const known = this.#keys[at] === key;
    if (quantity === 0) {
      if (!known) return;
      this.#keys.splice(at, 1);
      this.#quantities.splice(at, 1);
    } else if (known) this.#quantities[at] = quantity;
    else {
      this.#keys.splice(at, 0, key);
      this.#quantities.splice(at, 0, quantity);
    }
  }

  best(): { readonly price: number; readonly quantity: number } {
    const at = this.#keys.length - 1;
    return { price: Math.abs(this.#keys[at] ?? 0), quantity: this.#quantities[at] ?? 0 };
  }

  levels(): BookLevels {
    return this.#keys.map((key, at) => [Math.abs(key), this.#quantities[at] ?? 0] as const).toReversed();
  }

  /** First place whose key is not below `key`. */
  #place(key: number): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? 0) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Whether a row is a whole book. */
export function isBookSnapshot(mixed: MixedColumns | undefined, row: number): boolean {
  if (mixed === undefined || mixed.kind[row] !== MARKET_KIND.book) return false;
  return mixed.books.action[mixed.detail[row] ?? 0] === BOOK_ACTION.snapshot;
}

/** What a market with these best prices is worth: the middle rounded down, the one side there is, or 0. */
export function markOf(bid_price: number, ask_price: number): number {
  if (bid_price === 0 || ask_price === 0) return bid_price + ask_price;
  return Math.floor(bid_price / 2 + ask_price / 2);
}
