/** How fast recorded time runs: not at all limited, or a multiple of the monotonic clock's. */
import type { MarketFeed } from "@rumi/venues";
import type { Pace } from "../protocol.ts";

export class FeedPace {
  readonly #feed: MarketFeed;
  readonly #pace: Pace;
  readonly #monotonic: () => number;
  #from = { monotonic: 0, feed_us: 0 };

  constructor(feed: MarketFeed, pace: Pace, monotonic: () => number) {
    this.#feed = feed;
    this.#pace = pace;
    this.#monotonic = monotonic;
  }

  /** Time runs from this row on; what passed while nothing ran is not caught up. */
  startAt(cursor: number): void {
    this.#from = { monotonic: this.#monotonic(), feed_us: this.#feed.received_time_us[cursor] ?? 0 };
  }

  /** First row from `cursor` that may not be taken yet, at most `until`. */
  limit(cursor: number, until: number): number {
    const { length, received_time_us } = this.#feed;
    const end = Math.min(length, until);
    if (this.#pace.kind === "max") return end;
    const now_us = this.#from.feed_us + (this.#monotonic() - this.#from.monotonic) * 1_000 * this.#pace.factor;
    let row = cursor;
    while (row < end && (received_time_us[row] ?? 0) <= now_us) row += 1;
    return row;
  }
}
