/**
 * A burst: so many trades at once, and the venue's word on cancelled orders in the middle of it.
 *
 * How to think: host, machine, journal, live side and gateway are those of a live bot; only the venue is in here, and it
 * answers at once. First the strategy places its orders and the venue takes them. Then all trades are there at once, and
 * while the instance works through them the venue cancels one order after the other, each when a certain trade is taken.
 * That moment mostly falls into the middle of a turn, where nobody looks at a socket; it counts from there all the same.
 *
 * What is answered: for each cancel the time until the strategy's callback had it, and everything that the strategy heard
 * of its orders, in the order in which it heard it (burst.test.ts).
 */
import type { InstrumentSpec } from "@rumi/abi";
import { type ClientOrderId, invariant } from "@rumi/kernel";
import type {
  ExecutionVenue,
  FeedSink,
  MarketFeed,
  MarketFeedSource,
  NewOrder,
  OrderSnapshot,
  UpdateSink,
  VenueAnswer,
} from "@rumi/venues";
import { GATEWAY_LIMITS } from "../gateway/limits.ts";
import { LiveSide } from "../gateway/live-side.ts";
import { InstanceHost } from "../instance/host.ts";
import type { InstanceSpec } from "../protocol.ts";
import { SYSTEM } from "../surroundings.ts";
import { BurstStrategy, type HeardExecution } from "./burst-strategy.ts";

const PATIENCE_MS = 60_000;

export type BurstOptions = {
  /** A live specification; its run directory must not exist. */
  readonly spec: InstanceSpec;
  readonly trades: MarketFeed;
  /** Evenly among the trades. */
  readonly cancels: number;
};

export type BurstResult = {
  /** Microseconds from the venue's word until the strategy's callback. */
  readonly cancel_us: readonly number[];
  /** Trades that came before it although they were later. */
  readonly overtaken: readonly number[];
  readonly heard: readonly HeardExecution[];
  readonly rows: number;
};

/** The orders rest far from the market; the first trade brings them forth. */
export async function runBurst(options: BurstOptions): Promise<BurstResult> {
  const { spec, trades, cancels } = options;
  const [instrument] = spec.instruments;
  invariant(instrument !== undefined, "a burst has an instrument");
  const venue = new InstantVenue();
  const source = new BurstSource(trades);
  const strategy = new BurstStrategy({ orders: cancels, price: restingPrice(instrument, trades), instrument });
  const { wallNow, monotonic, timers } = SYSTEM;
  const mayEmit = (): boolean => true;
  const limits = {
    ...GATEWAY_LIMITS,
    requests_per_second: 1_000_000,
    queue: cancels + 1,
    reconcile_every_ms: 3_600_000,
  };
  const live = LiveSide.open({ spec, execution: venue, market: source, mayEmit, monotonic, wallNow, limits });
  invariant(live.ok, "a burst begins in an empty folder");
  const opened = await InstanceHost.open({
    spec,
    feed: live.value.feed,
    strategy,
    venue: live.value.venue,
    live: live.value,
    wallNow,
    monotonic,
    mayEmit,
    onDurable: () => undefined,
    onSegment: () => undefined,
  });
  invariant(opened.ok, "the burst's strategy begins");
  const host = opened.value;
  const until = monotonic() + PATIENCE_MS;
  const turn = async (): Promise<void> => {
    invariant(monotonic() < until, `the burst came to an end; it stands at ${JSON.stringify(host.status().counters)}`);
    const did = await host.turn();
    await new Promise<void>((resolve) => timers.soon(resolve));
    if (did === "idle") await new Promise<void>((resolve) => void timers.after(1, resolve));
    invariant(host.phase !== "failed", `the burst's instance failed: ${host.status().failure?.error_code ?? ""}`);
  };
  source.send(1);
  while (strategy.accepted < cancels) await turn();
  strategy.heard.length = 0;
  source.send(trades.length - 1);
  const said: number[] = [];
  const between = Math.floor(trades.length / (cancels + 1));
  for (let row = 0; row < trades.length || strategy.heard.length < cancels; row = host.status().cursor) {
    const from = monotonic();
    await turn();
    const { cursor } = host.status();
    const until = monotonic();
    for (; said.length < cancels && (said.length + 1) * between <= cursor; venue.cancelNext())
      said.push(from + (until - from) * Math.max(0, ((said.length + 1) * between - row) / (cursor - row)));
  }
  const { cursor: rows } = host.status();
  await host.suspend();
  const cancel_us = strategy.heard.map((one, nth) => (one.at_ms - (said[nth] ?? 0)) * 1_000);
  const overtaken = strategy.heard.map((one, nth) => one.trades - (nth + 1) * between);
  return { cancel_us, overtaken, heard: strategy.heard, rows };
}

/** Where no trade comes by: a tenth of the lowest, as the instrument can say it. */
function restingPrice({ tick_size }: InstrumentSpec, { price }: MarketFeed): number {
  const lowest = price.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
  return Math.max(tick_size, Math.floor((lowest * 0.95) / tick_size) * tick_size);
}

/** All rows that were asked for, at once. */
class BurstSource implements MarketFeedSource {
  readonly #trades: MarketFeed;
  #sink: FeedSink | undefined;
  #sent = 0;

  constructor(trades: MarketFeed) {
    this.#trades = trades;
  }

  start(_after: number | null, sink: FeedSink): void {
    this.#sink = sink;
  }

  send(count: number): void {
    const { event_time_us, received_time_us, price, quantity, aggressor, trade_id, instrument } = this.#trades;
    for (const end = this.#sent + count; this.#sent < end; this.#sent += 1) {
      const at = this.#sent;
      this.#sink?.row(
        {
          kind: "trade",
          event_time_us: event_time_us[at] ?? 0,
          received_time_us: received_time_us[at] ?? 0,
          instrument: instrument[at] ?? 0,
          flags: 0,
          price: price[at] ?? 0,
          quantity: quantity[at] ?? 0,
          aggressor: aggressor[at] ?? 0,
          trade_id: trade_id[at] ?? 0,
        },
        at + 1,
      );
    }
  }

  close(): void {
    this.#sink = undefined;
  }
}

/** Takes every order at once and says nothing of its own accord until it is told to cancel. */
class InstantVenue implements ExecutionVenue {
  readonly recv_window_ms = GATEWAY_LIMITS.recv_window_ms;
  readonly #open: OrderSnapshot[] = [];
  #sink: UpdateSink | undefined;
  #cancelled = 0;

  async place(order: NewOrder): Promise<VenueAnswer> {
    const { client_order_id, instrument, side, price, quantity } = order;
    const venue_order_id = `v${this.#open.length + 1}`;
    const snapshot: OrderSnapshot = {
      client_order_id,
      venue_order_id,
      instrument,
      side,
      price,
      quantity,
      filled: 0,
      state: "open",
      reason_code: null,
      updated_us: 1,
    };
    this.#open.push(snapshot);
    return { kind: "done", order: snapshot, time_us: 1 };
  }

  /** The next order, oldest first, is no more. */
  cancelNext(): void {
    const order = this.#open[this.#cancelled];
    invariant(order !== undefined, "an order is left to cancel");
    this.#cancelled += 1;
    this.#sink?.order({ ...order, state: "cancelled", updated_us: 2 });
  }

  async cancel(_id: ClientOrderId): Promise<VenueAnswer> {
    return { kind: "unknown", problem: "the burst's strategy cancels nothing" };
  }
  async amend(): Promise<VenueAnswer> {
    return { kind: "unknown", problem: "the burst's strategy amends nothing" };
  }
  async query(): Promise<{ readonly kind: "answer"; readonly value: null; readonly time_us: number }> {
    return { kind: "answer", value: null, time_us: 1 };
  }
  async openOrders(): ReturnType<ExecutionVenue["openOrders"]> {
    return { kind: "answer", value: this.#open.slice(this.#cancelled), time_us: 1 };
  }
  async fillsAfter(): ReturnType<ExecutionVenue["fillsAfter"]> {
    return { kind: "answer", value: [], time_us: 1 };
  }
  async syncClock(): ReturnType<ExecutionVenue["syncClock"]> {
    return { kind: "answer", value: 0, time_us: 1 };
  }
  listen(sink: UpdateSink): void {
    this.#sink = sink;
    sink.ready();
  }
  close(): void {
    this.#sink = undefined;
  }
}
