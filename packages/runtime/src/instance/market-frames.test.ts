import {
  frameViews,
  makeFrameHeader,
  type FrameHeader,
  type FrameViews,
  writeBarEvent,
  writeBookEvent,
  writeQuoteEvent,
  writeTradeEvent,
} from "@rumi/abi";
import { FeedBuilder, type MarketKind } from "@rumi/venues";
import { describe, expect, it } from "vitest";
import { MarketFrames } from "./market-frames.ts";

const TRACE = new Uint8Array(Buffer.from("0123456789abcdef0000000000000000", "hex"));
const MOST = Number.MAX_SAFE_INTEGER;
const HEAD = {
  instrument: 3,
  event_time_us: 1_600_000_000_000_000,
  received_time_us: 1_600_000_000_000_500,
  flags: 31,
};
const QUOTE = { bid_price: 2 ** 32, bid_quantity: 5, ask_price: MOST, ask_quantity: 0 };
const BAR = { duration_us: 60_000_000, open: 7, high: MOST, low: 1, close: 2 ** 31, volume: 2 ** 33, trades: 12 };
const BIDS: readonly [number, number][] = [
  [100, 2],
  [99, MOST],
];
const ASKS: readonly [number, number][] = [[2 ** 40, 0]];

function feed() {
  const builder = new FeedBuilder(2);
  builder.trade({ ...HEAD, price: 5, quantity: 6, aggressor: 2, trade_id: 8 });
  builder.quote({ ...HEAD, ...QUOTE });
  builder.bar({ ...HEAD, ...BAR });
  builder.book({ ...HEAD, action: "snapshot", first_sequence: 1, last_sequence: 1, bids: [[1, 1]], asks: [] });
  builder.book({ ...HEAD, action: "increment", first_sequence: 4, last_sequence: 2 ** 35, bids: BIDS, asks: ASKS });
  return builder.finish();
}
type Write = (to: FrameViews, at: number, header: FrameHeader) => number;
const expected: readonly [kind: MarketKind, row: number, write: Write][] = [
  ["trade", 0, (to, at, h) => writeTradeEvent(to, at, h, { price: 5, quantity: 6, tradeId: 8, aggressor: 2 })],
  [
    "quote",
    1,
    (to, at, h) => writeQuoteEvent(to, at, h, { bidPrice: 2 ** 32, bidQuantity: 5, askPrice: MOST, askQuantity: 0 }),
  ],
  [
    "bar",
    2,
    (to, at, h) =>
      writeBarEvent(to, at, h, {
        openTimeUs: HEAD.event_time_us - 60_000_000,
        durationUs: 60_000_000,
        open: 7,
        high: MOST,
        low: 1,
        close: 2 ** 31,
        volume: 2 ** 33,
        trades: 12,
      }),
  ],
  [
    "book",
    4,
    (to, at, h) =>
      writeBookEvent(to, at, h, {
        firstSequence: 4,
        lastSequence: 2 ** 35,
        action: 2,
        bids: BIDS.map(([price, quantity]) => ({ price, quantity })),
        asks: ASKS.map(([price, quantity]) => ({ price, quantity })),
      }),
  ],
];

describe("market frames", () => {
  for (const [kind, row, write] of expected) {
    it(`[M-4.1.1] [M-11.3] a ${kind} row: the bytes of the generated codec, three timestamps and all flags in it`, () => {
      const columns = feed();
      const { mixed } = columns;
      if (mixed === undefined) throw new Error("a mixed feed");
      const trace = TRACE.slice();
      const frames = new MarketFrames(columns, trace, new Set([kind]));
      const bytes = frames.bytesOf(mixed, row);
      const buffer = new ArrayBuffer(8 + bytes);
      new Uint8Array(buffer).fill(0xff);
      frames.inputs = 2 ** 34;
      frames.clock = HEAD.received_time_us + 9;
      frames.traceRow(row);
      frames.writeRow(frameViews(buffer, 0, buffer.byteLength), 8, row, mixed, bytes);
      const header = makeFrameHeader();
      header.cursor = 2 ** 34;
      header.eventTimeUs = HEAD.event_time_us;
      header.receivedTimeUs = HEAD.received_time_us;
      header.processedTimeUs = HEAD.received_time_us + 9;
      header.instrument = 3;
      header.flags = 31;
      header.traceId.set(trace);
      const codec = new ArrayBuffer(8 + bytes);
      expect(write(frameViews(codec, 0, codec.byteLength), 8, header)).toBe(bytes);
      expect(Buffer.from(buffer, 8).toString("hex")).toBe(Buffer.from(codec, 8).toString("hex"));
    });

    it(`[M-2.1.2] a ${kind} row is nothing to a strategy that does not subscribe to it`, () => {
      const columns = feed();
      const others = new Set(["trade", "quote", "bar", "book"].filter((word) => word !== kind));
      expect(columns.mixed && new MarketFrames(columns, TRACE.slice(), others).bytesOf(columns.mixed, row)).toBe(0);
    });
  }
});
