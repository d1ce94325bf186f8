import { describe, expect, it } from "vitest";
import fc from "fast-check";
import {
  frameViews,
  makeFrameHeader,
  makeFrameViews,
  makeInitCall,
  makeIntentMeta,
  makeLogLine,
  makeNoopIntent,
  makeOrderIntent,
  makeTradeEvent,
  missingMetadata,
  OUTPUT_KIND,
  putInt64,
  readBookEvent,
  makeBookEvent,
  readFrameHeader,
  readInitCall,
  readIntentMeta,
  readLogLine,
  readOrderIntent,
  readTradeEvent,
  RecordWalker,
  takeInt64,
  writeBookEvent,
  writeInitCall,
  writeLogLine,
  writeNoopIntent,
  writeOrderIntent,
  writeTradeEvent,
  type IntentMeta,
  type MissingField,
} from "./index.ts";

const wholeMeta = (): IntentMeta => ({
  bot: 1,
  strategy: 2,
  version: 3,
  instance: 4,
  runId: new Uint8Array(16).fill(5),
  traceId: new Uint8Array(16).fill(6),
  idempotencyKey: 7,
  maxSlippageBps: 8,
  maxLatencyUs: 9,
  expectedHoldingUs: 10,
  budget: 11,
});

describe("64-bit integers as two halves", () => {
  it("are exact for every |n| < 2^53, also against BigInt", () => {
    const views = makeFrameViews(8);
    const bits = new DataView(views.u8.buffer);
    const check = (value: number): void => {
      putInt64(views, 0, value);
      expect(bits.getBigInt64(0, true)).toBe(BigInt(value));
      expect(takeInt64(views, 0)).toBe(value);
    };
    for (const edge of [
      0,
      1,
      -1,
      2 ** 31,
      -(2 ** 31),
      2 ** 32,
      -(2 ** 32),
      2 ** 32 - 1,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
    ])
      check(edge);
    fc.assert(fc.property(fc.maxSafeInteger(), check), { numRuns: 2_000 });
  });

  it("beyond it are refused by writer and reader", () => {
    const views = makeFrameViews(96);
    const trade = { ...makeTradeEvent(), price: 2 ** 53 };
    expect(writeTradeEvent(views, 0, makeFrameHeader(), trade)).toBe(-1);
    expect(writeTradeEvent(views, 0, makeFrameHeader(), { ...trade, price: 1.5 })).toBe(-1);
    expect(writeTradeEvent(views, 0, makeFrameHeader(), { ...trade, price: 1 })).toBe(96);
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      new DataView(views.u8.buffer).setBigInt64(64, value, true);
      expect(readTradeEvent(views, 0, 96, makeTradeEvent())).toBe("price");
    }
  });
});

describe("frames", () => {
  it("[M-11.3] [M-15.1] a trade keeps its three times, trace id and quality", () => {
    const views = makeFrameViews(96);
    const header = {
      flags: 9,
      cursor: 42,
      eventTimeUs: 1_570_752_011_620_000,
      receivedTimeUs: 3,
      processedTimeUs: -4,
      instrument: 2,
      traceId: new Uint8Array(16).fill(7),
    };
    const trade = { price: 141_342, quantity: -5, tradeId: 13_519_807, aggressor: 2 };
    expect(writeTradeEvent(views, 0, header, trade)).toBe(96);
    const back = makeFrameHeader();
    const into = makeTradeEvent();
    expect(readFrameHeader(views, 0, back)).toBe("");
    expect(readTradeEvent(views, 0, 96, into)).toBe("");
    expect(back).toEqual(header);
    expect(into).toEqual(trade);
  });

  it("a reused buffer leaks no older bytes through padding", () => {
    const dirty = makeFrameViews(256);
    const clean = makeFrameViews(256);
    dirty.u8.fill(0xff);
    const line = { level: 2, text: new TextEncoder().encode("abc") };
    expect(writeLogLine(dirty, 0, line)).toBe(24);
    writeLogLine(clean, 0, line);
    expect(dirty.u8.slice(0, 24)).toEqual(clean.u8.slice(0, 24));
    const length = writeTradeEvent(dirty, 0, makeFrameHeader(), makeTradeEvent());
    writeTradeEvent(clean, 0, makeFrameHeader(), makeTradeEvent());
    expect(dirty.u8.slice(0, length)).toEqual(clean.u8.slice(0, length));
  });

  it("a book and an init frame keep their tails; lying counts are refused", () => {
    const views = makeFrameViews(4096);
    const book = {
      ...makeBookEvent(),
      action: 1,
      bids: [
        { price: 1, quantity: 2 },
        { price: 0, quantity: 3 },
      ],
      asks: [{ price: 5, quantity: 6 }],
    };
    const length = writeBookEvent(views, 0, makeFrameHeader(), book);
    const into = makeBookEvent();
    expect(readBookEvent(views, 0, length, into)).toBe("");
    expect(into).toEqual(book);
    views.u32[(64 + 20) >> 2] = 4_000_000_000;
    expect(readBookEvent(views, 0, length, into)).toBe("length");
    const init = {
      ...makeInitCall(),
      abiVersion: 1,
      mode: 2,
      botId: "b",
      instanceId: "i",
      config: new TextEncoder().encode("{}"),
      state: new Uint8Array([1, 2, 3]),
      instruments: [
        {
          instrumentId: "XRPETH.SIM",
          baseCurrency: "XRP",
          quoteCurrency: "ETH",
          priceDigits: 8,
          quantityDigits: 0,
          tickSize: 1,
          lotSize: 1,
          minQuantity: 1,
          maxQuantity: 1e6,
        },
      ],
    };
    const bytes = writeInitCall(views, 0, makeFrameHeader(), init);
    const again = makeInitCall();
    expect(readInitCall(views, 0, bytes, again)).toBe("");
    expect({ ...again, config: [...again.config], state: [...again.state] }).toEqual({
      ...init,
      config: [...init.config],
      state: [...init.state],
    });
  });
});

describe("output records", () => {
  const views = makeFrameViews(1024);
  const walker = new RecordWalker();
  const kinds = (length: number): (number | string)[] => {
    walker.begin(views, 0, length);
    const seen: (number | string)[] = [];
    for (let kind = walker.step(); kind !== 0; kind = walker.step()) seen.push(kind === -1 ? walker.fault : kind);
    return seen;
  };

  it("[M-2.4.1] an order round-trips and words outside the lists are refused by name", () => {
    const order = { ...makeOrderIntent(), side: 1, orderType: 1, timeInForce: 1, price: 10, quantity: 5 };
    const length = writeOrderIntent(views, 0, wholeMeta(), order);
    expect(kinds(length)).toEqual([OUTPUT_KIND.order_intent]);
    const meta = makeIntentMeta();
    const into = makeOrderIntent();
    expect(readIntentMeta(views, 0, meta)).toBe("");
    expect(readOrderIntent(views, 0, length, into)).toBe("");
    expect([meta, into]).toEqual([wholeMeta(), order]);
    expect(writeOrderIntent(views, 0, wholeMeta(), { ...order, side: 3 })).toBe(-1);
    views.u8[92] = 3;
    expect(readOrderIntent(views, 0, length, into)).toBe("side");
  });

  const missing: readonly [MissingField, Partial<IntentMeta>][] = [
    ["bot_id", { bot: 0 }],
    ["strategy_id", { strategy: 0 }],
    ["strategy_version", { version: 0 }],
    ["instance_id", { instance: 0 }],
    ["run_id", { runId: new Uint8Array(16) }],
    ["trace_id", { traceId: new Uint8Array(16) }],
    ["idempotency_key", { idempotencyKey: 0 }],
    ["risk_context.max_slippage_bps", { maxSlippageBps: 0xffff_ffff }],
    ["risk_context.max_latency_us", { maxLatencyUs: 0xffff_ffff }],
    ["risk_context.expected_holding_us", { expectedHoldingUs: -1 }],
    ["risk_context.budget", { budget: -1 }],
  ];
  it.each(missing)("[M-2.4.2] missing %s can be sent and is seen", (field, change) => {
    expect(writeNoopIntent(views, 0, { ...wholeMeta(), ...change }, makeNoopIntent())).toBe(96);
    const meta = makeIntentMeta();
    expect(readIntentMeta(views, 0, meta)).toBe("");
    expect(missingMetadata(meta)).toBe(field);
    expect(missingMetadata(wholeMeta())).toBe("");
  });

  it("[M-2.4.1] malformed output gets a coded reason per record, never an exception", () => {
    expect(kinds(0)).toEqual([]);
    expect(kinds(7)).toEqual(["M.ABI.OUTPUT_LENGTH"]);
    expect(kinds(-8)).toEqual(["M.ABI.OUTPUT_LENGTH"]);
    expect(kinds(4096)).toEqual(["M.ABI.OUTPUT_LENGTH"]);
    const length = writeLogLine(views, 0, { ...makeLogLine(), level: 1 });
    views.u32[length >> 2] = 99;
    views.u32[(length + 4) >> 2] = 8;
    writeLogLine(views, length + 8, { ...makeLogLine(), level: 1 });
    expect(kinds(2 * length + 8)).toEqual([19, "M.ABI.UNKNOWN_KIND", 19]);
    views.u32[1] = 4;
    expect(kinds(length)).toEqual(["M.ABI.RECORD_LENGTH"]);
    views.u32[1] = 512;
    expect(kinds(length)).toEqual(["M.ABI.TRUNCATED"]);
    expect(readLogLine(views, 0, 8, makeLogLine())).toBe("length");
  });

  it("any bytes end the walk within length/8 steps", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 512 }), (bytes) => {
        const padded = frameViews(new ArrayBuffer(512), 0, 512);
        padded.u8.set(bytes);
        walker.begin(padded, 0, bytes.length - (bytes.length % 8));
        let steps = 0;
        while (walker.step() !== 0) steps += 1;
        expect(steps).toBeLessThanOrEqual(64);
      }),
    );
  });
});
