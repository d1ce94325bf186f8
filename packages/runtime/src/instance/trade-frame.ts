/**
 * The trade frame of ABI 1, written straight into the strategy's memory: the one frame of the hot path.
 *
 * How to think: the generated codec says the same, but takes a header and a value object; here a feed row becomes 24 words.
 * Numbers that need more than 31 bits stay in columns and fields, because an argument of that size would be allocated.
 *
 * Invariant: byte for byte the frame of the generated codec (trade-frame.test.ts, docs/formats/trade-frame.v1.json).
 */
import { ABI_VERSION, type FrameViews } from "@rumi/abi";
import type { MarketFeed } from "@rumi/venues";

export const TRADE_FRAME_BYTES = 96;
const HIGH = 4_294_967_296;

export class TradeFrames {
  /** What the next frame says of itself: inputs delivered before it, and the time at which it is processed. */
  inputs = 0;
  clock = 0;
  readonly #feed: MarketFeed;
  /** The trace id as words; the first two are the run's, the last two the row's. */
  readonly #trace: Uint32Array;

  constructor(feed: MarketFeed, trace: Uint8Array) {
    this.#feed = feed;
    this.#trace = new Uint32Array(trace.buffer, trace.byteOffset, 4);
  }

  /** The trace id of everything that happens at this row; big-endian, so that it reads as run and cursor. */
  traceRow(row: number): void {
    this.#trace[2] = swap(Math.floor(row / HIGH));
    this.#trace[3] = swap(row);
  }

  /** `at` is a multiple of 8 with 96 bytes of room. */
  write({ u32, i32 }: FrameViews, at: number, row: number): void {
    const { received_time_us, event_time_us, price, quantity, instrument, trade_id, aggressor, flags } = this.#feed;
    const trace = this.#trace;
    const word = at >> 2;
    const eventAt = event_time_us[row] ?? 0;
    const receivedAt = received_time_us[row] ?? 0;
    const p = price[row] ?? 0;
    const q = quantity[row] ?? 0;
    const id = trade_id[row] ?? 0;
    u32[word] = 1 | ((flags[row] ?? 0) << 16);
    u32[word + 1] = TRADE_FRAME_BYTES;
    u32[word + 2] = this.inputs;
    u32[word + 3] = Math.floor(this.inputs / HIGH);
    u32[word + 4] = eventAt;
    i32[word + 5] = Math.floor(eventAt / HIGH);
    u32[word + 6] = receivedAt;
    i32[word + 7] = Math.floor(receivedAt / HIGH);
    u32[word + 8] = this.clock;
    i32[word + 9] = Math.floor(this.clock / HIGH);
    u32[word + 10] = instrument[row] ?? 0;
    u32[word + 11] = ABI_VERSION;
    u32[word + 12] = trace[0] ?? 0;
    u32[word + 13] = trace[1] ?? 0;
    u32[word + 14] = trace[2] ?? 0;
    u32[word + 15] = trace[3] ?? 0;
    u32[word + 16] = p;
    i32[word + 17] = Math.floor(p / HIGH);
    u32[word + 18] = q;
    i32[word + 19] = Math.floor(q / HIGH);
    u32[word + 20] = id;
    u32[word + 21] = Math.floor(id / HIGH);
    u32[word + 22] = aggressor[row] ?? 0;
    u32[word + 23] = 0;
  }
}

function swap(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
