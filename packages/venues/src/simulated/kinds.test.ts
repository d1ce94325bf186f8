/** The exchange on quotes, books and bars: what is offered, to whom, at which price. */
import { describe, expect, it } from "vitest";
import { FLAG_DUPLICATE } from "../columns.ts";
import { FeedBuilder } from "../feed-builder.ts";
import type { ExecutionReport, SimulatedVenue } from "../types.ts";
import { advance, brief, id, market, open, order } from "./venue-testing.ts";

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
type Put = (builder: FeedBuilder) => void;
const head = (at: number, flags = 0) => ({ instrument: 0, event_time_us: at, received_time_us: at, flags });
const quote =
  (at: number, bid: readonly [number, number], ask: readonly [number, number], flags = 0): Put =>
  (builder) =>
    builder.quote({
      ...head(at, flags),
      bid_price: bid[0],
      bid_quantity: bid[1],
      ask_price: ask[0],
      ask_quantity: ask[1],
    });
const trade =
  (at: number, price: number, quantity: number, aggressor = 0): Put =>
  (builder) =>
    builder.trade({ ...head(at), price, quantity, aggressor, trade_id: at });
/** `at` is the bar's end. */
const bar =
  (at: number, prices: readonly [open: number, high: number, low: number, close: number], volume = 1_000): Put =>
  (builder) => {
    const [first, high, low, close] = prices;
    builder.bar({ ...head(at), duration_us: MINUTE, open: first, high, low, close, volume, trades: 0 });
  };
function play(venue: SimulatedVenue, ...rows: readonly Put[]): string[] {
  const builder = new FeedBuilder(1);
  for (const put of rows) put(builder);
  const feed = builder.finish();
  const out: ExecutionReport[] = [];
  for (let row = 0; row < feed.length; row += 1) venue.onRow(feed, row, out);
  return out.map(brief);
}

describe("quotes and books", () => {
  it("[M-4.1.1] a market order takes the best price in force when it arrives, and what it took is gone", () => {
    const venue = open();
    play(venue, quote(10, [995, 20], [1_005, 30]));
    venue.submit(order("a", { ...market, time_in_force: "ioc", quantity: 24 }), 11);
    venue.submit(order("b", { ...market, time_in_force: "ioc", quantity: 10 }), 12);
    venue.submit(order("c", { ...market, side: "sell", quantity: 30 }), 13);
    expect(advance(venue, 20)).toEqual([
      "accepted a",
      "filled a 24@1005 taker",
      "accepted b",
      "partially_filled b 6@1005 taker",
      "cancelled b M.VENUE.IMMEDIATE_OR_CANCEL",
      "accepted c",
      "partially_filled c 20@995 taker",
    ]);
    expect(play(venue, quote(21, [990, 40], [1_005, 30])), "the rest of a gtc order takes the next quote").toEqual([
      "filled c 10@990 taker",
    ]);
  });

  it("a limit order that crosses the quote takes; one inside the spread rests until the quote comes to it", () => {
    const venue = open();
    play(venue, quote(10, [995, 20], [1_005, 30]));
    venue.submit(order("cross", { price: 1_010, quantity: 10 }), 11);
    venue.submit(order("inside", { price: 1_000, quantity: 10 }), 12);
    expect(advance(venue, 20)).toEqual(["accepted cross", "filled cross 10@1005 taker", "accepted inside"]);
    expect(play(venue, quote(21, [1_000, 20], [1_005, 30]))).toEqual([]);
    expect(play(venue, quote(22, [990, 20], [995, 6]))).toEqual(["partially_filled inside 6@1000 maker"]);
    expect(play(venue, trade(23, 995, 50, 2))).toEqual(["filled inside 4@1000 maker"]);
  });

  it("post-only is judged by the quote, fok fills whole or not at all, and the best price's queue stands before us", () => {
    const venue = open();
    play(venue, quote(10, [995, 20], [1_005, 30]));
    venue.submit(order("post", { price: 1_005, post_only: true }), 11);
    venue.submit(order("all", { price: 1_005, time_in_force: "fok", quantity: 40 }), 12);
    venue.submit(order("join", { price: 995, quantity: 10 }), 13);
    expect(advance(venue, 20)).toEqual([
      "rejected post M.VENUE.POST_ONLY",
      "accepted all",
      "cancelled all M.VENUE.FILL_OR_KILL",
      "accepted join",
    ]);
    expect(play(venue, trade(21, 995, 24, 2))).toEqual(["partially_filled join 4@995 maker"]);
  });

  it("an empty side gives nothing; a repeated quote brings no new quantity; an older one changes nothing", () => {
    const venue = open();
    play(venue, quote(10, [995, 20], [0, 0]));
    venue.submit(order("a", { ...market, time_in_force: "ioc" }), 11);
    expect(advance(venue, 20)).toEqual(["accepted a", "cancelled a M.VENUE.IMMEDIATE_OR_CANCEL"]);
    play(venue, quote(30, [995, 20], [1_005, 10]));
    venue.submit(order("b", { ...market, quantity: 16 }), 31);
    expect(advance(venue, 40)).toEqual(["accepted b", "partially_filled b 10@1005 taker"]);
    expect(play(venue, quote(41, [995, 20], [1_005, 10], FLAG_DUPLICATE), quote(29, [900, 1], [905, 100]))).toEqual([]);
    expect(play(venue, quote(42, [995, 20], [1_010, 10]))).toEqual(["filled b 6@1010 taker"]);
  });

  it("[M-4.1.1] a book row offers its best levels", () => {
    const venue = open();
    const book = { ...head(10), first_sequence: 0, last_sequence: 0 };
    play(
      venue,
      (builder) => builder.book({ ...book, action: "snapshot", bids: [[995, 20]], asks: [[1_005, 4]] }),
      (builder) => builder.book({ ...book, action: "increment", bids: [], asks: [[1_000, 6]] }),
    );
    venue.submit(order("a", { ...market, quantity: 10 }), 11);
    expect(advance(venue, 12)).toEqual(["accepted a", "partially_filled a 6@1000 taker"]);
    expect(venue.positions()[0]?.last_price).toBe(997);
  });
});

describe("bars alone", () => {
  const first = bar(MINUTE, [1_000, 1_010, 990, 1_000]);
  const sent = (venue: SimulatedVenue, at: number, ...orders: Parameters<typeof order>[]): void => {
    play(venue, first);
    for (const [name, change] of orders) venue.submit(order(name, change), at);
  };

  it("[M-4.1.1] an order sent at a bar's end trades in the next one: a market order at its open", () => {
    const venue = open();
    sent(venue, MINUTE, ["m", { ...market }], ["s", { ...market, side: "sell", quantity: 4 }]);
    expect(play(venue, bar(2 * MINUTE, [1_005, 1_020, 995, 1_015]))).toEqual([
      "accepted m",
      "cancelled m M.VENUE.SELF_TRADE",
      "accepted s",
      "filled s 4@1005 taker",
    ]);
  });

  it("one that arrives later in the bar gets the worse of open and close", () => {
    for (const [at, price] of [
      [MINUTE + SECOND, 1_005],
      [MINUTE + SECOND + 1, 1_015],
    ] as const) {
      const venue = open();
      sent(venue, at, ["m", { ...market }]);
      expect(play(venue, bar(2 * MINUTE, [1_005, 1_020, 995, 1_015]))).toEqual([
        "accepted m",
        `filled m 10@${price} taker`,
      ]);
    }
  });

  it("a resting order fills at its limit when a bar goes through it, not when it touches it", () => {
    const venue = open();
    sent(venue, MINUTE, ["low", { price: 995 }], ["lower", { price: 990 }]);
    expect(play(venue, bar(2 * MINUTE, [1_005, 1_010, 990, 1_000]))).toEqual([
      "accepted low",
      "accepted lower",
      "filled low 10@995 maker",
    ]);
    expect(play(venue, bar(3 * MINUTE, [980, 1_000, 980, 985])), "a gap through the limit pays the limit").toEqual([
      "filled lower 10@990 maker",
    ]);
  });

  it("a limit order that came in the middle of a bar knows only its close", () => {
    const venue = open();
    sent(venue, MINUTE + 30 * SECOND, ["a", { price: 995 }]);
    expect(play(venue, bar(2 * MINUTE, [1_005, 1_010, 980, 1_000]))).toEqual(["accepted a"]);
    expect(play(venue, bar(3 * MINUTE, [1_005, 1_010, 980, 1_000]))).toEqual(["filled a 10@995 maker"]);
  });

  it("our orders get a bar's volume once per side, and nothing of a bar without volume", () => {
    const venue = open();
    sent(venue, MINUTE, ["a", { ...market, quantity: 30 }]);
    expect(play(venue, bar(2 * MINUTE, [1_000, 1_000, 1_000, 1_000], 0))).toEqual(["accepted a"]);
    expect(play(venue, bar(3 * MINUTE, [1_000, 1_000, 1_000, 1_000], 24))).toEqual([
      "partially_filled a 24@1000 taker",
    ]);
    expect(play(venue, bar(4 * MINUTE, [1_005, 1_005, 1_005, 1_005], 24))).toEqual(["filled a 6@1005 taker"]);
  });

  it("a cancel that arrives inside the bar is in time", () => {
    const venue = open();
    sent(venue, MINUTE, ["a", { price: 995 }]);
    venue.cancel(id("a"), 2 * MINUTE - 1);
    expect(play(venue, bar(2 * MINUTE, [1_005, 1_010, 980, 1_000]))).toEqual(["accepted a", "cancelled a"]);
  });

  it("bars beside trades or quotes of the same instrument only repeat them, and match nothing", () => {
    for (const finer of [trade(MINUTE, 1_000, 5), quote(MINUTE, [995, 5], [1_005, 4])]) {
      const venue = open();
      play(venue, finer);
      venue.submit(order("a", { price: 995 }), MINUTE);
      const seen = play(venue, bar(2 * MINUTE, [1_005, 1_010, 980, 1_000]));
      expect(seen).toEqual(["accepted a"]);
    }
  });
});
