import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Book, markOf } from "./book.ts";
import { BOOK_ACTION } from "./types.ts";

const levels = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 3 })), { maxLength: 6 });

describe("book", () => {
  it("[M-4.1.1] after any snapshots and increments the best levels are those of a plain map", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(BOOK_ACTION.snapshot, BOOK_ACTION.increment), levels, levels), {
          maxLength: 12,
        }),
        (rows) => {
          const book = new Book();
          const plain = { bids: new Map<number, number>(), asks: new Map<number, number>() };
          for (const [action, bids, asks] of rows) {
            book.apply(action, bids, asks);
            if (action === BOOK_ACTION.snapshot) {
              plain.bids.clear();
              plain.asks.clear();
            }
            for (const [price, quantity] of bids) plain.bids.set(price, quantity);
            for (const [price, quantity] of asks) plain.asks.set(price, quantity);
            const best = (side: Map<number, number>, sign: number) =>
              [...side].filter(([, quantity]) => quantity > 0).toSorted((a, b) => sign * (a[0] - b[0]))[0] ?? [0, 0];
            expect([book.bid.price, book.bid.quantity]).toEqual(best(plain.bids, -1));
            expect([book.ask.price, book.ask.quantity]).toEqual(best(plain.asks, 1));
          }
        },
      ),
      { seed: 11, numRuns: 300 },
    );
  });

  it("a market is worth its middle, its only side, or nothing known", () => {
    expect([markOf(100, 103), markOf(100, 0), markOf(0, 103), markOf(0, 0)]).toEqual([101, 100, 103, 0]);
  });
});
