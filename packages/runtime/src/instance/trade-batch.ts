/**
 * Trades handed to a strategy several at a time, where a call costs more than an event: processes, in backtests.
 *
 * How to think: the row loop stays what it is, one row after the other. At a row whose future is certain (no timer, no
 * report, no other input can come between) this sends the frames of the following rows along with its own; the strategy
 * takes them until it says something, and then the loop's next rows find their answers here. Whatever the strategy says
 * is taken at its own row, before the next frame is looked at. So nothing but the time it takes is different.
 *
 * Invariants
 * - Same entries as one by one (trade-batch.test.ts "[M-15.2]").
 * - A process that breaks says not at which frame: the fault is the first one's, and what was sent along goes one by one.
 */
import { CALLBACK } from "@rumi/abi";
import { FAULTED } from "../strategy/strategy.ts";
import type { KnownFaults } from "./known-faults.ts";
import type { MachineOptions } from "./machine-options.ts";
import type { MarketFrames } from "./market-frames.ts";
import { TRADE_FRAME_BYTES } from "./trade-frame.ts";

type Scene = {
  readonly options: MachineOptions;
  readonly frames: MarketFrames;
  readonly faults: KnownFaults;
  /** The time from which something else than a trade may come, a question for its state among them. */
  readonly certainUntil: () => number;
};

/** `null` when trades go one by one. */
export function tradeBatchOf(scene: Scene): TradeBatch | null {
  const { strategy, feed, batch } = scene.options;
  return batch === true && strategy.invokeMany !== undefined && feed.mixed === undefined ? new TradeBatch(scene) : null;
}

export class TradeBatch {
  readonly #scene: Scene;
  /** Rows before this have been answered; the last of them with `#length`. */
  #until = 0;
  #length = 0;
  #alone = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** As `strategy.invoke` for the trade at `row`, whose frame is written already. `calls` were made before it. */
  invoke(row: number, limit: number, calls: number): number {
    if (row < this.#until) return row + 1 === this.#until ? this.#length : 0;
    const { strategy } = this.#scene.options;
    const many = strategy.invokeMany?.bind(strategy);
    const count = row < this.#alone ? 1 : this.#write(row, limit, calls);
    if (count === 1 || many === undefined) return strategy.invoke(CALLBACK.event, TRADE_FRAME_BYTES);
    this.#length = many(count, count * TRADE_FRAME_BYTES);
    if (this.#length === FAULTED) {
      this.#alone = row + count;
      return FAULTED;
    }
    this.#until = row + (strategy.framesTaken ?? 1);
    return row + 1 === this.#until ? this.#length : 0;
  }

  /** Writes the frames of the rows behind `row` that are certain; answers how many lie there, `row`'s included. */
  #write(row: number, limit: number, calls: number): number {
    const { options, frames, faults, certainUntil } = this.#scene;
    const { strategy, feed, venue } = options;
    const most = Math.min(
      strategy.framesAtOnce ?? 1,
      limit - row,
      faults.next < 0 ? Number.POSITIVE_INFINITY : faults.next - calls,
    );
    if (most <= 1 || !venue.isQuiet()) return 1;
    const at = strategy.room(most * TRADE_FRAME_BYTES);
    if (at === FAULTED) return 1;
    const until = certainUntil();
    const { inputs, clock } = frames;
    let count = 1;
    for (; count < most; count += 1) {
      const now = Math.max(frames.clock, feed.received_time_us[row + count] ?? 0);
      if (now >= until) break;
      frames.clock = now;
      frames.inputs = inputs + count;
      frames.traceRow(row + count);
      frames.write(strategy.views, at + count * TRADE_FRAME_BYTES, row + count);
    }
    frames.inputs = inputs;
    frames.clock = clock;
    frames.traceRow(row);
    return count;
  }
}
