/**
 * Events as a strategy sees them, one object per kind, filled anew by each frame.
 *
 * A trade has a reader of its own: the checks of the generated codec in a handful of operations, because an interpreter
 * pays for each. Whatever does not pass them goes through the generated codec, which decides.
 */
import { ABI_VERSION } from "./generated/constants.ts";
import { INPUT_KIND } from "./generated/header.ts";
import {
  type BarEvent,
  type BookEvent,
  type ExecutionEvent,
  makeBarEvent,
  makeBookEvent,
  makeConfigEvent,
  makeExecutionEvent,
  makeQuoteEvent,
  makeSafetyEvent,
  makeSignalEvent,
  makeTradeEvent,
  type QuoteEvent,
  readBarEvent,
  readBookEvent,
  readConfigEvent,
  readExecutionEvent,
  readQuoteEvent,
  readSafetyEvent,
  readSignalEvent,
  readTradeEvent,
  type SafetyEvent,
  type TradeEvent,
} from "./generated/input.ts";
import type { FrameViews } from "./generated/views.ts";
import type { Config } from "./refusal.ts";
import { decodeText } from "./text.ts";

export type StrategyEvent =
  | ({ readonly kind: "trade" } & Readonly<TradeEvent>)
  | ({ readonly kind: "quote" } & Readonly<QuoteEvent>)
  | ({ readonly kind: "bar" } & Readonly<BarEvent>)
  | ({ readonly kind: "book" } & Readonly<BookEvent>)
  | ({ readonly kind: "execution" } & Readonly<ExecutionEvent>)
  | ({ readonly kind: "safety" } & Readonly<SafetyEvent>)
  | { readonly kind: "signal"; readonly signal: unknown }
  | { readonly kind: "config"; readonly apply: number; readonly generation: number; readonly config: Config };

const trade = makeTradeEvent();
const quote = { kind: "quote" as const, ...makeQuoteEvent() };
const bar = { kind: "bar" as const, ...makeBarEvent() };
const book = { kind: "book" as const, ...makeBookEvent() };
const execution = { kind: "execution" as const, ...makeExecutionEvent() };
const safety = { kind: "safety" as const, ...makeSafetyEvent() };
const signal = makeSignalEvent();
const config = makeConfigEvent();

const TRADE_BYTES = 96;
const TRADE_KIND: number = INPUT_KIND.trade_event;
const HIGH = 4_294_967_296;
/** Added to a number's upper half: what stays below 2^21 is a safe integer whatever the lower half is. */
const SAFE = 0x10_0000;

/** A trade that lies in the input: what is seldom asked for is read when it is asked for. */
class PlainTrade {
  readonly kind = "trade";
  price = 0;
  private readonly u32: Uint32Array;

  constructor(u32: Uint32Array) {
    this.u32 = u32;
  }
  get quantity(): number {
    // Checked before: its upper half is below 2^21 in magnitude.
    return ((this.u32[19] as number) | 0) * HIGH + (this.u32[18] as number);
  }
  get tradeId(): number {
    return (this.u32[21] as number) * HIGH + (this.u32[20] as number);
  }
  get aggressor(): number {
    return this.u32[22] as number;
  }
}

/** Reads the trade that lies at `inputAt`, its header checked too; null when it is not plainly sound. */
export function plainTradeReader(memory: ArrayBuffer, inputAt: number): (length: number) => StrategyEvent | null {
  const u32 = new Uint32Array(memory, inputAt, TRADE_BYTES / 4);
  const i32 = new Int32Array(memory, inputAt, TRADE_BYTES / 4);
  const plain = new PlainTrade(u32);
  return (length) => {
    const high = i32[17] as number;
    if (
      length !== TRADE_BYTES ||
      u32[1] !== TRADE_BYTES ||
      ((u32[0] as number) & 0xffff) !== TRADE_KIND ||
      u32[11] !== ABI_VERSION ||
      (u32[22] as number) > 2 ||
      ((u32[3] as number) | (u32[21] as number)) >>> 21 !== 0 ||
      (((i32[5] as number) + SAFE) |
        ((i32[7] as number) + SAFE) |
        ((i32[9] as number) + SAFE) |
        (high + SAFE) |
        ((i32[19] as number) + SAFE)) >>>
        21 !==
        0
    )
      return null;
    plain.price = high === 0 ? (u32[16] as number) : high * HIGH + (u32[16] as number);
    return plain;
  };
}

/** The event of `kind` at `at`, or the name of the malformed field. */
export function readEvent(from: FrameViews, kind: number, at: number, length: number): StrategyEvent | string {
  switch (kind) {
    case INPUT_KIND.trade_event:
      return readTradeEvent(from, at, length, trade) || { kind: "trade", ...trade };
    case INPUT_KIND.quote_event:
      return readQuoteEvent(from, at, length, quote) || quote;
    case INPUT_KIND.bar_event:
      return readBarEvent(from, at, length, bar) || bar;
    case INPUT_KIND.book_event:
      return readBookEvent(from, at, length, book) || book;
    case INPUT_KIND.execution_event:
      return readExecutionEvent(from, at, length, execution) || execution;
    case INPUT_KIND.safety_event:
      return readSafetyEvent(from, at, length, safety) || safety;
    case INPUT_KIND.signal_event: {
      const bad = readSignalEvent(from, at, length, signal);
      return bad !== "" ? bad : { kind: "signal", signal: JSON.parse(decodeText(signal.json)) as unknown };
    }
    case INPUT_KIND.config_event: {
      const bad = readConfigEvent(from, at, length, config);
      if (bad !== "") return bad;
      const { apply, generation, json } = config;
      return { kind: "config", apply, generation, config: JSON.parse(decodeText(json)) as Config };
    }
    default:
      return "kind";
  }
}
