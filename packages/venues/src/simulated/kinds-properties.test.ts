import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FeedBuilder } from "../feed-builder.ts";
import type { ExecutionReport, MarketFeed, NewOrder } from "../types.ts";
import { open, order } from "./venue-testing.ts";

const STEP_US = 20_000_000;
const price = fc.integer({ min: 180, max: 220 }).map((n) => n * 5);
const quantity = fc.integer({ min: 0, max: 30 });
type Row =
  | { readonly is: "trade"; readonly price: number; readonly quantity: number }
  | {
      readonly is: "quote" | "book";
      readonly bid: number;
      readonly spread: number;
      readonly sizes: readonly [number, number];
    }
  | { readonly is: "bar"; readonly prices: readonly [number, number, number, number]; readonly volume: number };
const trade: fc.Arbitrary<Row> = fc.record({
  is: fc.constant("trade" as const),
  price,
  quantity: quantity.map((n) => n + 1),
});
const quote: fc.Arbitrary<Row> = fc.record({
  is: fc.constantFrom("quote" as const, "book" as const),
  bid: price,
  spread: fc.integer({ min: 0, max: 4 }).map((n) => n * 5),
  sizes: fc.tuple(quantity, quantity),
});
const bar: fc.Arbitrary<Row> = fc.record({
  is: fc.constant("bar" as const),
  prices: fc.tuple(price, price, price, price),
  volume: quantity,
});
const wish = fc.record({
  side: fc.constantFrom("buy" as const, "sell" as const),
  type: fc.constantFrom("limit" as const, "market" as const),
  time_in_force: fc.constantFrom("gtc" as const, "gtc" as const, "ioc" as const, "fok" as const),
  price,
  quantity: fc.integer({ min: 2, max: 20 }).map((n) => n * 2),
  reduce_only: fc.boolean(),
  post_only: fc.constant(false),
});
type Step = { readonly row: Row; readonly wishes: readonly Partial<NewOrder>[]; readonly after: number };
const stepsOf = (...kinds: fc.Arbitrary<Row>[]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({ row: fc.oneof(...kinds), wishes: fc.array(wish, { maxLength: 2 }), after: fc.nat(STEP_US - 1) }),
    { minLength: 5, maxLength: 60 },
  );

function feedOf(steps: readonly Step[]): MarketFeed {
  const builder = new FeedBuilder(4);
  for (const [index, { row }] of steps.entries()) {
    const at = (index + 1) * STEP_US;
    const head = { instrument: 0, event_time_us: at, received_time_us: at, flags: 0 };
    if (row.is === "trade")
      builder.trade({ ...head, price: row.price, quantity: row.quantity, aggressor: 0, trade_id: index });
    else if (row.is === "bar") {
      const [first, , , close] = row.prices;
      builder.bar({
        ...head,
        duration_us: STEP_US,
        open: first,
        close,
        high: Math.max(...row.prices),
        low: Math.min(...row.prices),
        volume: row.volume,
        trades: 0,
      });
    } else {
      const [bid_quantity, ask_quantity] = row.sizes;
      const ask = row.bid + row.spread;
      if (row.is === "quote")
        builder.quote({ ...head, bid_price: row.bid, bid_quantity, ask_price: ask, ask_quantity });
      else
        builder.book({
          ...head,
          action: "snapshot",
          first_sequence: 0,
          last_sequence: 0,
          bids: [[row.bid, bid_quantity]],
          asks: [[ask, ask_quantity]],
        });
    }
  }
  return builder.finish();
}

/** Plays steps; before the steps named in `cuts` the exchange is saved and another one takes over. */
function play(
  steps: readonly Step[],
  cuts: readonly number[],
  watch: (row: Row, fresh: readonly ExecutionReport[]) => void,
): ExecutionReport[] {
  let venue = open({ latency_us: 5, latency_jitter_us: 9, seed: "kinds" });
  const feed = feedOf(steps);
  const all: ExecutionReport[] = [];
  for (const [index, step] of steps.entries()) {
    if (cuts.includes(index)) {
      const bytes = venue.save();
      venue = open({ latency_us: 5, latency_jitter_us: 9, seed: "kinds" });
      venue.restore(bytes);
      expect(Buffer.from(venue.save()).equals(bytes)).toBe(true);
    }
    const out: ExecutionReport[] = [];
    venue.onRow(feed, index, out);
    watch(step.row, out);
    for (const [at, change] of step.wishes.entries())
      venue.submit(
        order(`${index}-${at}`, { ...change, ...(change.type === "market" ? { price: 0 } : {}) }),
        (index + 1) * STEP_US + step.after,
      );
    all.push(...out);
  }
  return all;
}
const fills = (reports: readonly ExecutionReport[]) => reports.filter((report) => report.fill_id !== null);
const limits = (steps: readonly Step[]): Map<string, number> =>
  new Map(
    steps.flatMap(({ wishes }, index) =>
      wishes.map((one, at): [string, number] => [`${index}-${at}`, one.type === "market" ? 0 : (one.price ?? 0)]),
    ),
  );

describe("properties of the exchange on every kind", () => {
  it("[M-0.7] [M-15.2] the same rows and orders give the same reports, cut by save and restore or not", () => {
    fc.assert(
      fc.property(stepsOf(trade, quote, bar), fc.array(fc.nat(59), { minLength: 1, maxLength: 4 }), (steps, cuts) => {
        expect(play(steps, cuts, () => undefined)).toEqual(play(steps, [], () => undefined));
      }),
      { seed: 21, numRuns: 120 },
    );
  });

  it("no fill beyond an order's limit or quantity, and a market order of any kind pays a price that was there", () => {
    let seen = 0;
    fc.assert(
      fc.property(stepsOf(trade, quote, bar), (steps) => {
        const wanted = limits(steps);
        const left = new Map(
          steps.flatMap(({ wishes }, i) => wishes.map((one, k) => [`${i}-${k}`, one.quantity ?? 0])),
        );
        for (const fill of fills(play(steps, [], () => undefined))) {
          seen += 1;
          const limit = wanted.get(fill.client_order_id) ?? 0;
          if (limit !== 0) expect((fill.side === "buy" ? 1 : -1) * (limit - fill.price)).toBeGreaterThanOrEqual(0);
          left.set(fill.client_order_id, (left.get(fill.client_order_id) ?? 0) - fill.quantity);
          expect(left.get(fill.client_order_id)).toBeGreaterThanOrEqual(0);
        }
      }),
      { seed: 22, numRuns: 150 },
    );
    expect(seen).toBeGreaterThan(300);
  });

  it("on bars alone every fill lies within high and low of its bar, and a side never gets more than the volume", () => {
    let seen = 0;
    fc.assert(
      fc.property(stepsOf(bar), (steps) => {
        play(steps, [], (row, fresh) => {
          if (row.is !== "bar") return;
          for (const side of ["buy", "sell"]) {
            const taken = fills(fresh).filter((report) => report.side === side);
            seen += taken.length;
            expect(taken.reduce((sum, report) => sum + report.quantity, 0)).toBeLessThanOrEqual(row.volume);
            for (const { price: paid, liquidity } of taken) {
              // A gap beyond a resting limit pays the limit, which is worse for us than any price of the bar.
              const worst = side === "buy" ? Math.max(...row.prices) : Math.min(...row.prices);
              const inside = paid <= Math.max(...row.prices) && paid >= Math.min(...row.prices);
              expect(inside || (liquidity === "maker" && (side === "buy" ? paid > worst : paid < worst))).toBe(true);
            }
          }
        });
      }),
      { seed: 23, numRuns: 150 },
    );
    expect(seen).toBeGreaterThan(100);
  });

  it("on quotes alone our takers never get more of a side between two quotes than it showed", () => {
    let seen = 0;
    fc.assert(
      fc.property(stepsOf(quote), (steps) => {
        const shown = { buy: 0, sell: 0 };
        const taken = { buy: 0, sell: 0 };
        for (const [index, report] of fills(play(steps, [], () => undefined)).entries()) {
          taken[report.side] += report.quantity;
          seen += index === 0 ? 1 : 0;
        }
        for (const { row } of steps)
          if (row.is === "quote" || row.is === "book") {
            shown.sell += row.sizes[0];
            shown.buy += row.sizes[1];
          }
        expect(taken.buy).toBeLessThanOrEqual(shown.buy);
        expect(taken.sell).toBeLessThanOrEqual(shown.sell);
      }),
      { seed: 24, numRuns: 150 },
    );
    expect(seen).toBeGreaterThan(50);
  });
});
