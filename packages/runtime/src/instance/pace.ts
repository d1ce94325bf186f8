/** How fast recorded time runs: not at all limited, a multiple of the monotonic clock's, or behind a leading instance. */
import type { MarketFeed } from "@rumi/venues";
import type { Pace } from "../protocol.ts";

export class FeedPace {
  readonly #feed: MarketFeed;
  readonly #pace: Pace;
  readonly #monotonic: () => number;
  /** Rows that the leading instance has taken; a Compute side is never ahead of it. */
  readonly #lead: (() => number) | undefined;
  #from = { monotonic: 0, feed_us: 0 };

  constructor(feed: MarketFeed, pace: Pace, monotonic: () => number, lead?: () => number) {
    this.#feed = feed;
    this.#pace = pace;
    this.#monotonic = monotonic;
    this.#lead = lead;
  }

  /** Time runs from this row on; what passed while nothing ran is not caught up. */
  startAt(cursor: number): void {
    this.#from = { monotonic: this.#monotonic(), feed_us: this.#feed.received_time_us[cursor] ?? 0 };
  }

  /** First row from `cursor` that may not be taken yet, at most `until`. */
  limit(cursor: number, until: number): number {
    const { length, received_time_us } = this.#feed;
    const end = Math.min(length, until);
    if (this.#lead !== undefined) return Math.max(cursor, Math.min(end, this.#lead()));
    if (this.#pace.kind === "max") return end;
    const now_us = this.#nowUs();
    let row = cursor;
    while (row < end && (received_time_us[row] ?? 0) <= now_us) row += 1;
    return row;
  }

  /** Whether there is a pace at all: without one nothing is ever due, and nothing waits. */
  get limited(): boolean {
    return this.#lead !== undefined || this.#pace.kind !== "max";
  }

  /** First row from `cursor` whose time has not come. */
  due(cursor: number): number {
    const { length, received_time_us } = this.#feed;
    if (this.#lead !== undefined) return Math.max(cursor, Math.min(length, this.#lead()));
    const now_us = this.#nowUs();
    let low = cursor;
    let high = length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((received_time_us[middle] ?? 0) <= now_us) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Wall time since the row was due, microseconds; behind a lead: event time that the lead is ahead. */
  waitedUs(row: number): number {
    const factor = this.#lead !== undefined || this.#pace.kind === "max" ? 1 : this.#pace.factor;
    return Math.max(0, (this.#nowUs() - (this.#feed.received_time_us[row] ?? 0)) / factor);
  }

  #nowUs(): number {
    if (this.#lead !== undefined) return this.#feed.received_time_us[this.#lead() - 1] ?? 0;
    const factor = this.#pace.kind === "max" ? 1 : this.#pace.factor;
    return this.#from.feed_us + (this.#monotonic() - this.#from.monotonic) * 1_000 * factor;
  }

  /** Milliseconds until the row at `cursor` may be taken; 0 now, `undefined` where nobody knows (no such row yet). */
  dueIn(cursor: number): number | undefined {
    const { length, received_time_us } = this.#feed;
    if (cursor >= length) return undefined;
    // When its lead goes on is nothing that it could know.
    if (this.#lead !== undefined) return this.#lead() > cursor ? 0 : undefined;
    if (this.#pace.kind === "max") return 0;
    return Math.max(0, ((received_time_us[cursor] ?? 0) - this.#nowUs()) / 1_000 / this.#pace.factor);
  }
}
