// Generated from packages/abi/src/schema.ts by packages/abi/gen.ts; do not edit.
import { copyBytes, isText, isWord, pad8, putBytes, putInt64, putText, takeInt64, takeText, takeUint64, type FrameViews } from "../views.ts";
import { frameHeaderFits, putFrameHeader, type FrameHeader } from "./header.ts";

/** Element of an array tail, 16 bytes. */
export type Level = {
  price: number;
  /** 0 removes the level */
  quantity: number;
};
export function makeLevel(): Level {
  return { price: 0, quantity: 0 };
}

export function levelFits(value: Readonly<Level>): boolean {
  return Number.isSafeInteger(value.price) && Number.isSafeInteger(value.quantity);
}

function putLevel(to: FrameViews, at: number, value: Readonly<Level>): void {
  putInt64(to, at + 0, value.price);
  putInt64(to, at + 8, value.quantity);
}

function readLevel(from: FrameViews, at: number, into: Level): string {
  into.price = takeInt64(from, at + 0); if (!(Number.isSafeInteger(into.price))) return "level.price";
  into.quantity = takeInt64(from, at + 8); if (!(Number.isSafeInteger(into.quantity))) return "level.quantity";
  return "";
}

/** Element of an array tail, 144 bytes. */
export type Instrument = {
  instrumentId: string;
  baseCurrency: string;
  quoteCurrency: string;
  priceDigits: number;
  quantityDigits: number;
  tickSize: number;
  lotSize: number;
  minQuantity: number;
  maxQuantity: number;
};
export function makeInstrument(): Instrument {
  return { instrumentId: "", baseCurrency: "", quoteCurrency: "", priceDigits: 0, quantityDigits: 0, tickSize: 0, lotSize: 0, minQuantity: 0, maxQuantity: 0 };
}

export function instrumentFits(value: Readonly<Instrument>): boolean {
  return isText(value.instrumentId, 72) && isText(value.baseCurrency, 16) && isText(value.quoteCurrency, 16) && isWord(value.priceDigits, 0xffff_ffff) && isWord(value.quantityDigits, 0xffff_ffff) && Number.isSafeInteger(value.tickSize) && Number.isSafeInteger(value.lotSize) && Number.isSafeInteger(value.minQuantity) && Number.isSafeInteger(value.maxQuantity);
}

function putInstrument(to: FrameViews, at: number, value: Readonly<Instrument>): void {
  putText(to, at + 0, 72, value.instrumentId);
  putText(to, at + 72, 16, value.baseCurrency);
  putText(to, at + 88, 16, value.quoteCurrency);
  to.u32[(at + 104) >> 2] = value.priceDigits;
  to.u32[(at + 108) >> 2] = value.quantityDigits;
  putInt64(to, at + 112, value.tickSize);
  putInt64(to, at + 120, value.lotSize);
  putInt64(to, at + 128, value.minQuantity);
  putInt64(to, at + 136, value.maxQuantity);
}

function readInstrument(from: FrameViews, at: number, into: Instrument): string {
  const instrumentIdText = takeText(from, at + 0, 72); if (instrumentIdText === undefined) return "instrument.instrument_id"; into.instrumentId = instrumentIdText;
  const baseCurrencyText = takeText(from, at + 72, 16); if (baseCurrencyText === undefined) return "instrument.base_currency"; into.baseCurrency = baseCurrencyText;
  const quoteCurrencyText = takeText(from, at + 88, 16); if (quoteCurrencyText === undefined) return "instrument.quote_currency"; into.quoteCurrency = quoteCurrencyText;
  into.priceDigits = from.u32[(at + 104) >> 2] ?? 0;
  into.quantityDigits = from.u32[(at + 108) >> 2] ?? 0;
  into.tickSize = takeInt64(from, at + 112); if (!(Number.isSafeInteger(into.tickSize))) return "instrument.tick_size";
  into.lotSize = takeInt64(from, at + 120); if (!(Number.isSafeInteger(into.lotSize))) return "instrument.lot_size";
  into.minQuantity = takeInt64(from, at + 128); if (!(Number.isSafeInteger(into.minQuantity))) return "instrument.min_quantity";
  into.maxQuantity = takeInt64(from, at + 136); if (!(Number.isSafeInteger(into.maxQuantity))) return "instrument.max_quantity";
  return "";
}

/** One trade. Kind 1, 96 bytes. */
export type TradeEvent = {
  price: number;
  quantity: number;
  tradeId: number;
  aggressor: number;
};
export function makeTradeEvent(): TradeEvent {
  return { price: 0, quantity: 0, tradeId: 0, aggressor: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeTradeEvent(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<TradeEvent>): number {
  const length = 96;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && Number.isSafeInteger(value.price) && Number.isSafeInteger(value.quantity) && Number.isSafeInteger(value.tradeId) && value.tradeId >= 0 && Number.isInteger(value.aggressor) && value.aggressor >= 0 && value.aggressor <= 2)) return -1;
  putFrameHeader(to, at, 1, length, header);
  to.u8[at + 92] = 0;
  to.u8[at + 93] = 0;
  to.u8[at + 94] = 0;
  to.u8[at + 95] = 0;
  putInt64(to, at + 64, value.price);
  putInt64(to, at + 72, value.quantity);
  putInt64(to, at + 80, value.tradeId);
  to.u32[(at + 88) >> 2] = value.aggressor;
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readTradeEvent(from: FrameViews, at: number, length: number, into: TradeEvent): string {
  if (length !== 96) return "length";
  into.price = takeInt64(from, at + 64); if (!(Number.isSafeInteger(into.price))) return "price";
  into.quantity = takeInt64(from, at + 72); if (!(Number.isSafeInteger(into.quantity))) return "quantity";
  into.tradeId = takeUint64(from, at + 80); if (!(Number.isSafeInteger(into.tradeId))) return "trade_id";
  into.aggressor = from.u32[(at + 88) >> 2] ?? 0; if (!(Number.isInteger(into.aggressor) && into.aggressor >= 0 && into.aggressor <= 2)) return "aggressor";
  return "";
}

/** Best bid and ask. Kind 2, 96 bytes. */
export type QuoteEvent = {
  bidPrice: number;
  bidQuantity: number;
  askPrice: number;
  askQuantity: number;
};
export function makeQuoteEvent(): QuoteEvent {
  return { bidPrice: 0, bidQuantity: 0, askPrice: 0, askQuantity: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeQuoteEvent(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<QuoteEvent>): number {
  const length = 96;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && Number.isSafeInteger(value.bidPrice) && Number.isSafeInteger(value.bidQuantity) && Number.isSafeInteger(value.askPrice) && Number.isSafeInteger(value.askQuantity))) return -1;
  putFrameHeader(to, at, 2, length, header);
  putInt64(to, at + 64, value.bidPrice);
  putInt64(to, at + 72, value.bidQuantity);
  putInt64(to, at + 80, value.askPrice);
  putInt64(to, at + 88, value.askQuantity);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readQuoteEvent(from: FrameViews, at: number, length: number, into: QuoteEvent): string {
  if (length !== 96) return "length";
  into.bidPrice = takeInt64(from, at + 64); if (!(Number.isSafeInteger(into.bidPrice))) return "bid_price";
  into.bidQuantity = takeInt64(from, at + 72); if (!(Number.isSafeInteger(into.bidQuantity))) return "bid_quantity";
  into.askPrice = takeInt64(from, at + 80); if (!(Number.isSafeInteger(into.askPrice))) return "ask_price";
  into.askQuantity = takeInt64(from, at + 88); if (!(Number.isSafeInteger(into.askQuantity))) return "ask_quantity";
  return "";
}

/** One finished bar. Kind 3, 128 bytes. */
export type BarEvent = {
  openTimeUs: number;
  durationUs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  trades: number;
};
export function makeBarEvent(): BarEvent {
  return { openTimeUs: 0, durationUs: 0, open: 0, high: 0, low: 0, close: 0, volume: 0, trades: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeBarEvent(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<BarEvent>): number {
  const length = 128;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && Number.isSafeInteger(value.openTimeUs) && Number.isSafeInteger(value.durationUs) && Number.isSafeInteger(value.open) && Number.isSafeInteger(value.high) && Number.isSafeInteger(value.low) && Number.isSafeInteger(value.close) && Number.isSafeInteger(value.volume) && Number.isSafeInteger(value.trades) && value.trades >= 0)) return -1;
  putFrameHeader(to, at, 3, length, header);
  putInt64(to, at + 64, value.openTimeUs);
  putInt64(to, at + 72, value.durationUs);
  putInt64(to, at + 80, value.open);
  putInt64(to, at + 88, value.high);
  putInt64(to, at + 96, value.low);
  putInt64(to, at + 104, value.close);
  putInt64(to, at + 112, value.volume);
  putInt64(to, at + 120, value.trades);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readBarEvent(from: FrameViews, at: number, length: number, into: BarEvent): string {
  if (length !== 128) return "length";
  into.openTimeUs = takeInt64(from, at + 64); if (!(Number.isSafeInteger(into.openTimeUs))) return "open_time_us";
  into.durationUs = takeInt64(from, at + 72); if (!(Number.isSafeInteger(into.durationUs))) return "duration_us";
  into.open = takeInt64(from, at + 80); if (!(Number.isSafeInteger(into.open))) return "open";
  into.high = takeInt64(from, at + 88); if (!(Number.isSafeInteger(into.high))) return "high";
  into.low = takeInt64(from, at + 96); if (!(Number.isSafeInteger(into.low))) return "low";
  into.close = takeInt64(from, at + 104); if (!(Number.isSafeInteger(into.close))) return "close";
  into.volume = takeInt64(from, at + 112); if (!(Number.isSafeInteger(into.volume))) return "volume";
  into.trades = takeUint64(from, at + 120); if (!(Number.isSafeInteger(into.trades))) return "trades";
  return "";
}

/** A book snapshot or increment, best level first. Kind 4, 96 bytes and tails. */
export type BookEvent = {
  firstSequence: number;
  lastSequence: number;
  action: number;
  bids: Level[];
  asks: Level[];
};
export function makeBookEvent(): BookEvent {
  return { firstSequence: 0, lastSequence: 0, action: 0, bids: [], asks: [] };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeBookEvent(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<BookEvent>): number {
  const length = 96 + value.bids.length * 16 + value.asks.length * 16;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && Number.isSafeInteger(value.firstSequence) && value.firstSequence >= 0 && Number.isSafeInteger(value.lastSequence) && value.lastSequence >= 0 && Number.isInteger(value.action) && value.action >= 1 && value.action <= 2 && value.bids.every(levelFits) && value.asks.every(levelFits))) return -1;
  putFrameHeader(to, at, 4, length, header);
  to.u8[at + 92] = 0;
  to.u8[at + 93] = 0;
  to.u8[at + 94] = 0;
  to.u8[at + 95] = 0;
  putInt64(to, at + 64, value.firstSequence);
  putInt64(to, at + 72, value.lastSequence);
  to.u32[(at + 80) >> 2] = value.action;
  to.u32[(at + 84) >> 2] = value.bids.length;
  to.u32[(at + 88) >> 2] = value.asks.length;
  let tail = at + 96;
  for (const item of value.bids) {
    putLevel(to, tail, item);
    tail += 16;
  }
  for (const item of value.asks) {
    putLevel(to, tail, item);
    tail += 16;
  }
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readBookEvent(from: FrameViews, at: number, length: number, into: BookEvent): string {
  if (length < 96) return "length";
  const bidsCount = from.u32[(at + 84) >> 2] ?? 0;
  const asksCount = from.u32[(at + 88) >> 2] ?? 0;
  if (length !== 96 + bidsCount * 16 + asksCount * 16) return "length";
  into.firstSequence = takeUint64(from, at + 64); if (!(Number.isSafeInteger(into.firstSequence))) return "first_sequence";
  into.lastSequence = takeUint64(from, at + 72); if (!(Number.isSafeInteger(into.lastSequence))) return "last_sequence";
  into.action = from.u32[(at + 80) >> 2] ?? 0; if (!(Number.isInteger(into.action) && into.action >= 1 && into.action <= 2)) return "action";
  let tail = at + 96;
  into.bids = [];
  for (let i = 0; i < bidsCount; i += 1) {
    const item = makeLevel();
    const bad = readLevel(from, tail, item);
    if (bad !== "") return bad;
    into.bids.push(item);
    tail += 16;
  }
  into.asks = [];
  for (let i = 0; i < asksCount; i += 1) {
    const item = makeLevel();
    const bad = readLevel(from, tail, item);
    if (bad !== "") return bad;
    into.asks.push(item);
    tail += 16;
  }
  return "";
}

/** What became of an order of this instance. Kind 5, 144 bytes. */
export type ExecutionEvent = {
  report: number;
  side: number;
  liquidity: number;
  /** 0 or the refusal's number (REFUSAL) */
  reason: number;
  clientOrderId: string;
  /** of the intent that opened the order */
  idempotencyKey: number;
  /** of this fill; else of the order */
  price: number;
  /** of this fill; else of the order */
  quantity: number;
  remaining: number;
  /** quote currency, scaled by 10^8, rounded up; negative is a rebate */
  fee: number;
};
export function makeExecutionEvent(): ExecutionEvent {
  return { report: 0, side: 0, liquidity: 0, reason: 0, clientOrderId: "", idempotencyKey: 0, price: 0, quantity: 0, remaining: 0, fee: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeExecutionEvent(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<ExecutionEvent>): number {
  const length = 144;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && Number.isInteger(value.report) && value.report >= 1 && value.report <= 7 && Number.isInteger(value.side) && value.side >= 1 && value.side <= 2 && Number.isInteger(value.liquidity) && value.liquidity >= 0 && value.liquidity <= 2 && isWord(value.reason, 0xffff_ffff) && isText(value.clientOrderId, 32) && Number.isSafeInteger(value.idempotencyKey) && value.idempotencyKey >= 0 && Number.isSafeInteger(value.price) && Number.isSafeInteger(value.quantity) && Number.isSafeInteger(value.remaining) && Number.isSafeInteger(value.fee))) return -1;
  putFrameHeader(to, at, 5, length, header);
  to.u16[(at + 64) >> 1] = value.report;
  to.u8[at + 66] = value.side;
  to.u8[at + 67] = value.liquidity;
  to.u32[(at + 68) >> 2] = value.reason;
  putText(to, at + 72, 32, value.clientOrderId);
  putInt64(to, at + 104, value.idempotencyKey);
  putInt64(to, at + 112, value.price);
  putInt64(to, at + 120, value.quantity);
  putInt64(to, at + 128, value.remaining);
  putInt64(to, at + 136, value.fee);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readExecutionEvent(from: FrameViews, at: number, length: number, into: ExecutionEvent): string {
  if (length !== 144) return "length";
  into.report = from.u16[(at + 64) >> 1] ?? 0; if (!(Number.isInteger(into.report) && into.report >= 1 && into.report <= 7)) return "report";
  into.side = from.u8[at + 66] ?? 0; if (!(Number.isInteger(into.side) && into.side >= 1 && into.side <= 2)) return "side";
  into.liquidity = from.u8[at + 67] ?? 0; if (!(Number.isInteger(into.liquidity) && into.liquidity >= 0 && into.liquidity <= 2)) return "liquidity";
  into.reason = from.u32[(at + 68) >> 2] ?? 0;
  const clientOrderIdText = takeText(from, at + 72, 32); if (clientOrderIdText === undefined) return "client_order_id"; into.clientOrderId = clientOrderIdText;
  into.idempotencyKey = takeUint64(from, at + 104); if (!(Number.isSafeInteger(into.idempotencyKey))) return "idempotency_key";
  into.price = takeInt64(from, at + 112); if (!(Number.isSafeInteger(into.price))) return "price";
  into.quantity = takeInt64(from, at + 120); if (!(Number.isSafeInteger(into.quantity))) return "quantity";
  into.remaining = takeInt64(from, at + 128); if (!(Number.isSafeInteger(into.remaining))) return "remaining";
  into.fee = takeInt64(from, at + 136); if (!(Number.isSafeInteger(into.fee))) return "fee";
  return "";
}

/** Safety mode or kill switch changed. Kind 6, 80 bytes. */
export type SafetyEvent = {
  mode: number;
  killSwitch: number;
  generation: number;
};
export function makeSafetyEvent(): SafetyEvent {
  return { mode: 0, killSwitch: 0, generation: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeSafetyEvent(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<SafetyEvent>): number {
  const length = 80;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && Number.isInteger(value.mode) && value.mode >= 1 && value.mode <= 3 && Number.isInteger(value.killSwitch) && value.killSwitch >= 0 && value.killSwitch <= 4 && Number.isSafeInteger(value.generation) && value.generation >= 0)) return -1;
  putFrameHeader(to, at, 6, length, header);
  to.u32[(at + 64) >> 2] = value.mode;
  to.u32[(at + 68) >> 2] = value.killSwitch;
  putInt64(to, at + 72, value.generation);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readSafetyEvent(from: FrameViews, at: number, length: number, into: SafetyEvent): string {
  if (length !== 80) return "length";
  into.mode = from.u32[(at + 64) >> 2] ?? 0; if (!(Number.isInteger(into.mode) && into.mode >= 1 && into.mode <= 3)) return "mode";
  into.killSwitch = from.u32[(at + 68) >> 2] ?? 0; if (!(Number.isInteger(into.killSwitch) && into.killSwitch >= 0 && into.killSwitch <= 4)) return "kill_switch";
  into.generation = takeUint64(from, at + 72); if (!(Number.isSafeInteger(into.generation))) return "generation";
  return "";
}

/** A requested timer is due. Kind 7, 80 bytes. */
export type TimerEvent = {
  timerId: number;
  dueUs: number;
};
export function makeTimerEvent(): TimerEvent {
  return { timerId: 0, dueUs: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeTimerEvent(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<TimerEvent>): number {
  const length = 80;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && isWord(value.timerId, 0xffff_ffff) && Number.isSafeInteger(value.dueUs))) return -1;
  putFrameHeader(to, at, 7, length, header);
  to.u8[at + 68] = 0;
  to.u8[at + 69] = 0;
  to.u8[at + 70] = 0;
  to.u8[at + 71] = 0;
  to.u32[(at + 64) >> 2] = value.timerId;
  putInt64(to, at + 72, value.dueUs);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readTimerEvent(from: FrameViews, at: number, length: number, into: TimerEvent): string {
  if (length !== 80) return "length";
  into.timerId = from.u32[(at + 64) >> 2] ?? 0;
  into.dueUs = takeInt64(from, at + 72); if (!(Number.isSafeInteger(into.dueUs))) return "due_us";
  return "";
}

/** A manual signal, JSON. Kind 8, 72 bytes and tails. */
export type SignalEvent = {
  json: Uint8Array;
};
export function makeSignalEvent(): SignalEvent {
  return { json: new Uint8Array(0) };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeSignalEvent(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<SignalEvent>): number {
  const length = 72 + pad8(value.json.length);
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header))) return -1;
  putFrameHeader(to, at, 8, length, header);
  to.u8[at + 68] = 0;
  to.u8[at + 69] = 0;
  to.u8[at + 70] = 0;
  to.u8[at + 71] = 0;
  to.u32[(at + 64) >> 2] = value.json.length;
  let tail = at + 72;
  putBytes(to, tail, value.json, pad8(value.json.length));
  tail += pad8(value.json.length);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readSignalEvent(from: FrameViews, at: number, length: number, into: SignalEvent): string {
  if (length < 72) return "length";
  const jsonBytes = from.u32[(at + 64) >> 2] ?? 0;
  if (length !== 72 + pad8(jsonBytes)) return "length";
  let tail = at + 72;
  into.json = from.u8.subarray(tail, tail + jsonBytes);
  tail += pad8(jsonBytes);
  return "";
}

/** A new configuration, complete and validated, JSON. Kind 9, 88 bytes and tails. */
export type ConfigEvent = {
  apply: number;
  generation: number;
  json: Uint8Array;
};
export function makeConfigEvent(): ConfigEvent {
  return { apply: 0, generation: 0, json: new Uint8Array(0) };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeConfigEvent(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<ConfigEvent>): number {
  const length = 88 + pad8(value.json.length);
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && Number.isInteger(value.apply) && value.apply >= 1 && value.apply <= 3 && Number.isSafeInteger(value.generation) && value.generation >= 0)) return -1;
  putFrameHeader(to, at, 9, length, header);
  to.u8[at + 68] = 0;
  to.u8[at + 69] = 0;
  to.u8[at + 70] = 0;
  to.u8[at + 71] = 0;
  to.u8[at + 84] = 0;
  to.u8[at + 85] = 0;
  to.u8[at + 86] = 0;
  to.u8[at + 87] = 0;
  to.u32[(at + 64) >> 2] = value.apply;
  putInt64(to, at + 72, value.generation);
  to.u32[(at + 80) >> 2] = value.json.length;
  let tail = at + 88;
  putBytes(to, tail, value.json, pad8(value.json.length));
  tail += pad8(value.json.length);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readConfigEvent(from: FrameViews, at: number, length: number, into: ConfigEvent): string {
  if (length < 88) return "length";
  const jsonBytes = from.u32[(at + 80) >> 2] ?? 0;
  if (length !== 88 + pad8(jsonBytes)) return "length";
  into.apply = from.u32[(at + 64) >> 2] ?? 0; if (!(Number.isInteger(into.apply) && into.apply >= 1 && into.apply <= 3)) return "apply";
  into.generation = takeUint64(from, at + 72); if (!(Number.isSafeInteger(into.generation))) return "generation";
  let tail = at + 88;
  into.json = from.u8.subarray(tail, tail + jsonBytes);
  tail += pad8(jsonBytes);
  return "";
}

/** First frame of an instance. Kind 32, 400 bytes and tails. */
export type InitCall = {
  abiVersion: number;
  mode: number;
  runId: Uint8Array;
  seed: Uint8Array;
  nextIntentKey: number;
  bot: number;
  strategy: number;
  version: number;
  instance: number;
  botId: string;
  strategyId: string;
  strategyVersion: string;
  instanceId: string;
  /** 0: nothing to restore */
  stateVersion: number;
  instruments: Instrument[];
  config: Uint8Array;
  state: Uint8Array;
};
export function makeInitCall(): InitCall {
  return { abiVersion: 0, mode: 0, runId: new Uint8Array(16), seed: new Uint8Array(16), nextIntentKey: 0, bot: 0, strategy: 0, version: 0, instance: 0, botId: "", strategyId: "", strategyVersion: "", instanceId: "", stateVersion: 0, instruments: [], config: new Uint8Array(0), state: new Uint8Array(0) };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeInitCall(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<InitCall>): number {
  const length = 400 + value.instruments.length * 144 + pad8(value.config.length) + pad8(value.state.length);
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && isWord(value.abiVersion, 0xffff_ffff) && Number.isInteger(value.mode) && value.mode >= 1 && value.mode <= 4 && value.runId.length === 16 && value.seed.length === 16 && Number.isSafeInteger(value.nextIntentKey) && value.nextIntentKey >= 0 && isWord(value.bot, 0xffff_ffff) && isWord(value.strategy, 0xffff_ffff) && isWord(value.version, 0xffff_ffff) && isWord(value.instance, 0xffff_ffff) && isText(value.botId, 64) && isText(value.strategyId, 64) && isText(value.strategyVersion, 64) && isText(value.instanceId, 64) && isWord(value.stateVersion, 0xffff_ffff) && value.instruments.every(instrumentFits))) return -1;
  putFrameHeader(to, at, 32, length, header);
  to.u32[(at + 64) >> 2] = value.abiVersion;
  to.u32[(at + 68) >> 2] = value.mode;
  to.u8.set(value.runId, at + 72);
  to.u8.set(value.seed, at + 88);
  putInt64(to, at + 104, value.nextIntentKey);
  to.u32[(at + 112) >> 2] = value.bot;
  to.u32[(at + 116) >> 2] = value.strategy;
  to.u32[(at + 120) >> 2] = value.version;
  to.u32[(at + 124) >> 2] = value.instance;
  putText(to, at + 128, 64, value.botId);
  putText(to, at + 192, 64, value.strategyId);
  putText(to, at + 256, 64, value.strategyVersion);
  putText(to, at + 320, 64, value.instanceId);
  to.u32[(at + 384) >> 2] = value.stateVersion;
  to.u32[(at + 388) >> 2] = value.instruments.length;
  to.u32[(at + 392) >> 2] = value.config.length;
  to.u32[(at + 396) >> 2] = value.state.length;
  let tail = at + 400;
  for (const item of value.instruments) {
    putInstrument(to, tail, item);
    tail += 144;
  }
  putBytes(to, tail, value.config, pad8(value.config.length));
  tail += pad8(value.config.length);
  putBytes(to, tail, value.state, pad8(value.state.length));
  tail += pad8(value.state.length);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readInitCall(from: FrameViews, at: number, length: number, into: InitCall): string {
  if (length < 400) return "length";
  const instrumentsCount = from.u32[(at + 388) >> 2] ?? 0;
  const configBytes = from.u32[(at + 392) >> 2] ?? 0;
  const stateBytes = from.u32[(at + 396) >> 2] ?? 0;
  if (length !== 400 + instrumentsCount * 144 + pad8(configBytes) + pad8(stateBytes)) return "length";
  into.abiVersion = from.u32[(at + 64) >> 2] ?? 0;
  into.mode = from.u32[(at + 68) >> 2] ?? 0; if (!(Number.isInteger(into.mode) && into.mode >= 1 && into.mode <= 4)) return "mode";
  copyBytes(from, at + 72, into.runId);
  copyBytes(from, at + 88, into.seed);
  into.nextIntentKey = takeUint64(from, at + 104); if (!(Number.isSafeInteger(into.nextIntentKey))) return "next_intent_key";
  into.bot = from.u32[(at + 112) >> 2] ?? 0;
  into.strategy = from.u32[(at + 116) >> 2] ?? 0;
  into.version = from.u32[(at + 120) >> 2] ?? 0;
  into.instance = from.u32[(at + 124) >> 2] ?? 0;
  const botIdText = takeText(from, at + 128, 64); if (botIdText === undefined) return "bot_id"; into.botId = botIdText;
  const strategyIdText = takeText(from, at + 192, 64); if (strategyIdText === undefined) return "strategy_id"; into.strategyId = strategyIdText;
  const strategyVersionText = takeText(from, at + 256, 64); if (strategyVersionText === undefined) return "strategy_version"; into.strategyVersion = strategyVersionText;
  const instanceIdText = takeText(from, at + 320, 64); if (instanceIdText === undefined) return "instance_id"; into.instanceId = instanceIdText;
  into.stateVersion = from.u32[(at + 384) >> 2] ?? 0;
  let tail = at + 400;
  into.instruments = [];
  for (let i = 0; i < instrumentsCount; i += 1) {
    const item = makeInstrument();
    const bad = readInstrument(from, tail, item);
    if (bad !== "") return bad;
    into.instruments.push(item);
    tail += 144;
  }
  into.config = from.u8.subarray(tail, tail + configBytes);
  tail += pad8(configBytes);
  into.state = from.u8.subarray(tail, tail + stateBytes);
  tail += pad8(stateBytes);
  return "";
}

/** Last frame of an instance. Kind 33, 72 bytes. */
export type ShutdownCall = {
  reason: number;
};
export function makeShutdownCall(): ShutdownCall {
  return { reason: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeShutdownCall(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<ShutdownCall>): number {
  const length = 72;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && Number.isInteger(value.reason) && value.reason >= 1 && value.reason <= 5)) return -1;
  putFrameHeader(to, at, 33, length, header);
  to.u8[at + 68] = 0;
  to.u8[at + 69] = 0;
  to.u8[at + 70] = 0;
  to.u8[at + 71] = 0;
  to.u32[(at + 64) >> 2] = value.reason;
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readShutdownCall(from: FrameViews, at: number, length: number, into: ShutdownCall): string {
  if (length !== 72) return "length";
  into.reason = from.u32[(at + 64) >> 2] ?? 0; if (!(Number.isInteger(into.reason) && into.reason >= 1 && into.reason <= 5)) return "reason";
  return "";
}

/** Asks for a health_report. Kind 34, 64 bytes. */
export type HealthcheckCall = Record<never, never>;
export function makeHealthcheckCall(): HealthcheckCall {
  return {  };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeHealthcheckCall(to: FrameViews, at: number, header: Readonly<FrameHeader>, _value: Readonly<HealthcheckCall>): number {
  const length = 64;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header))) return -1;
  putFrameHeader(to, at, 34, length, header);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readHealthcheckCall(_from: FrameViews, _at: number, length: number, _into: HealthcheckCall): string {
  if (length !== 64) return "length";
  return "";
}

/** Asks for a saved_state. Kind 35, 64 bytes. */
export type SaveStateCall = Record<never, never>;
export function makeSaveStateCall(): SaveStateCall {
  return {  };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeSaveStateCall(to: FrameViews, at: number, header: Readonly<FrameHeader>, _value: Readonly<SaveStateCall>): number {
  const length = 64;
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header))) return -1;
  putFrameHeader(to, at, 35, length, header);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readSaveStateCall(_from: FrameViews, _at: number, length: number, _into: SaveStateCall): string {
  if (length !== 64) return "length";
  return "";
}

/** Asks to turn an older state into a saved_state of the own version. Kind 36, 72 bytes and tails. */
export type MigrateStateCall = {
  fromVersion: number;
  state: Uint8Array;
};
export function makeMigrateStateCall(): MigrateStateCall {
  return { fromVersion: 0, state: new Uint8Array(0) };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeMigrateStateCall(to: FrameViews, at: number, header: Readonly<FrameHeader>, value: Readonly<MigrateStateCall>): number {
  const length = 72 + pad8(value.state.length);
  if (!(at % 8 === 0 && at + length <= to.u8.length && frameHeaderFits(header) && isWord(value.fromVersion, 0xffff_ffff))) return -1;
  putFrameHeader(to, at, 36, length, header);
  to.u32[(at + 64) >> 2] = value.fromVersion;
  to.u32[(at + 68) >> 2] = value.state.length;
  let tail = at + 72;
  putBytes(to, tail, value.state, pad8(value.state.length));
  tail += pad8(value.state.length);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readMigrateStateCall(from: FrameViews, at: number, length: number, into: MigrateStateCall): string {
  if (length < 72) return "length";
  const stateBytes = from.u32[(at + 68) >> 2] ?? 0;
  if (length !== 72 + pad8(stateBytes)) return "length";
  into.fromVersion = from.u32[(at + 64) >> 2] ?? 0;
  let tail = at + 72;
  into.state = from.u8.subarray(tail, tail + stateBytes);
  tail += pad8(stateBytes);
  return "";
}
