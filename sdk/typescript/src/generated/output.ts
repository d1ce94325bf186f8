// Generated from packages/abi/src/schema.ts by packages/abi/gen.ts; do not edit.
import { isText, isWord, pad8, putBytes, putInt64, putText, takeInt64, takeText, takeUint64, type FrameViews } from "./views.ts";
import { intentMetaFits, putIntentMeta, type IntentMeta } from "./header.ts";

/** Wishes an order. Kind 1, 112 bytes. */
export type OrderIntent = {
  instrument: number;
  side: number;
  orderType: number;
  timeInForce: number;
  /** bits */
  options: number;
  /** 0 for a market order */
  price: number;
  quantity: number;
};
export function makeOrderIntent(): OrderIntent {
  return { instrument: 0, side: 0, orderType: 0, timeInForce: 0, options: 0, price: 0, quantity: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeOrderIntent(to: FrameViews, at: number, meta: Readonly<IntentMeta>, value: Readonly<OrderIntent>): number {
  const length = 112;
  if (!(at % 8 === 0 && at + length <= to.u8.length && intentMetaFits(meta) && isWord(value.instrument, 0xffff_ffff) && Number.isInteger(value.side) && value.side >= 1 && value.side <= 2 && Number.isInteger(value.orderType) && value.orderType >= 1 && value.orderType <= 2 && Number.isInteger(value.timeInForce) && value.timeInForce >= 1 && value.timeInForce <= 3 && isWord(value.options, 0xff) && Number.isSafeInteger(value.price) && Number.isSafeInteger(value.quantity))) return -1;
  to.u32[at >> 2] = 1;
  to.u32[(at + 4) >> 2] = length;
  putIntentMeta(to, at, meta);
  to.u32[(at + 88) >> 2] = value.instrument;
  to.u8[at + 92] = value.side;
  to.u8[at + 93] = value.orderType;
  to.u8[at + 94] = value.timeInForce;
  to.u8[at + 95] = value.options;
  putInt64(to, at + 96, value.price);
  putInt64(to, at + 104, value.quantity);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readOrderIntent(from: FrameViews, at: number, length: number, into: OrderIntent): string {
  if (length !== 112) return "length";
  into.instrument = from.u32[(at + 88) >> 2] ?? 0;
  into.side = from.u8[at + 92] ?? 0; if (!(Number.isInteger(into.side) && into.side >= 1 && into.side <= 2)) return "side";
  into.orderType = from.u8[at + 93] ?? 0; if (!(Number.isInteger(into.orderType) && into.orderType >= 1 && into.orderType <= 2)) return "order_type";
  into.timeInForce = from.u8[at + 94] ?? 0; if (!(Number.isInteger(into.timeInForce) && into.timeInForce >= 1 && into.timeInForce <= 3)) return "time_in_force";
  into.options = from.u8[at + 95] ?? 0;
  into.price = takeInt64(from, at + 96); if (!(Number.isSafeInteger(into.price))) return "price";
  into.quantity = takeInt64(from, at + 104); if (!(Number.isSafeInteger(into.quantity))) return "quantity";
  return "";
}

/** Wishes an order of its own gone. Kind 2, 104 bytes. */
export type CancelIntent = {
  /** idempotency key of the order intent */
  targetKey: number;
  instrument: number;
};
export function makeCancelIntent(): CancelIntent {
  return { targetKey: 0, instrument: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeCancelIntent(to: FrameViews, at: number, meta: Readonly<IntentMeta>, value: Readonly<CancelIntent>): number {
  const length = 104;
  if (!(at % 8 === 0 && at + length <= to.u8.length && intentMetaFits(meta) && Number.isSafeInteger(value.targetKey) && value.targetKey >= 0 && isWord(value.instrument, 0xffff_ffff))) return -1;
  to.u32[at >> 2] = 2;
  to.u32[(at + 4) >> 2] = length;
  putIntentMeta(to, at, meta);
  to.u8[at + 100] = 0;
  to.u8[at + 101] = 0;
  to.u8[at + 102] = 0;
  to.u8[at + 103] = 0;
  putInt64(to, at + 88, value.targetKey);
  to.u32[(at + 96) >> 2] = value.instrument;
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readCancelIntent(from: FrameViews, at: number, length: number, into: CancelIntent): string {
  if (length !== 104) return "length";
  into.targetKey = takeUint64(from, at + 88); if (!(Number.isSafeInteger(into.targetKey))) return "target_key";
  into.instrument = from.u32[(at + 96) >> 2] ?? 0;
  return "";
}

/** Wishes an order of its own changed. Kind 3, 120 bytes. */
export type AmendIntent = {
  targetKey: number;
  instrument: number;
  /** -1 keeps it */
  price: number;
  /** new total; -1 keeps it */
  quantity: number;
};
export function makeAmendIntent(): AmendIntent {
  return { targetKey: 0, instrument: 0, price: 0, quantity: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeAmendIntent(to: FrameViews, at: number, meta: Readonly<IntentMeta>, value: Readonly<AmendIntent>): number {
  const length = 120;
  if (!(at % 8 === 0 && at + length <= to.u8.length && intentMetaFits(meta) && Number.isSafeInteger(value.targetKey) && value.targetKey >= 0 && isWord(value.instrument, 0xffff_ffff) && Number.isSafeInteger(value.price) && Number.isSafeInteger(value.quantity))) return -1;
  to.u32[at >> 2] = 3;
  to.u32[(at + 4) >> 2] = length;
  putIntentMeta(to, at, meta);
  to.u8[at + 100] = 0;
  to.u8[at + 101] = 0;
  to.u8[at + 102] = 0;
  to.u8[at + 103] = 0;
  putInt64(to, at + 88, value.targetKey);
  to.u32[(at + 96) >> 2] = value.instrument;
  putInt64(to, at + 104, value.price);
  putInt64(to, at + 112, value.quantity);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readAmendIntent(from: FrameViews, at: number, length: number, into: AmendIntent): string {
  if (length !== 120) return "length";
  into.targetKey = takeUint64(from, at + 88); if (!(Number.isSafeInteger(into.targetKey))) return "target_key";
  into.instrument = from.u32[(at + 96) >> 2] ?? 0;
  into.price = takeInt64(from, at + 104); if (!(Number.isSafeInteger(into.price))) return "price";
  into.quantity = takeInt64(from, at + 112); if (!(Number.isSafeInteger(into.quantity))) return "quantity";
  return "";
}

/** Wishes a position; how is the host's business. Kind 4, 112 bytes. */
export type PositionIntent = {
  instrument: number;
  orderType: number;
  /** signed quantity */
  target: number;
  /** 0 for market */
  limitPrice: number;
};
export function makePositionIntent(): PositionIntent {
  return { instrument: 0, orderType: 0, target: 0, limitPrice: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writePositionIntent(to: FrameViews, at: number, meta: Readonly<IntentMeta>, value: Readonly<PositionIntent>): number {
  const length = 112;
  if (!(at % 8 === 0 && at + length <= to.u8.length && intentMetaFits(meta) && isWord(value.instrument, 0xffff_ffff) && Number.isInteger(value.orderType) && value.orderType >= 1 && value.orderType <= 2 && Number.isSafeInteger(value.target) && Number.isSafeInteger(value.limitPrice))) return -1;
  to.u32[at >> 2] = 4;
  to.u32[(at + 4) >> 2] = length;
  putIntentMeta(to, at, meta);
  to.u32[(at + 88) >> 2] = value.instrument;
  to.u32[(at + 92) >> 2] = value.orderType;
  putInt64(to, at + 96, value.target);
  putInt64(to, at + 104, value.limitPrice);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readPositionIntent(from: FrameViews, at: number, length: number, into: PositionIntent): string {
  if (length !== 112) return "length";
  into.instrument = from.u32[(at + 88) >> 2] ?? 0;
  into.orderType = from.u32[(at + 92) >> 2] ?? 0; if (!(Number.isInteger(into.orderType) && into.orderType >= 1 && into.orderType <= 2)) return "order_type";
  into.target = takeInt64(from, at + 96); if (!(Number.isSafeInteger(into.target))) return "target";
  into.limitPrice = takeInt64(from, at + 104); if (!(Number.isSafeInteger(into.limitPrice))) return "limit_price";
  return "";
}

/** Tells a person something coded. Kind 5, 128 bytes. */
export type AlertIntent = {
  code: number;
  severity: number;
  /** how many of the four count */
  args: number;
  arg0: number;
  arg1: number;
  arg2: number;
  arg3: number;
};
export function makeAlertIntent(): AlertIntent {
  return { code: 0, severity: 0, args: 0, arg0: 0, arg1: 0, arg2: 0, arg3: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeAlertIntent(to: FrameViews, at: number, meta: Readonly<IntentMeta>, value: Readonly<AlertIntent>): number {
  const length = 128;
  if (!(at % 8 === 0 && at + length <= to.u8.length && intentMetaFits(meta) && isWord(value.code, 0xffff_ffff) && Number.isInteger(value.severity) && value.severity >= 1 && value.severity <= 3 && isWord(value.args, 0xff) && Number.isSafeInteger(value.arg0) && Number.isSafeInteger(value.arg1) && Number.isSafeInteger(value.arg2) && Number.isSafeInteger(value.arg3))) return -1;
  to.u32[at >> 2] = 5;
  to.u32[(at + 4) >> 2] = length;
  putIntentMeta(to, at, meta);
  to.u8[at + 94] = 0;
  to.u8[at + 95] = 0;
  to.u32[(at + 88) >> 2] = value.code;
  to.u8[at + 92] = value.severity;
  to.u8[at + 93] = value.args;
  putInt64(to, at + 96, value.arg0);
  putInt64(to, at + 104, value.arg1);
  putInt64(to, at + 112, value.arg2);
  putInt64(to, at + 120, value.arg3);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readAlertIntent(from: FrameViews, at: number, length: number, into: AlertIntent): string {
  if (length !== 128) return "length";
  into.code = from.u32[(at + 88) >> 2] ?? 0;
  into.severity = from.u8[at + 92] ?? 0; if (!(Number.isInteger(into.severity) && into.severity >= 1 && into.severity <= 3)) return "severity";
  into.args = from.u8[at + 93] ?? 0;
  into.arg0 = takeInt64(from, at + 96); if (!(Number.isSafeInteger(into.arg0))) return "arg0";
  into.arg1 = takeInt64(from, at + 104); if (!(Number.isSafeInteger(into.arg1))) return "arg1";
  into.arg2 = takeInt64(from, at + 112); if (!(Number.isSafeInteger(into.arg2))) return "arg2";
  into.arg3 = takeInt64(from, at + 120); if (!(Number.isSafeInteger(into.arg3))) return "arg3";
  return "";
}

/** Decided to do nothing, on the record. Kind 6, 96 bytes. */
export type NoopIntent = {
  reason: number;
};
export function makeNoopIntent(): NoopIntent {
  return { reason: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeNoopIntent(to: FrameViews, at: number, meta: Readonly<IntentMeta>, value: Readonly<NoopIntent>): number {
  const length = 96;
  if (!(at % 8 === 0 && at + length <= to.u8.length && intentMetaFits(meta) && isWord(value.reason, 0xffff_ffff))) return -1;
  to.u32[at >> 2] = 6;
  to.u32[(at + 4) >> 2] = length;
  putIntentMeta(to, at, meta);
  to.u8[at + 92] = 0;
  to.u8[at + 93] = 0;
  to.u8[at + 94] = 0;
  to.u8[at + 95] = 0;
  to.u32[(at + 88) >> 2] = value.reason;
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readNoopIntent(from: FrameViews, at: number, length: number, into: NoopIntent): string {
  if (length !== 96) return "length";
  into.reason = from.u32[(at + 88) >> 2] ?? 0;
  return "";
}

/** Asks the risk side to look. Kind 7, 104 bytes. */
export type RiskHint = {
  instrument: number;
  hint: number;
  value: number;
};
export function makeRiskHint(): RiskHint {
  return { instrument: 0, hint: 0, value: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeRiskHint(to: FrameViews, at: number, meta: Readonly<IntentMeta>, value: Readonly<RiskHint>): number {
  const length = 104;
  if (!(at % 8 === 0 && at + length <= to.u8.length && intentMetaFits(meta) && isWord(value.instrument, 0xffff_ffff) && Number.isInteger(value.hint) && value.hint >= 1 && value.hint <= 5 && Number.isFinite(value.value))) return -1;
  to.u32[at >> 2] = 7;
  to.u32[(at + 4) >> 2] = length;
  putIntentMeta(to, at, meta);
  to.u32[(at + 88) >> 2] = value.instrument;
  to.u32[(at + 92) >> 2] = value.hint;
  to.f64[(at + 96) >> 3] = value.value;
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readRiskHint(from: FrameViews, at: number, length: number, into: RiskHint): string {
  if (length !== 104) return "length";
  into.instrument = from.u32[(at + 88) >> 2] ?? 0;
  into.hint = from.u32[(at + 92) >> 2] ?? 0; if (!(Number.isInteger(into.hint) && into.hint >= 1 && into.hint <= 5)) return "hint";
  into.value = from.f64[(at + 96) >> 3] ?? 0; if (!(Number.isFinite(into.value))) return "value";
  return "";
}

/** State changed. Kind 16, 16 bytes. */
export type StateUpdate = {
  /** 1 asks for a checkpoint now */
  checkpoint: number;
};
export function makeStateUpdate(): StateUpdate {
  return { checkpoint: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeStateUpdate(to: FrameViews, at: number, value: Readonly<StateUpdate>): number {
  const length = 16;
  if (!(at % 8 === 0 && at + length <= to.u8.length && isWord(value.checkpoint, 0xffff_ffff))) return -1;
  to.u32[at >> 2] = 16;
  to.u32[(at + 4) >> 2] = length;
  to.u8[at + 12] = 0;
  to.u8[at + 13] = 0;
  to.u8[at + 14] = 0;
  to.u8[at + 15] = 0;
  to.u32[(at + 8) >> 2] = value.checkpoint;
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readStateUpdate(from: FrameViews, at: number, length: number, into: StateUpdate): string {
  if (length !== 16) return "length";
  into.checkpoint = from.u32[(at + 8) >> 2] ?? 0;
  return "";
}

/** A short tag and a score; never free text. Kind 17, 48 bytes. */
export type TelemetryHint = {
  /** [a-z0-9_.]{1,32} */
  tag: string;
  score: number;
};
export function makeTelemetryHint(): TelemetryHint {
  return { tag: "", score: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeTelemetryHint(to: FrameViews, at: number, value: Readonly<TelemetryHint>): number {
  const length = 48;
  if (!(at % 8 === 0 && at + length <= to.u8.length && isText(value.tag, 32) && Number.isFinite(value.score))) return -1;
  to.u32[at >> 2] = 17;
  to.u32[(at + 4) >> 2] = length;
  putText(to, at + 8, 32, value.tag);
  to.f64[(at + 40) >> 3] = value.score;
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readTelemetryHint(from: FrameViews, at: number, length: number, into: TelemetryHint): string {
  if (length !== 48) return "length";
  const tagText = takeText(from, at + 8, 32); if (tagText === undefined) return "tag"; into.tag = tagText;
  into.score = from.f64[(at + 40) >> 3] ?? 0; if (!(Number.isFinite(into.score))) return "score";
  return "";
}

/** Wishes on_timer at a time; replaces the timer of the same id. Kind 18, 24 bytes. */
export type TimerRequest = {
  timerId: number;
  /** 0 cancels */
  atUs: number;
};
export function makeTimerRequest(): TimerRequest {
  return { timerId: 0, atUs: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeTimerRequest(to: FrameViews, at: number, value: Readonly<TimerRequest>): number {
  const length = 24;
  if (!(at % 8 === 0 && at + length <= to.u8.length && isWord(value.timerId, 0xffff_ffff) && Number.isSafeInteger(value.atUs))) return -1;
  to.u32[at >> 2] = 18;
  to.u32[(at + 4) >> 2] = length;
  to.u8[at + 12] = 0;
  to.u8[at + 13] = 0;
  to.u8[at + 14] = 0;
  to.u8[at + 15] = 0;
  to.u32[(at + 8) >> 2] = value.timerId;
  putInt64(to, at + 16, value.atUs);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readTimerRequest(from: FrameViews, at: number, length: number, into: TimerRequest): string {
  if (length !== 24) return "length";
  into.timerId = from.u32[(at + 8) >> 2] ?? 0;
  into.atUs = takeInt64(from, at + 16); if (!(Number.isSafeInteger(into.atUs))) return "at_us";
  return "";
}

/** A bounded line for people. Kind 19, 16 bytes and tails. */
export type LogLine = {
  level: number;
  text: Uint8Array;
};
export function makeLogLine(): LogLine {
  return { level: 0, text: new Uint8Array(0) };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeLogLine(to: FrameViews, at: number, value: Readonly<LogLine>): number {
  const length = 16 + pad8(value.text.length);
  if (!(at % 8 === 0 && at + length <= to.u8.length && Number.isInteger(value.level) && value.level >= 1 && value.level <= 4)) return -1;
  to.u32[at >> 2] = 19;
  to.u32[(at + 4) >> 2] = length;
  to.u32[(at + 8) >> 2] = value.level;
  to.u32[(at + 12) >> 2] = value.text.length;
  let tail = at + 16;
  putBytes(to, tail, value.text, pad8(value.text.length));
  tail += pad8(value.text.length);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readLogLine(from: FrameViews, at: number, length: number, into: LogLine): string {
  if (length < 16) return "length";
  const textBytes = from.u32[(at + 12) >> 2] ?? 0;
  if (length !== 16 + pad8(textBytes)) return "length";
  into.level = from.u32[(at + 8) >> 2] ?? 0; if (!(Number.isInteger(into.level) && into.level >= 1 && into.level <= 4)) return "level";
  let tail = at + 16;
  into.text = from.u8.subarray(tail, tail + textBytes);
  tail += pad8(textBytes);
  return "";
}

/** Answer to save_state and migrate_state. Kind 20, 16 bytes and tails. */
export type SavedState = {
  schemaVersion: number;
  state: Uint8Array;
};
export function makeSavedState(): SavedState {
  return { schemaVersion: 0, state: new Uint8Array(0) };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeSavedState(to: FrameViews, at: number, value: Readonly<SavedState>): number {
  const length = 16 + pad8(value.state.length);
  if (!(at % 8 === 0 && at + length <= to.u8.length && isWord(value.schemaVersion, 0xffff_ffff))) return -1;
  to.u32[at >> 2] = 20;
  to.u32[(at + 4) >> 2] = length;
  to.u32[(at + 8) >> 2] = value.schemaVersion;
  to.u32[(at + 12) >> 2] = value.state.length;
  let tail = at + 16;
  putBytes(to, tail, value.state, pad8(value.state.length));
  tail += pad8(value.state.length);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readSavedState(from: FrameViews, at: number, length: number, into: SavedState): string {
  if (length < 16) return "length";
  const stateBytes = from.u32[(at + 12) >> 2] ?? 0;
  if (length !== 16 + pad8(stateBytes)) return "length";
  into.schemaVersion = from.u32[(at + 8) >> 2] ?? 0;
  let tail = at + 16;
  into.state = from.u8.subarray(tail, tail + stateBytes);
  tail += pad8(stateBytes);
  return "";
}

/** Answer to healthcheck. Kind 21, 16 bytes. */
export type HealthReport = {
  health: number;
  reason: number;
};
export function makeHealthReport(): HealthReport {
  return { health: 0, reason: 0 };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeHealthReport(to: FrameViews, at: number, value: Readonly<HealthReport>): number {
  const length = 16;
  if (!(at % 8 === 0 && at + length <= to.u8.length && Number.isInteger(value.health) && value.health >= 1 && value.health <= 3 && isWord(value.reason, 0xffff_ffff))) return -1;
  to.u32[at >> 2] = 21;
  to.u32[(at + 4) >> 2] = length;
  to.u32[(at + 8) >> 2] = value.health;
  to.u32[(at + 12) >> 2] = value.reason;
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readHealthReport(from: FrameViews, at: number, length: number, into: HealthReport): string {
  if (length !== 16) return "length";
  into.health = from.u32[(at + 8) >> 2] ?? 0; if (!(Number.isInteger(into.health) && into.health >= 1 && into.health <= 3)) return "health";
  into.reason = from.u32[(at + 12) >> 2] ?? 0;
  return "";
}

/** Why the status is negative. Kind 22, 16 bytes and tails. */
export type ErrorReport = {
  /** the negative status, positive */
  code: number;
  text: Uint8Array;
};
export function makeErrorReport(): ErrorReport {
  return { code: 0, text: new Uint8Array(0) };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeErrorReport(to: FrameViews, at: number, value: Readonly<ErrorReport>): number {
  const length = 16 + pad8(value.text.length);
  if (!(at % 8 === 0 && at + length <= to.u8.length && isWord(value.code, 0xffff_ffff))) return -1;
  to.u32[at >> 2] = 22;
  to.u32[(at + 4) >> 2] = length;
  to.u32[(at + 8) >> 2] = value.code;
  to.u32[(at + 12) >> 2] = value.text.length;
  let tail = at + 16;
  putBytes(to, tail, value.text, pad8(value.text.length));
  tail += pad8(value.text.length);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readErrorReport(from: FrameViews, at: number, length: number, into: ErrorReport): string {
  if (length < 16) return "length";
  const textBytes = from.u32[(at + 12) >> 2] ?? 0;
  if (length !== 16 + pad8(textBytes)) return "length";
  into.code = from.u32[(at + 8) >> 2] ?? 0;
  let tail = at + 16;
  into.text = from.u8.subarray(tail, tail + textBytes);
  tail += pad8(textBytes);
  return "";
}

/** Asks a model or signal service by its contract's name; Compute lane only. The answer comes as a signal_event. Kind 23, 56 bytes and tails. */
export type ServiceRequest = {
  /** the strategy's own; the answer repeats it */
  requestId: number;
  /** name of the contract, [a-z][a-z0-9_]{0,31} */
  service: string;
  json: Uint8Array;
};
export function makeServiceRequest(): ServiceRequest {
  return { requestId: 0, service: "", json: new Uint8Array(0) };
}

/** Bytes written, or -1 when a field is out of range or the room too small. */
export function writeServiceRequest(to: FrameViews, at: number, value: Readonly<ServiceRequest>): number {
  const length = 56 + pad8(value.json.length);
  if (!(at % 8 === 0 && at + length <= to.u8.length && Number.isSafeInteger(value.requestId) && value.requestId >= 0 && isText(value.service, 32))) return -1;
  to.u32[at >> 2] = 23;
  to.u32[(at + 4) >> 2] = length;
  to.u8[at + 52] = 0;
  to.u8[at + 53] = 0;
  to.u8[at + 54] = 0;
  to.u8[at + 55] = 0;
  putInt64(to, at + 8, value.requestId);
  putText(to, at + 16, 32, value.service);
  to.u32[(at + 48) >> 2] = value.json.length;
  let tail = at + 56;
  putBytes(to, tail, value.json, pad8(value.json.length));
  tail += pad8(value.json.length);
  return length;
}

/** Empty when well-formed, else the malformed field's name. `length` is the whole frame's; bytes stay views. */
export function readServiceRequest(from: FrameViews, at: number, length: number, into: ServiceRequest): string {
  if (length < 56) return "length";
  const jsonBytes = from.u32[(at + 48) >> 2] ?? 0;
  if (length !== 56 + pad8(jsonBytes)) return "length";
  into.requestId = takeUint64(from, at + 8); if (!(Number.isSafeInteger(into.requestId))) return "request_id";
  const serviceText = takeText(from, at + 16, 32); if (serviceText === undefined) return "service"; into.service = serviceText;
  let tail = at + 56;
  into.json = from.u8.subarray(tail, tail + jsonBytes);
  tail += pad8(jsonBytes);
  return "";
}
