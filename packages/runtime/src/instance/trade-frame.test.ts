import { readFileSync } from "node:fs";
import { frameViews, makeFrameHeader, writeTradeEvent } from "@rumi/abi";
import { allocateColumns } from "@rumi/venues";
import { describe, expect, it } from "vitest";
import { TRADE_FRAME_BYTES, TradeFrames } from "./trade-frame.ts";

type Row = {
  readonly event: number;
  readonly received: number;
  readonly clock: number;
  readonly inputs: number;
  readonly price: number;
  readonly quantity: number;
  readonly id: number;
  readonly aggressor: number;
  readonly instrument: number;
  readonly flags: number;
};
const TRACE = "0123456789abcdef0000000000000000";
const feedOf = (row: Row, at: number) => {
  const feed = allocateColumns(at + 1);
  feed.event_time_us[at] = row.event;
  feed.received_time_us[at] = row.received;
  feed.price[at] = row.price;
  feed.quantity[at] = row.quantity;
  feed.trade_id[at] = row.id;
  feed.aggressor[at] = row.aggressor;
  feed.instrument[at] = row.instrument;
  feed.flags[at] = row.flags;
  return feed;
};
function direct(row: Row, at: number): { readonly bytes: Buffer; readonly trace: Uint8Array } {
  const trace = new Uint8Array(Buffer.from(TRACE, "hex"));
  const frames = new TradeFrames(feedOf(row, at), trace);
  const buffer = new ArrayBuffer(8 + TRADE_FRAME_BYTES);
  new Uint8Array(buffer).fill(0xff);
  frames.inputs = row.inputs;
  frames.clock = row.clock;
  frames.traceRow(at);
  frames.write(frameViews(buffer, 0, buffer.byteLength), 8, at);
  return { bytes: Buffer.from(buffer, 8), trace };
}
function generated(row: Row, trace: Uint8Array): Buffer {
  const buffer = new ArrayBuffer(8 + TRADE_FRAME_BYTES);
  const header = makeFrameHeader();
  header.cursor = row.inputs;
  header.eventTimeUs = row.event;
  header.receivedTimeUs = row.received;
  header.processedTimeUs = row.clock;
  header.instrument = row.instrument;
  header.flags = row.flags;
  header.traceId.set(trace);
  expect(
    writeTradeEvent(frameViews(buffer, 0, buffer.byteLength), 8, header, {
      price: row.price,
      quantity: row.quantity,
      tradeId: row.id,
      aggressor: row.aggressor,
    }),
  ).toBe(TRADE_FRAME_BYTES);
  return Buffer.from(buffer, 8);
}

const PLAIN: Row = {
  event: 1_600_000_000_000_000,
  received: 1_600_000_000_000_500,
  clock: 1_600_000_000_000_900,
  inputs: 7,
  price: 12_345,
  quantity: 100,
  id: 99,
  aggressor: 1,
  instrument: 0,
  flags: 0,
};
const MOST = Number.MAX_SAFE_INTEGER;

describe("trade frame", () => {
  const rows: readonly [name: string, row: Row, at: number][] = [
    ["an ordinary row", PLAIN, 3],
    [
      "the largest numbers",
      { ...PLAIN, price: MOST, quantity: MOST, id: MOST, inputs: 2 ** 40, event: MOST, received: MOST, clock: MOST },
      0,
    ],
    ["a negative price and time", { ...PLAIN, price: -MOST, quantity: -1, event: -1 }, 0],
    [
      "words at 2^31 and 2^32",
      { ...PLAIN, price: 2 ** 31, quantity: 2 ** 32, id: 2 ** 32 - 1, inputs: 2 ** 32 },
      70_000,
    ],
    ["another instrument, aggressor and quality", { ...PLAIN, instrument: 5, aggressor: 2, flags: 3 }, 1],
  ];
  for (const [name, row, at] of rows) {
    it(`[M-15.2] ${name}: the bytes of the generated codec`, () => {
      const { bytes, trace } = direct(row, at);
      expect(bytes.toString("hex")).toBe(generated(row, trace).toString("hex"));
      expect(Buffer.from(trace).toString("hex").slice(16), "the trace id reads as run and cursor").toBe(
        at.toString(16).padStart(16, "0"),
      );
    });
  }
  it("[M-15.2] equals the golden vector", () => {
    const golden = JSON.parse(
      readFileSync(new URL("../../../../docs/formats/trade-frame.v1.json", import.meta.url), "utf8"),
    ) as { row: Row; at: number; hex: string };
    expect(direct(golden.row, golden.at).bytes.toString("hex")).toBe(golden.hex);
  });
});
