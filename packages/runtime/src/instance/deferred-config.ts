/**
 * A configuration that waits for its boundary: the next bar (event-time minute) or the next state checkpoint (M-10.2).
 *
 * The newest wish wins. What waits is not on the record yet; after a crash the specification's own configuration takes
 * effect at the resume, so nothing is lost, only sooner.
 */
import type { MarketFeed } from "@rumi/venues";
import type { ApplyPoint } from "../protocol.ts";
import type { MachineInput } from "./input.ts";

type ConfigInput = Extract<MachineInput, { input: "config" }>;
const BAR_US = 60_000_000;

export class DeferredConfig {
  readonly #feed: MarketFeed;
  #waiting: {
    readonly input: ConfigInput;
    readonly at: ApplyPoint;
    /** Bar in which it was asked for. */ readonly bar: number;
  } | null = null;

  constructor(feed: MarketFeed) {
    this.#feed = feed;
  }

  /** Answers whether it waits; otherwise it is to be applied now. */
  put(input: ConfigInput, cursor: number): boolean {
    const at = input.at ?? "next_tick";
    this.#waiting = at === "next_tick" ? null : { input, at, bar: this.#barOf(Math.max(0, cursor - 1)) };
    return this.#waiting !== null;
  }

  /** First row from `cursor` that belongs to another bar, at most `until`; `until` when nothing waits for a bar. */
  limit(cursor: number, until: number): number {
    if (this.#waiting?.at !== "next_bar") return until;
    let row = cursor;
    while (row < until && this.#barOf(row) <= this.#waiting.bar) row += 1;
    return row;
  }

  /** What is due before this row. */
  takeAtRow(cursor: number): ConfigInput | null {
    if (this.#waiting?.at !== "next_bar" || cursor >= this.#feed.length || this.#barOf(cursor) <= this.#waiting.bar)
      return null;
    return this.takeAtEnd();
  }

  takeAtCheckpoint(): ConfigInput | null {
    return this.#waiting?.at === "next_checkpoint" ? this.takeAtEnd() : null;
  }

  /** The feed is over: no boundary follows. */
  takeAtEnd(): ConfigInput | null {
    const input = this.#waiting?.input ?? null;
    this.#waiting = null;
    return input;
  }

  #barOf(row: number): number {
    return Math.floor((this.#feed.event_time_us[row] ?? 0) / BAR_US);
  }
}
