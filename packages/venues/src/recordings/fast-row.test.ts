import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FastRow } from "./fast-row.ts";
import { LAYOUTS, type Column, type Layout } from "./layouts.ts";
import { RowParser } from "./row-parser.ts";

const PRECISION = { price_digits: 3, quantity_digits: 4 };
const plain = fc.oneof(
  fc.integer({ min: 1, max: 99_999 }).map(String),
  fc.tuple(fc.nat(9_999_999), fc.integer({ min: 1, max: 999 })).map(([whole, part]) => `${whole}.${part}`),
  fc.constantFrom("1.10000000", "00012.5", "900719925474.09"),
);
const strange = fc.constantFrom(
  "0.000",
  "9007199254740991",
  "12.34567",
  "7.123456789",
  "0",
  "1.",
  ".5",
  "",
  "1e3",
  "9".repeat(20),
);
const odd = fc.constantFrom("", "x", "-1", "1,2", "é", " 7", "NaN");

function textOf(column: Column, layout: Layout, number: fc.Arbitrary<string>): fc.Arbitrary<string> {
  switch (column.role) {
    case "name":
      return fc.constant("abc");
    case "time":
    case "received":
    case "other_time":
      return layout.time_unit === "us"
        ? fc.integer({ min: 1_500_000_000_000_000, max: 1_800_000_000_000_000 }).map(String)
        : fc.integer({ min: 1_500_000_000_000, max: 1_800_000_000_000 }).map(String);
    case "price":
    case "quantity":
    case "volume":
    case "unused_decimal":
      return number;
    case "id":
      return fc.oneof(fc.maxSafeNat().map(String), fc.constantFrom("b46c84da-6942", "a", "7x", "123456789012345"));
    case "count":
    case "unused_integer":
      return fc.maxSafeNat().map(String);
    case "side":
      return fc.constantFrom("buy", "sell", "unknown", "Buy");
    case "book_side":
      return fc.constantFrom("bid", "ask", "bids");
    case "boolean":
    case "buyer_is_maker":
    case "unused_boolean":
      return fc.constantFrom("true", "True", "false", "False", "1", "0", "truth");
  }
}
/** Lines as they are published, and lines with strange numbers or a field that does not belong. */
const lineOf = (layout: Layout): fc.Arbitrary<string> => {
  const fields = (number: fc.Arbitrary<string>) =>
    fc.tuple(...layout.columns.map((column) => textOf(column, layout, number)));
  const changed = fc
    .tuple(fields(fc.oneof(plain, strange)), fc.nat(layout.columns.length - 1), odd)
    .map(([texts, at, text]) => texts.with(at, text));
  return fc
    .tuple(
      fc.oneof({ weight: 4, arbitrary: fields(plain) }, fields(fc.oneof(plain, strange)), changed),
      fc.constantFrom("\n", "\n", "\r\n", ",\n"),
    )
    .map(([texts, end]) => texts.join(",") + end);
};
const firstLine = (layout: Layout): string =>
  layout.columns
    .map((column) =>
      column.role === "name"
        ? "abc"
        : ["time", "received", "other_time"].includes(column.role)
          ? layout.time_unit === "us"
            ? "1700000000000000"
            : "1700000000000"
          : column.role === "side"
            ? "buy"
            : column.role === "book_side"
              ? "bid"
              : ["boolean", "buyer_is_maker", "unused_boolean"].includes(column.role)
                ? "true"
                : "1",
    )
    .join(",");

describe("fast row", () => {
  for (const layout of LAYOUTS) {
    it(`${layout.format} ${layout.variant}: what it takes are the careful parser's values`, () => {
      const careful = new RowParser(layout, PRECISION);
      const first = Buffer.from(firstLine(layout));
      expect(careful.parse(first, 0, first.length)).toBe("");
      let taken = 0;
      fc.assert(
        fc.property(lineOf(layout), (line) => {
          const fast = new FastRow(layout, PRECISION, careful);
          const bytes = Buffer.concat([Buffer.from(line), Buffer.alloc(fast.lineBytes, 0x35)]);
          const next = fast.take(bytes, 0);
          const values = [...fast.values];
          const end = line.replace(/\r?\n$/, "");
          const problem = careful.parse(Buffer.from(end), 0, Buffer.byteLength(end));
          if (next === 0) return;
          taken += 1;
          expect([problem, next, values]).toEqual(["", Buffer.byteLength(line), [...careful.values]]);
        }),
        { seed: 17, numRuns: 400 },
      );
      expect(taken, "the property is about lines that are taken").toBeGreaterThan(0);
    });
  }

  it("takes every line of a well-formed file, so that speed does not hang on luck", () => {
    for (const layout of LAYOUTS) {
      const careful = new RowParser(layout, PRECISION);
      const line = Buffer.from(firstLine(layout));
      careful.parse(line, 0, line.length);
      const fast = new FastRow(layout, PRECISION, careful);
      const bytes = Buffer.concat([line, Buffer.from("\n"), Buffer.alloc(fast.lineBytes, 0x35)]);
      expect(fast.take(bytes, 0), layout.format).toBe(line.length + 1);
    }
  });
});
