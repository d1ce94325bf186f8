import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { canonicalJson, digestOf, type InstrumentId } from "@rumi/kernel";
import { FLAG_DUPLICATE } from "../columns.ts";
import { DEMO_INSTRUMENT, DEMO_MARKET, generateMarket } from "../generator.ts";
import { VENUE_LIMITS } from "../limits.ts";
import type { ExecutionReport, NewOrder } from "../types.ts";
import { feeOf } from "./account.ts";
import { createSimulatedVenue } from "./venue.ts";
import { advance, id, market, open, OPTIONS, order, print, SPEC } from "./venue-testing.ts";

describe("matching", () => {
  it("a market order takes the trades after its latency, part by part, at their prices", () => {
    const venue = open({ latency_us: 100 });
    venue.submit(order("m", market), 0);
    expect(print(venue, { at: 99, price: 1_000, quantity: 50 })).toEqual([]);
    expect(print(venue, { at: 100, price: 1_005, quantity: 4 }, { at: 101, price: 1_010, quantity: 50 })).toEqual([
      "accepted m",
      "partially_filled m 4@1005 taker",
      "filled m 6@1010 taker",
    ]);
  });

  it("a trade's quantity is given once to all our orders of a side, earlier and better ones first", () => {
    const venue = open();
    print(venue, { at: 1, price: 1_100, quantity: 1 });
    for (const name of ["b", "c"]) venue.submit(order(name), 2);
    venue.submit(order("best", { price: 1_005 }), 2);
    advance(venue, 2);
    expect(print(venue, { at: 3, price: 900, quantity: 16 })).toEqual([
      "filled best 10@1005 maker",
      "partially_filled b 6@1000 maker",
    ]);
  });

  it("a resting order waits behind the quantity last seen at its price, unless trades go through it", () => {
    const venue = open();
    print(venue, { at: 1, price: 1_000, quantity: 7 }, { at: 2, price: 1_050, quantity: 1 });
    venue.submit(order("r"), 3);
    expect(print(venue, { at: 4, price: 1_000, quantity: 5, aggressor: 2 })).toEqual(["accepted r"]);
    // Bought at our price: somebody took an offer, nobody came to our queue.
    expect(print(venue, { at: 5, price: 1_000, quantity: 90, aggressor: 1 })).toEqual([]);
    expect(print(venue, { at: 6, price: 1_000, quantity: 5, aggressor: 2 })).toEqual([
      "partially_filled r 3@1000 maker",
    ]);
    expect(print(venue, { at: 7, price: 995, quantity: 90, aggressor: 1 })).toEqual(["filled r 7@1000 maker"]);
  });

  it("the queue model can be fixed", () => {
    const venue = open({ queue_ahead: { kind: "fixed", quantity: 20 } });
    print(venue, { at: 1, price: 1_050, quantity: 1 });
    venue.submit(order("r"), 1);
    expect(print(venue, { at: 2, price: 1_000, quantity: 20 }, { at: 3, price: 1_000, quantity: 20 })).toEqual([
      "accepted r",
      "filled r 10@1000 maker",
    ]);
  });

  it("a marketable limit order takes up to its limit and rests with what is left", () => {
    const venue = open();
    print(venue, { at: 1, price: 990, quantity: 1 });
    venue.submit(order("l"), 1);
    expect(
      print(
        venue,
        { at: 2, price: 1_000, quantity: 4, aggressor: 1 },
        { at: 3, price: 1_005, quantity: 9 },
        { at: 4, price: 995, quantity: 9 },
      ),
    ).toEqual(["accepted l", "partially_filled l 4@1000 taker", "filled l 6@1000 maker"]);
  });

  it("ioc takes one trade and ends; fok takes all of it or nothing", () => {
    const venue = open();
    venue.submit(order("i", { time_in_force: "ioc" }), 0);
    venue.submit(order("f", { time_in_force: "fok", side: "sell", price: 500 }), 0);
    expect(print(venue, { at: 1, price: 1_000, quantity: 8 })).toEqual([
      "accepted i",
      "cancelled i M.VENUE.SELF_TRADE",
      "accepted f",
      "cancelled f M.VENUE.FILL_OR_KILL",
    ]);
    venue.submit(order("i2", { time_in_force: "ioc" }), 1);
    expect(print(venue, { at: 2, price: 1_000, quantity: 8 })).toEqual([
      "accepted i2",
      "partially_filled i2 8@1000 taker",
      "cancelled i2 M.VENUE.IMMEDIATE_OR_CANCEL",
    ]);
    venue.submit(order("f2", { time_in_force: "fok" }), 2);
    expect(print(venue, { at: 3, price: 1_000, quantity: 10 })).toEqual(["accepted f2", "filled f2 10@1000 taker"]);
  });

  it("[M-11.1] a duplicated print fills nothing, a late print fills no order that came after it", () => {
    const venue = open();
    venue.submit(order("m", market), 10);
    expect(
      print(
        venue,
        { at: 11, price: 1_000, quantity: 90, flags: FLAG_DUPLICATE },
        { at: 5, price: 1_000, quantity: 90 },
      ),
    ).toEqual(["accepted m"]);
    expect(print(venue, { at: 12, price: 1_000, quantity: 90 })).toEqual(["filled m 10@1000 taker"]);
  });
});

const fillsAfterAmending = (change: { price: number; quantity: number }): string[] => {
  const venue = open();
  print(venue, { at: 1, price: 1_050, quantity: 1 });
  venue.submit(order("a"), 1);
  venue.submit(order("b"), 1);
  venue.amend(id("a"), change, 1);
  advance(venue, 1);
  return print(venue, { at: 2, price: 995, quantity: 4 });
};

describe("rules", () => {
  const refusals: readonly (readonly [string, Partial<NewOrder>, string])[] = [
    ["unknown instrument", { instrument: 7 }, "M.VENUE.UNKNOWN_INSTRUMENT"],
    ["price off the tick", { price: 1_001 }, "M.VENUE.PRICE"],
    ["price of a market order", { type: "market", price: 1_000 }, "M.VENUE.PRICE"],
    ["no price", { price: 0 }, "M.VENUE.PRICE"],
    ["quantity off the lot", { quantity: 5 }, "M.VENUE.QUANTITY"],
    ["quantity too small", { quantity: 2 }, "M.VENUE.QUANTITY"],
    ["quantity too large", { quantity: 1_002 }, "M.VENUE.QUANTITY"],
    ["quantity fractional", { quantity: 4.5 }, "M.VENUE.QUANTITY"],
    ["post only and immediate", { post_only: true, time_in_force: "ioc" }, "M.VENUE.POST_ONLY"],
    ["post only and marketable", { post_only: true, price: 1_100 }, "M.VENUE.POST_ONLY"],
    ["reduce only without a position", { reduce_only: true }, "M.VENUE.REDUCE_ONLY"],
  ];
  for (const [name, change, reason] of refusals) {
    it(`refuses: ${name}`, () => {
      const venue = open();
      print(venue, { at: 1, price: 1_050, quantity: 1 });
      venue.submit(order("x", change), 1);
      expect(advance(venue, 1)).toEqual([`rejected x ${reason}`]);
      expect(venue.openOrders()).toEqual([]);
    });
  }

  it("reduce_only stops at flat and its rest is cancelled", () => {
    const venue = open();
    venue.submit(order("in", market), 0);
    print(venue, { at: 1, price: 1_000, quantity: 90 });
    venue.submit(order("out", { ...market, side: "sell", quantity: 30, reduce_only: true }), 1);
    expect(print(venue, { at: 2, price: 1_010, quantity: 90 })).toEqual([
      "accepted out",
      "partially_filled out 10@1010 taker",
      "cancelled out M.VENUE.REDUCE_ONLY",
    ]);
    expect(venue.positions()[0]?.quantity).toBe(0);
  });

  it("[M-8.2.1] one client order id is one order, whatever is sent again", () => {
    const venue = open();
    print(venue, { at: 1, price: 1_050, quantity: 1 });
    venue.submit(order("x"), 1);
    venue.submit(order("x"), 1);
    venue.submit(order("x", { quantity: 20 }), 1);
    expect(advance(venue, 1)).toEqual([
      "accepted x",
      "accepted x M.VENUE.DUPLICATE",
      "accepted x M.VENUE.DUPLICATE_DIFFERS",
    ]);
    expect(venue.openOrders()).toHaveLength(1);
    print(venue, { at: 2, price: 900, quantity: 90 });
    venue.submit(order("x"), 2);
    expect(print(venue, { at: 3, price: 900, quantity: 90 })).toEqual(["filled x M.VENUE.DUPLICATE"]);
    expect(venue.positions()[0]?.quantity).toBe(10);
  });

  it("a cancel travels too; unknown and closed orders are told apart", () => {
    const venue = open({ latency_us: 10 });
    print(venue, { at: 1, price: 1_050, quantity: 1 });
    venue.submit(order("x"), 1);
    venue.cancel(id("x"), 5);
    venue.cancel(id("x"), 5);
    venue.cancel(id("y"), 5);
    expect(advance(venue, 14)).toEqual(["accepted x"]);
    expect(advance(venue, 15)).toEqual([
      "cancelled x",
      "cancel_rejected x M.VENUE.ORDER_CLOSED",
      "cancel_rejected y M.VENUE.UNKNOWN_ORDER",
    ]);
  });

  it("an amendment keeps its place only when it gets smaller", () => {
    expect(fillsAfterAmending({ price: 1_000, quantity: 8 })).toEqual(["partially_filled a 4@1000 maker"]);
    expect(fillsAfterAmending({ price: 1_000, quantity: 12 })).toEqual(["partially_filled b 4@1000 maker"]);
  });

  it("self-trade prevention: the older order gives way", () => {
    const venue = open();
    print(venue, { at: 1, price: 1_050, quantity: 1 });
    venue.submit(order("bid"), 1);
    venue.submit(order("exit", { side: "sell", price: 1_000 }), 1);
    expect(advance(venue, 1)).toEqual(["accepted bid", "cancelled bid M.VENUE.SELF_TRADE", "accepted exit"]);
  });

  it("cancelAll ends everything that arrived before", () => {
    const venue = open();
    print(venue, { at: 1, price: 1_050, quantity: 1 });
    for (const name of ["a", "b"]) venue.submit(order(name), 1);
    venue.cancelAll(1);
    expect(advance(venue, 1).slice(2)).toEqual(["cancelled a", "cancelled b"]);
  });

  it("limits of open, known and travelling orders are reached by name", () => {
    const small = {
      ...VENUE_LIMITS,
      venue_open_orders: 2,
      venue_known_orders: 4,
      venue_inflight: 3,
      venue_instruments: 1,
    };
    const made = createSimulatedVenue(OPTIONS, small);
    if (!made.ok) throw new Error(made.error.code);
    const venue = made.value;
    print(venue, { at: 1, price: 1_050, quantity: 1 });
    const send = (name: string): string[] => {
      venue.submit(order(name), 1);
      return advance(venue, 1);
    };
    expect(["a", "b", "c"].flatMap(send)).toEqual(["accepted a", "accepted b", "rejected c M.VENUE.TOO_MANY_ORDERS"]);
    venue.cancelAll(1);
    advance(venue, 1);
    expect(["d", "e", "a"].flatMap(send)).toEqual([
      "accepted d",
      "rejected e M.VENUE.TOO_MANY_ORDERS",
      "cancelled a M.VENUE.DUPLICATE",
    ]);
    for (let i = 0; i < 3; i += 1) venue.cancelAll(2);
    expect(() => venue.cancelAll(2)).toThrow("RUMI-MKT-012");
    const two = createSimulatedVenue(
      { ...OPTIONS, instruments: [SPEC, { ...SPEC, instrument_id: "B.SIM" as InstrumentId }] },
      small,
    );
    expect(two.ok ? "" : two.error.params["field"]).toBe("instruments");
  });

  it("[M-6.1.1] [M-8.2.1] ten thousand orders in sequence: the state stays small, and none of them is ever taken again", () => {
    const venue = open();
    print(venue, { at: 1, price: 1_050, quantity: 1 });
    const sizes: number[] = [];
    for (let n = 1; n <= 10_000; n += 1) {
      venue.submit(order(`o${n}`, { sequence: n }), n);
      venue.cancel(id(`o${n}`), n);
      expect(advance(venue, n).at(-1)).toBe(`cancelled o${n}`);
      if (n % 1_000 === 0) sizes.push(venue.save().length);
    }
    expect(Math.max(...sizes)).toBeLessThan(VENUE_LIMITS.venue_closed_remembered * 500);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(10_000);
    const again = open();
    again.restore(venue.save());
    for (const one of [venue, again]) {
      one.submit(order("o1", { sequence: 1 }), 10_001);
      one.submit(order("o9990", { sequence: 9_990 }), 10_001);
      one.submit(order("new name", { sequence: 4_000 }), 10_001);
      expect(advance(one, 10_001)).toEqual([
        "rejected o1 M.VENUE.DUPLICATE",
        "cancelled o9990 M.VENUE.DUPLICATE",
        "rejected new name M.VENUE.DUPLICATE",
      ]);
      expect(one.openOrders()).toEqual([]);
    }
    expect(again.save()).toEqual(venue.save());
  });

  it("options out of bounds are refused", () => {
    for (const change of [
      { instruments: [] },
      { instruments: [SPEC, SPEC] },
      { maker_fee_ppm: 0.5 },
      { latency_us: -1 },
    ]) {
      const made = createSimulatedVenue({ ...OPTIONS, ...change });
      expect(made.ok ? "" : made.error.params["field"]).toBe(Object.keys(change)[0]);
    }
  });

  it("fees are rounded up against us", () => {
    expect([
      feeOf(1, 1, 1),
      feeOf(1_000, 1_000, 1),
      feeOf(1_001, 1_000, 1),
      feeOf(1_001, 1_000, -1),
      feeOf(1, 1, 0),
    ]).toEqual([1n, 1n, 2n, -1n, 0n]);
  });
});

describe("golden session", () => {
  it("gives the same reports, ids and saved state on every machine", () => {
    const golden = JSON.parse(
      readFileSync(new URL("../../../../docs/formats/simulated-exchange.json", import.meta.url), "utf8"),
    ) as Record<string, unknown>;
    const made = generateMarket({ ...DEMO_MARKET, trades: 10_000 });
    if (!made.ok) throw new Error(made.error.code);
    const feed = made.value;
    const venue = open({
      instruments: [DEMO_INSTRUMENT],
      latency_us: 2_000,
      latency_jitter_us: 1_000,
      seed: "golden",
    });
    const out: ExecutionReport[] = [];
    for (let row = 0; row < feed.length; row += 1) {
      venue.onRow(feed, row, out);
      if (row % 50 !== 0) continue;
      const now = feed.event_time_us[row] ?? 0;
      const turn = row / 50;
      const side = turn % 2 === 0 ? "buy" : "sell";
      const price = (feed.price[row] ?? 0) + (turn % 5) * (side === "buy" ? -2 : 2);
      const type = turn % 7 === 0 ? "market" : "limit";
      venue.submit(
        order(`g${turn}`, {
          side,
          type,
          price: type === "market" ? 0 : price,
          quantity: 500 + turn,
          reduce_only: turn % 11 === 10,
        }),
        now,
      );
      if (turn % 6 === 5) venue.cancel(id(`g${turn - 3}`), now);
      if (turn % 9 === 8) venue.amend(id(`g${turn - 1}`), { price: price + 1, quantity: 900 }, now);
    }
    const text = canonicalJson(out.map((report) => ({ ...report, fee: `${report.fee}` })));
    const fills = out.filter((report) => report.fill_id !== null).length;
    expect({
      reports: out.length,
      fills,
      reports_sha256: digestOf(text),
      state_sha256: digestOf(venue.save()),
    }).toEqual(golden);
    expect(fills).toBeGreaterThan(100);
  });
});
