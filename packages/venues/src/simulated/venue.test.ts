import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, digestOf, type ClientOrderId, type InstrumentId } from "@rumi/kernel";
import type { InstrumentSpec } from "@rumi/abi";
import { allocateColumns, FLAG_DUPLICATE } from "../columns.ts";
import { DEMO_INSTRUMENT, DEMO_MARKET, generateMarket } from "../generator.ts";
import { VENUE_LIMITS } from "../limits.ts";
import type {
  ExecutionReport,
  NewOrder,
  PositionView,
  SimulatedVenue,
  SimulatedVenueOptions,
  TradeColumns,
} from "../types.ts";
import { feeOf } from "./account.ts";
import { createSimulatedVenue } from "./venue.ts";

const SPEC: InstrumentSpec = {
  instrument_id: "ABC.SIM" as InstrumentId,
  price_digits: 2,
  quantity_digits: 0,
  tick_size: 5,
  lot_size: 2,
  min_quantity: 4,
  max_quantity: 1_000,
  base_currency: "ABC",
  quote_currency: "USD",
};
const OPTIONS: SimulatedVenueOptions = {
  instruments: [SPEC],
  maker_fee_ppm: 100,
  taker_fee_ppm: 350,
  latency_us: 0,
  latency_jitter_us: 0,
  seed: "s",
};

function open(change: Partial<SimulatedVenueOptions> = {}): SimulatedVenue {
  const made = createSimulatedVenue({ ...OPTIONS, ...change });
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  return made.value;
}

const id = (text: string): ClientOrderId => text as ClientOrderId;

function order(client: string, change: Partial<NewOrder> = {}): NewOrder {
  return {
    client_order_id: id(client),
    instrument: 0,
    side: "buy",
    type: "limit",
    time_in_force: "gtc",
    price: 1_000,
    quantity: 10,
    reduce_only: false,
    post_only: false,
    ...change,
  };
}

type Print = {
  readonly at: number;
  readonly price: number;
  readonly quantity: number;
  readonly aggressor?: 0 | 1 | 2;
  readonly flags?: number;
};

function feedOf(prints: readonly Print[]): TradeColumns {
  const feed = allocateColumns(prints.length);
  prints.forEach((print, row) => {
    feed.event_time_us[row] = print.at;
    feed.received_time_us[row] = print.at;
    feed.price[row] = print.price;
    feed.quantity[row] = print.quantity;
    feed.aggressor[row] = print.aggressor ?? 0;
    feed.flags[row] = print.flags ?? 0;
    feed.trade_id[row] = row;
  });
  return feed;
}

function print(venue: SimulatedVenue, ...prints: readonly Print[]): string[] {
  const out: ExecutionReport[] = [];
  const feed = feedOf(prints);
  for (let row = 0; row < feed.length; row += 1) venue.onTrade(feed, row, out);
  return out.map(brief);
}

function advance(venue: SimulatedVenue, at: number): string[] {
  const out: ExecutionReport[] = [];
  venue.advanceTo(at, out);
  return out.map(brief);
}

const brief = (r: ExecutionReport): string =>
  [
    r.kind,
    r.client_order_id,
    ...(r.fill_id === null ? [] : [`${r.quantity}@${r.price}`, r.liquidity]),
    ...(r.reason_code === null ? [] : [r.reason_code]),
  ].join(" ");

const market = { type: "market", price: 0 } as const;

describe("matching", () => {
  it("a market order takes the trades after its latency, part by part, at their prices", () => {
    const venue = open({ latency_us: 100 });
    venue.submit(order("m", market), 0);
    expect(print(venue, { at: 99, price: 1_000, quantity: 50 })).toEqual([]);
    expect(
      print(venue, { at: 100, price: 1_005, quantity: 4 }, { at: 101, price: 1_010, quantity: 50 }),
    ).toEqual(["accepted m", "partially_filled m 4@1005 taker", "filled m 6@1010 taker"]);
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
    expect(print(venue, { at: 4, price: 1_000, quantity: 5, aggressor: 2 })).toEqual([
      "accepted r",
    ]);
    // Bought at our price: somebody took an offer, nobody came to our queue.
    expect(print(venue, { at: 5, price: 1_000, quantity: 90, aggressor: 1 })).toEqual([]);
    expect(print(venue, { at: 6, price: 1_000, quantity: 5, aggressor: 2 })).toEqual([
      "partially_filled r 3@1000 maker",
    ]);
    expect(print(venue, { at: 7, price: 995, quantity: 90, aggressor: 1 })).toEqual([
      "filled r 7@1000 maker",
    ]);
  });

  it("the queue model can be fixed", () => {
    const venue = open({ queue_ahead: { kind: "fixed", quantity: 20 } });
    print(venue, { at: 1, price: 1_050, quantity: 1 });
    venue.submit(order("r"), 1);
    expect(
      print(venue, { at: 2, price: 1_000, quantity: 20 }, { at: 3, price: 1_000, quantity: 20 }),
    ).toEqual(["accepted r", "filled r 10@1000 maker"]);
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
    expect(print(venue, { at: 3, price: 1_000, quantity: 10 })).toEqual([
      "accepted f2",
      "filled f2 10@1000 taker",
    ]);
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
    expect(print(venue, { at: 12, price: 1_000, quantity: 90 })).toEqual([
      "filled m 10@1000 taker",
    ]);
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
    expect(print(venue, { at: 3, price: 900, quantity: 90 })).toEqual([
      "filled x M.VENUE.DUPLICATE",
    ]);
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
    expect(fillsAfterAmending({ price: 1_000, quantity: 8 })).toEqual([
      "partially_filled a 4@1000 maker",
    ]);
    expect(fillsAfterAmending({ price: 1_000, quantity: 12 })).toEqual([
      "partially_filled b 4@1000 maker",
    ]);
  });

  it("self-trade prevention: the older order gives way", () => {
    const venue = open();
    print(venue, { at: 1, price: 1_050, quantity: 1 });
    venue.submit(order("bid"), 1);
    venue.submit(order("exit", { side: "sell", price: 1_000 }), 1);
    expect(advance(venue, 1)).toEqual([
      "accepted bid",
      "cancelled bid M.VENUE.SELF_TRADE",
      "accepted exit",
    ]);
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
    expect(["a", "b", "c"].flatMap(send)).toEqual([
      "accepted a",
      "accepted b",
      "rejected c M.VENUE.TOO_MANY_ORDERS",
    ]);
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
      readFileSync(
        new URL("../../../../docs/formats/simulated-exchange.json", import.meta.url),
        "utf8",
      ),
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
      venue.onTrade(feed, row, out);
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

type Step =
  | {
      readonly do: "trade";
      readonly move: number;
      readonly quantity: number;
      readonly aggressor: 0 | 1 | 2;
      readonly after: number;
    }
  | {
      readonly do: "submit";
      readonly name: number;
      readonly change: Partial<NewOrder>;
      readonly offset: number;
    }
  | {
      readonly do: "cancel" | "amend";
      readonly name: number;
      readonly offset: number;
      readonly quantity: number;
    }
  | { readonly do: "cancel_all" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("trade" as const),
      move: fc.integer({ min: -3, max: 3 }),
      quantity: fc.integer({ min: 1, max: 30 }),
      aggressor: fc.constantFrom(0 as const, 1 as const, 2 as const),
      after: fc.integer({ min: 0, max: 40 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("submit" as const),
      name: fc.nat(40),
      offset: fc.integer({ min: -4, max: 4 }),
      change: fc.record({
        side: fc.constantFrom("buy" as const, "sell" as const),
        type: fc.constantFrom("limit" as const, "limit" as const, "market" as const),
        time_in_force: fc.constantFrom(
          "gtc" as const,
          "gtc" as const,
          "ioc" as const,
          "fok" as const,
        ),
        quantity: fc.integer({ min: 2, max: 20 }).map((n) => n * 2),
        reduce_only: fc.boolean(),
        post_only: fc.boolean(),
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("cancel" as const, "amend" as const),
      name: fc.nat(40),
      offset: fc.integer({ min: -4, max: 4 }),
      quantity: fc.integer({ min: 2, max: 20 }).map((n) => n * 2),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "cancel_all" as const }) },
);

const RANDOM: Partial<SimulatedVenueOptions> = {
  latency_us: 15,
  latency_jitter_us: 20,
  maker_fee_ppm: -25,
  taker_fee_ppm: 433,
};

/** Plays steps; `cuts` are steps before which the exchange is saved and another one takes over. */
function play(
  steps: readonly Step[],
  cuts: readonly number[],
  watch: (fresh: readonly ExecutionReport[], position: PositionView, venue: SimulatedVenue) => void,
): ExecutionReport[] {
  let venue = open(RANDOM);
  const all: ExecutionReport[] = [];
  let [at, price] = [1_000, 1_000];
  steps.forEach((now, index) => {
    if (cuts.includes(index)) {
      const bytes = venue.save();
      venue = open(RANDOM);
      venue.restore(bytes);
      expect(Buffer.from(venue.save()).equals(bytes)).toBe(true);
    }
    const out: ExecutionReport[] = [];
    if (now.do === "trade") {
      at += now.after;
      price = Math.max(900, price + now.move * 5);
      venue.onTrade(
        feedOf([{ at, price, quantity: now.quantity, aggressor: now.aggressor }]),
        0,
        out,
      );
    } else if (now.do === "submit") {
      venue.submit(
        order(`n${now.name}`, {
          ...now.change,
          price: now.change.type === "market" ? 0 : price + now.offset * 5,
        }),
        at,
      );
    } else if (now.do === "cancel") venue.cancel(id(`n${now.name}`), at);
    else if (now.do === "amend")
      venue.amend(
        id(`n${now.name}`),
        { price: price + now.offset * 5, quantity: now.quantity },
        at,
      );
    else venue.cancelAll(at);
    all.push(...out);
    const [position] = venue.positions();
    if (position !== undefined) watch(out, position, venue);
  });
  return all;
}

const ignore = (): void => undefined;

describe("properties", () => {
  it("money is conserved: every fill agrees with a second, naive account", () => {
    let fillsSeen = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 150 }), (steps) => {
        // The naive account: a list of fills, summed anew each time; average cost as an exact fraction.
        const fills: ExecutionReport[] = [];
        play(steps, [], (fresh, position) => {
          fills.push(...fresh.filter((report) => report.fill_id !== null));
          let [quantity, cash, fees] = [0n, 0n, 0n];
          let [costTop, costBottom, realisedTop, realisedBottom] = [0n, 1n, 0n, 1n];
          for (const fill of fills) {
            const signed = BigInt(fill.side === "buy" ? fill.quantity : -fill.quantity);
            const price = BigInt(fill.price);
            cash -= signed * price + fill.fee;
            fees += fill.fee;
            const opposite = quantity * signed < 0n;
            const closed = opposite ? (abs(signed) < abs(quantity) ? signed : -quantity) : 0n;
            if (closed !== 0n) {
              // profit = −price·closed + cost·closed/quantity
              const [top, bottom] = [
                -price * closed * costBottom * quantity + costTop * closed,
                costBottom * quantity,
              ];
              [realisedTop, realisedBottom] = [
                realisedTop * bottom + top * realisedBottom,
                realisedBottom * bottom,
              ];
              [costTop, costBottom] = [costTop * (quantity + closed), costBottom * quantity];
            }
            costTop += price * (signed - closed) * costBottom;
            quantity += signed;
            if (quantity === 0n) [costTop, costBottom] = [0n, 1n];
          }
          expect(BigInt(position.quantity)).toBe(quantity);
          expect(position.cash).toBe(cash);
          expect(position.fees).toBe(fees);
          expect(position.cash + quantity * BigInt(position.last_price)).toBe(
            position.realised_profit + position.unrealised_profit - position.fees,
          );
          // Rounding moves at most one unit per fill between realised and open, and never out of the sum.
          const drift = position.realised_profit * realisedBottom - realisedTop;
          expect(abs(drift) <= abs(realisedBottom) * BigInt(fills.length)).toBe(true);
          if (quantity === 0n) expect(position.cost).toBe(0n);
        });
        fillsSeen += fills.length;
      }),
      { seed: 7, numRuns: 120 },
    );
    expect(fillsSeen).toBeGreaterThan(200);
  });

  it("[M-15.2] a run cut anywhere by save and restore gives the reports of the uncut run", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 10, maxLength: 120 }),
        fc.array(fc.nat(119), { minLength: 1, maxLength: 4 }),
        (steps, cuts) => {
          expect(play(steps, cuts, ignore)).toEqual(play(steps, [], ignore));
        },
      ),
      { seed: 8, numRuns: 120 },
    );
  });

  it("no fill beyond the trade, the order or the limit; no reduce_only fill enlarges; ids are single", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 150 }), (steps) => {
        let [index, before, reported] = [0, 0, 0];
        const reduceOnly = new Map<string, boolean>();
        const limits = new Map<string, number>();
        let price = 1_000;
        const ids = new Set<string>();
        play(steps, [], (fresh, position) => {
          const now = steps[index++];
          if (now?.do === "trade") price = Math.max(900, price + now.move * 5);
          if (now?.do === "submit" && now.change.type === "limit" && !limits.has(`n${now.name}`))
            limits.set(`n${now.name}`, price + now.offset * 5);
          // Where the limit may have changed it is not checked.
          if (now?.do === "submit" && now.change.type === "market" && !limits.has(`n${now.name}`))
            limits.set(`n${now.name}`, Number.NaN);
          if (now?.do === "amend") limits.set(`n${now.name}`, Number.NaN);
          if (now?.do === "submit" && !reduceOnly.has(`n${now.name}`))
            reduceOnly.set(`n${now.name}`, now.change.reduce_only === true);
          for (const side of ["buy", "sell"]) {
            const taken = fresh
              .filter((report) => report.side === side)
              .reduce((sum, report) => sum + report.quantity, 0);
            if (now?.do === "trade") expect(taken).toBeLessThanOrEqual(now.quantity);
          }
          for (const report of fresh) {
            expect(report.event_time_us).toBeGreaterThanOrEqual(reported);
            reported = report.event_time_us;
            expect(report.remaining).toBeGreaterThanOrEqual(0);
            if (report.fill_id === null) continue;
            expect(ids.has(report.fill_id)).toBe(false);
            ids.add(report.fill_id);
            const beyond =
              (report.price - (limits.get(report.client_order_id) ?? 0)) *
              (report.side === "buy" ? 1 : -1);
            expect(Number.isNaN(beyond) || beyond <= 0).toBe(true);
            const after = before + (report.side === "buy" ? report.quantity : -report.quantity);
            if (reduceOnly.get(report.client_order_id) === true)
              expect(Math.abs(after) < Math.abs(before) && after * before >= 0).toBe(true);
            before = after;
          }
          expect(before).toBe(position.quantity);
        });
      }),
      { seed: 9, numRuns: 120 },
    );
  });

  it("state of another exchange, version or form is refused", () => {
    const venue = open();
    for (const bytes of [
      Buffer.from("{"),
      open({ seed: "t" }).save(),
      Buffer.from(Buffer.from(open().save()).toString().replace('"version":1', '"version":2')),
    ]) {
      expect(() => venue.restore(bytes)).toThrow("RUMI-MKT-008");
    }
  });
});

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
