import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeFeeds, sliceByTime, sliceColumns } from "./columns.ts";
import { FeedBuilder, type BarRow, type BookRow, type QuoteRow, type TradeRow } from "./feed-builder.ts";
import { MARKET_KIND, type MarketFeed } from "./types.ts";

type Row =
  | ({ readonly is: "trade" } & TradeRow)
  | ({ readonly is: "quote" } & QuoteRow)
  | ({ readonly is: "bar" } & BarRow)
  | ({ readonly is: "book" } & BookRow);

const small = fc.integer({ min: 1, max: 50 });
const head = { instrument: fc.nat(2), event_time_us: fc.nat(40), received_time_us: fc.nat(40), flags: fc.nat(31) };
const level = fc.tuple(small, fc.nat(3));
const anyRow: fc.Arbitrary<Row> = fc.oneof(
  fc.record({
    is: fc.constant("trade" as const),
    ...head,
    price: small,
    quantity: small,
    aggressor: fc.nat(2),
    trade_id: fc.nat(9),
  }),
  fc.record({
    is: fc.constant("quote" as const),
    ...head,
    bid_price: small,
    bid_quantity: small,
    ask_price: small,
    ask_quantity: small,
  }),
  fc.record({
    is: fc.constant("bar" as const),
    ...head,
    duration_us: small,
    open: small,
    high: small,
    low: small,
    close: small,
    volume: small,
    trades: fc.nat(9),
  }),
  fc.record({
    is: fc.constant("book" as const),
    ...head,
    action: fc.constantFrom("snapshot" as const, "increment" as const),
    first_sequence: fc.nat(9),
    last_sequence: fc.nat(9),
    bids: fc.array(level, { maxLength: 3 }),
    asks: fc.array(level, { maxLength: 3 }),
  }),
);

function put(builder: FeedBuilder, row: Row): void {
  if (row.is === "trade") builder.trade(row);
  else if (row.is === "quote") builder.quote(row);
  else if (row.is === "bar") builder.bar(row);
  else builder.book(row);
}
function built(rows: readonly Row[]): MarketFeed {
  const builder = new FeedBuilder(1);
  for (const row of rows) put(builder, row);
  return builder.finish();
}

/** The row as it was appended, read back from the columns. */
function told(feed: MarketFeed, row: number): Row {
  const common = {
    instrument: feed.instrument[row] ?? -1,
    event_time_us: feed.event_time_us[row] ?? -1,
    received_time_us: feed.received_time_us[row] ?? -1,
    flags: feed.flags[row] ?? -1,
  };
  const { mixed } = feed;
  const kind = mixed?.kind[row] ?? MARKET_KIND.trade;
  const price = feed.price[row] ?? -1;
  const quantity = feed.quantity[row] ?? -1;
  const trade_id = feed.trade_id[row] ?? -1;
  if (mixed === undefined || kind === MARKET_KIND.trade)
    return { is: "trade", ...common, price, quantity, aggressor: feed.aggressor[row] ?? -1, trade_id };
  const at = mixed.detail[row] ?? -1;
  if (kind === MARKET_KIND.quote) {
    const { quotes } = mixed;
    const of = (column: Float64Array) => column[at] ?? -1;
    return {
      is: "quote",
      ...common,
      bid_price: of(quotes.bid_price),
      bid_quantity: of(quotes.bid_quantity),
      ask_price: of(quotes.ask_price),
      ask_quantity: of(quotes.ask_quantity),
    };
  }
  if (kind === MARKET_KIND.bar) {
    const { bars } = mixed;
    const of = (column: Float64Array) => column[at] ?? -1;
    const bar = { duration_us: of(bars.duration_us), open: of(bars.open), high: of(bars.high), low: of(bars.low) };
    return { is: "bar", ...common, ...bar, close: price, volume: quantity, trades: trade_id };
  }
  const { books } = mixed;
  const first = books.first_level[at] ?? -1;
  const bids = books.bids[at] ?? -1;
  const levels = (from: number, count: number): [number, number][] =>
    Array.from({ length: count }, (_, i) => [books.level_price[from + i] ?? -1, books.level_quantity[from + i] ?? -1]);
  return {
    is: "book",
    ...common,
    action: books.action[at] === 1 ? "snapshot" : "increment",
    first_sequence: books.first_sequence[at] ?? -1,
    last_sequence: books.last_sequence[at] ?? -1,
    bids: levels(first, bids),
    asks: levels(first + bids, books.asks[at] ?? -1),
  };
}
const all = (feed: MarketFeed): Row[] => Array.from({ length: feed.length }, (_, row) => told(feed, row));

describe("feed builder", () => {
  it("[M-4.1.1] what was appended is what is handed out, live and finished, for every kind", () => {
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 60 }), (rows) => {
        const builder = new FeedBuilder(1);
        const { feed } = builder;
        for (const [at, row] of rows.entries()) {
          put(builder, row);
          expect(feed.length).toBe(at + 1);
          expect(told(feed, at)).toEqual(row);
        }
        expect(all(builder.finish())).toEqual(rows);
      }),
      { seed: 5, numRuns: 150 },
    );
  });

  it("[M-4.1.1] kinds and instruments merge by received time; nothing is lost, equal times keep their order", () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyRow, { maxLength: 25 }), { minLength: 1, maxLength: 4 }), (files) => {
        const joined = mergeFeeds(
          files.map((rows, index) => ({
            columns: built(rows),
            instruments: [index * 3, index * 3 + 1, index * 3 + 2],
          })),
        );
        const expected = files
          .flatMap((rows, index) => rows.map((row) => ({ ...row, instrument: index * 3 + row.instrument })))
          .map((row, order) => ({ row, order }))
          .toSorted((a, b) => a.row.received_time_us - b.row.received_time_us || a.order - b.order)
          .map(({ row }) => row);
        expect(all(joined)).toEqual(expected);
      }),
      { seed: 6, numRuns: 150 },
    );
  });

  it("a slice of a mixed feed is the same rows", () => {
    const rows = fc.sample(anyRow, { seed: 7, numRuns: 40 });
    const feed = built(rows);
    expect(all(sliceColumns(feed, 5, 20))).toEqual(rows.slice(5, 20));
    const times = rows.map((row, at) => ({ ...row, received_time_us: at * 10 }));
    expect(all(sliceByTime(built(times), 50, 90))).toEqual(times.slice(5, 9));
  });

  it("a book row carries the best bid and ask after it, per instrument, and their middle", () => {
    const builder = new FeedBuilder(1);
    const row = { event_time_us: 1, received_time_us: 1, flags: 0, first_sequence: 0, last_sequence: 0 };
    const increment = { ...row, action: "increment" } as const;
    builder.book({
      ...row,
      instrument: 0,
      action: "snapshot",
      bids: [
        [100, 5],
        [99, 1],
      ],
      asks: [[104, 2]],
    });
    builder.book({ ...increment, instrument: 1, bids: [[7, 1]], asks: [] });
    builder.book({ ...increment, instrument: 0, bids: [[100, 0]], asks: [[102, 9]] });
    builder.book({ ...increment, instrument: 1, bids: [[7, 0]], asks: [] });
    const { feed } = builder;
    const books = feed.mixed?.books;
    expect([...feed.price.subarray(0, 4)]).toEqual([102, 7, 100, 0]);
    expect([...(books?.bid_price.subarray(0, 4) ?? [])]).toEqual([100, 7, 99, 0]);
    expect([...(books?.bid_quantity.subarray(0, 4) ?? [])]).toEqual([5, 1, 1, 0]);
    expect([...(books?.ask_price.subarray(0, 4) ?? [])]).toEqual([104, 0, 102, 0]);
    expect([...(books?.ask_quantity.subarray(0, 4) ?? [])]).toEqual([2, 0, 9, 0]);
  });

  it("a feed of trades alone has no other columns", () => {
    const builder = new FeedBuilder(1);
    const trade = {
      instrument: 0,
      event_time_us: 1,
      received_time_us: 1,
      flags: 0,
      price: 1,
      quantity: 1,
      trade_id: 1,
    };
    builder.trade({ ...trade, aggressor: 0 });
    expect(builder.finish()).not.toHaveProperty("mixed");
    expect(mergeFeeds([{ columns: builder.finish(), instruments: [0] }])).not.toHaveProperty("mixed");
  });

  it("[M-4.1.1] whatever is forgotten, and whenever, the rows that are kept tell the same; what is behind is let go", () => {
    fc.assert(
      fc.property(
        fc.array(anyRow, { maxLength: 1_500, minLength: 900 }),
        fc.nat(40),
        fc.nat(90),
        (rows, behind, first_row) => {
          const whole = built(rows);
          const builder = new FeedBuilder(1, { first_row });
          for (const [n, row] of rows.entries()) {
            put(builder, row);
            builder.forget(first_row + n - behind);
            expect(told(builder.feed, first_row + n)).toEqual(told(whole, n));
          }
          const from = Math.max(0, rows.length - behind - 1);
          for (let n = from; n < rows.length; n += 1) expect(told(builder.feed, first_row + n)).toEqual(told(whole, n));
          expect(builder.feed.kept_from ?? 0).toBe(first_row + from);
          // The first rows were left behind by some growth.
          expect(builder.feed.received_time_us.slice(0, first_row + 100).every((time) => time === 0)).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("a feed that begins late carries the books of the rows before", () => {
    const early = new FeedBuilder(1);
    const head = {
      instrument: 1,
      event_time_us: 1,
      received_time_us: 1,
      flags: 0,
      first_sequence: 0,
      last_sequence: 0,
    };
    early.book({
      ...head,
      action: "snapshot",
      bids: [
        [10, 1],
        [9, 2],
      ],
      asks: [[12, 3]],
    });
    const late = new FeedBuilder(1, { first_row: 1 });
    for (const { instrument, bids, asks } of early.books()) late.carry(instrument, 1, bids, asks);
    expect([...late.books()]).toEqual([
      {
        instrument: 1,
        bids: [
          [10, 1],
          [9, 2],
        ],
        asks: [[12, 3]],
      },
    ]);
    for (const one of [early, late]) one.book({ ...head, action: "increment", bids: [[10, 0]], asks: [] });
    expect(told(late.feed, 1)).toEqual(told(early.feed, 1));
    expect(late.feed.mixed?.books.bid_price[0]).toBe(9);
  });
});
