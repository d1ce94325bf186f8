/** Counting in doubles and in whole numbers of any size comes to the same, up to the last amount that a double holds. */
import type { InstrumentSpec } from "@rumi/abi";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Book, exactGross, exceedsCapital, quickGross } from "./exposure.ts";

const instrument = (price_digits: number, quantity_digits: number): InstrumentSpec =>
  ({ price_digits, quantity_digits }) as InstrumentSpec;

const amounts = fc.oneof(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
const side = fc.constantFrom("buy" as const, "sell" as const);
const scene = fc.record({
  digits: fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })), {
    minLength: 1,
    maxLength: 3,
  }),
  positions: fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), { minLength: 3, maxLength: 3 }),
  last_prices: fc.array(amounts, { minLength: 3, maxLength: 3 }),
  open: fc.array(
    fc.record({
      key: amounts,
      instrument: fc.integer({ min: 0, max: 2 }),
      side,
      price: fc.oneof(fc.constant(0), amounts),
      remaining: amounts,
    }),
    {
      maxLength: 4,
    },
  ),
  order: fc.record({
    instrument: fc.integer({ min: 0, max: 2 }),
    side,
    price: fc.oneof(fc.constant(0), amounts),
    quantity: amounts,
  }),
});

it("[M-8.1.1] exposure counted in doubles is exposure counted exactly, or no number at all", () => {
  let counted = 0;
  fc.assert(
    fc.property(scene, ({ digits, positions, last_prices, open, order }) => {
      const instruments = digits.map(([price, quantity]) => instrument(price, quantity));
      const open_orders = open.map((one) => ({ ...one, type: "limit" as const, quantity: one.remaining }));
      const book: Book = { open_orders, positions, last_prices };
      const quick = quickGross(order, instruments, book, -1);
      if (Number.isNaN(quick)) return;
      counted += 1;
      expect(BigInt(quick)).toBe(exactGross(order, instruments, book, -1));
    }),
    { numRuns: 2_000 },
  );
  expect(counted).toBeGreaterThan(100);
});

it("[M-8.1.1] an amount that no double holds is judged to the last digit", () => {
  const order = { instrument: 0, side: "buy" as const, price: 2 ** 31, quantity: 2 ** 31 - 1 };
  const book: Book = { open_orders: [], positions: [0], last_prices: [1] };
  const worth = BigInt(2 ** 31) * BigInt(2 ** 31 - 1) * 10n ** 8n;
  const of = (capital: bigint): string => exceedsCapital(order, { instruments: [instrument(0, 0)], capital }, book, -1);
  expect([of(worth), of(worth - 1n)]).toEqual(["", "M.LIMIT.CAPITAL"]);
});
