/**
 * What a recording's rows become in a feed: one sink that knows every kind of layout.
 *
 * A trade, a quote, a bar and a book snapshot are one row each. Rows of an incremental book that share event time,
 * received time and snapshot mark are one message of the exchange and become one book row: its levels best first, its
 * sequences the numbers of its first and last row in the file, its flags those of any of them.
 */
import { ABI_LIMITS } from "@rumi/abi";
import { FLAG_GAP } from "../columns.ts";
import { FeedBuilder } from "../feed-builder.ts";
import type { MarketFeed } from "../types.ts";
import { SLOT, type Layout, type LayoutKind } from "./layouts.ts";

type Level = readonly [price: number, quantity: number];

/** Collects the rows of one file; every row is of instrument 0. */
export class FeedSink {
  #builder: FeedBuilder;
  #kind: LayoutKind = "trade";
  #levels = 0;
  #rows = 0;
  #group: BookGroup | undefined;
  /** Whether a snapshot has been seen: without one an increment has nothing to change. */
  #based = false;
  #lastWasSnapshot = false;

  constructor(capacity: number) {
    this.#builder = new FeedBuilder(capacity);
  }

  get length(): number {
    return this.#builder.length;
  }

  begin(layout: Layout): void {
    this.#kind = layout.kind;
    this.#levels = (layout.columns.length - 4) / 4;
  }

  row(values: Float64Array, flags: number): void {
    this.#rows += 1;
    switch (this.#kind) {
      case "trade":
        return this.#trade(values, flags);
      case "quote":
        return this.#builder.quote({
          ...head(values, flags),
          bid_price: values[SLOT.a] ?? 0,
          ask_price: values[SLOT.b] ?? 0,
          bid_quantity: values[SLOT.c] ?? 0,
          ask_quantity: values[SLOT.d] ?? 0,
        });
      case "bar":
        return this.#builder.bar({
          ...head(values, flags),
          duration_us: values[SLOT.g] ?? 0,
          open: values[SLOT.c] ?? 0,
          high: values[SLOT.d] ?? 0,
          low: values[SLOT.e] ?? 0,
          close: values[SLOT.a] ?? 0,
          volume: values[SLOT.b] ?? 0,
          trades: values[SLOT.f] ?? 0,
        });
      case "book_snapshot":
        return this.#snapshot(values, flags);
      case "book_increments":
        return this.#increment(values, flags);
    }
  }

  /** Everything so far, as a feed of its own; the sink goes on with an empty one. A message may still be open. */
  take(capacity: number): MarketFeed {
    const feed = this.#builder.finish();
    this.#builder = new FeedBuilder(capacity, { after: this.#builder });
    return feed;
  }

  /** The last message of a book is over. */
  end(): void {
    this.#flush();
  }

  #trade(values: Float64Array, flags: number): void {
    const at = this.#builder.next();
    const { feed } = this.#builder;
    feed.event_time_us[at] = values[SLOT.time] ?? 0;
    feed.received_time_us[at] = values[SLOT.received] ?? 0;
    feed.price[at] = values[SLOT.a] ?? 0;
    feed.quantity[at] = values[SLOT.b] ?? 0;
    feed.aggressor[at] = values[SLOT.side] ?? 0;
    feed.trade_id[at] = values[SLOT.id] ?? 0;
    feed.flags[at] = flags;
  }

  #snapshot(values: Float64Array, flags: number): void {
    const bids: Level[] = [];
    const asks: Level[] = [];
    for (let level = 0; level < this.#levels; level += 1) {
      const at = SLOT.a + level * 4;
      const ask = values[at] ?? 0;
      const bid = values[at + 2] ?? 0;
      if (ask > 0) asks.push([ask, values[at + 1] ?? 0]);
      if (bid > 0) bids.push([bid, values[at + 3] ?? 0]);
    }
    const sequence = { first_sequence: this.#rows, last_sequence: this.#rows };
    this.#builder.book({ ...head(values, flags), ...sequence, action: "snapshot", bids, asks });
  }

  #increment(values: Float64Array, flags: number): void {
    const time = values[SLOT.time] ?? 0;
    const received = values[SLOT.received] ?? 0;
    const snapshot = values[SLOT.c] === 1;
    let group = this.#group;
    if (
      group === undefined ||
      group.event_time_us !== time ||
      group.received_time_us !== received ||
      group.snapshot !== snapshot ||
      group.bids.length + group.asks.length >= ABI_LIMITS.book_levels
    ) {
      this.#flush();
      group = this.#group = {
        event_time_us: time,
        received_time_us: received,
        snapshot,
        first: this.#rows,
        flags: 0,
        bids: [],
        asks: [],
      };
    }
    group.flags |= flags;
    (values[SLOT.side] === 1 ? group.bids : group.asks).push([values[SLOT.a] ?? 0, values[SLOT.b] ?? 0]);
  }

  #flush(): void {
    const group = this.#group;
    if (group === undefined) return;
    this.#group = undefined;
    const { first, snapshot, bids, asks, event_time_us, received_time_us } = group;
    // A snapshot goes on over several rows; only its first one empties the book.
    const action = snapshot && !this.#lastWasSnapshot ? "snapshot" : "increment";
    this.#lastWasSnapshot = snapshot;
    const flags = this.#based || snapshot ? group.flags : group.flags | FLAG_GAP;
    this.#based = true;
    this.#builder.book({
      instrument: 0,
      event_time_us,
      received_time_us,
      flags,
      action,
      first_sequence: first,
      last_sequence: first + bids.length + asks.length - 1,
      bids: bids.toSorted((a, b) => b[0] - a[0]),
      asks: asks.toSorted((a, b) => a[0] - b[0]),
    });
  }
}

type BookGroup = {
  readonly event_time_us: number;
  readonly received_time_us: number;
  readonly snapshot: boolean;
  readonly first: number;
  flags: number;
  readonly bids: Level[];
  readonly asks: Level[];
};

function head(
  values: Float64Array,
  flags: number,
): {
  readonly instrument: number;
  readonly event_time_us: number;
  readonly received_time_us: number;
  readonly flags: number;
} {
  return {
    instrument: 0,
    event_time_us: values[SLOT.time] ?? 0,
    received_time_us: values[SLOT.received] ?? 0,
    flags,
  };
}
