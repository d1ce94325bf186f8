import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ExecutionReport, NewOrder, PositionView, SimulatedVenue, SimulatedVenueOptions } from "../types.ts";
import { feedOf, id, open, order } from "./venue-testing.ts";

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
        time_in_force: fc.constantFrom("gtc" as const, "gtc" as const, "ioc" as const, "fok" as const),
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
      venue.onRow(feedOf([{ at, price, quantity: now.quantity, aggressor: now.aggressor }]), 0, out);
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
      venue.amend(id(`n${now.name}`), { price: price + now.offset * 5, quantity: now.quantity }, at);
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
              const [top, bottom] = [-price * closed * costBottom * quantity + costTop * closed, costBottom * quantity];
              [realisedTop, realisedBottom] = [realisedTop * bottom + top * realisedBottom, realisedBottom * bottom];
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
              (report.price - (limits.get(report.client_order_id) ?? 0)) * (report.side === "buy" ? 1 : -1);
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
