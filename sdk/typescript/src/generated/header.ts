// Generated from packages/abi/src/schema.ts by packages/abi/gen.ts; do not edit.
import { ABI_VERSION } from "./constants.ts";
import { copyBytes, isWord, putInt64, takeInt64, takeUint64, type FrameViews } from "./views.ts";

export const AGGRESSOR = {"unknown":0,"buyer":1,"seller":2} as const;
export const SIDE = {"buy":1,"sell":2} as const;
export const BOOK_ACTION = {"snapshot":1,"increment":2} as const;
export const EXECUTION_REPORT = {"accepted":1,"rejected":2,"partially_filled":3,"filled":4,"cancelled":5,"amended":6,"cancel_rejected":7} as const;
export const LIQUIDITY = {"none":0,"maker":1,"taker":2} as const;
export const SAFETY_MODE = {"normal":1,"safe":2,"emergency_stop":3} as const;
export const KILL_SWITCH = {"none":0,"instance":1,"bot":2,"venue":3,"global":4} as const;
export const CONFIG_APPLY = {"immediate":1,"safe_point":2,"restart":3} as const;
export const RUN_MODE = {"backtest":1,"paper":2,"shadow":3,"live":4} as const;
export const SHUTDOWN_REASON = {"stop":1,"upgrade":2,"safety":3,"lease_lost":4,"feed_ended":5} as const;
export const ORDER_TYPE = {"limit":1,"market":2} as const;
export const TIME_IN_FORCE = {"gtc":1,"ioc":2,"fok":3} as const;
export const SEVERITY = {"info":1,"warning":2,"critical":3} as const;
export const RISK_HINT = {"reduce":1,"pause":2,"volatile":3,"illiquid":4,"drift":5} as const;
export const LOG_LEVEL = {"debug":1,"info":2,"warning":3,"error":4} as const;
export const HEALTH = {"healthy":1,"degraded":2,"halted":3} as const;

export const INPUT_KIND = { trade_event: 1, quote_event: 2, bar_event: 3, book_event: 4, execution_event: 5, safety_event: 6, timer_event: 7, signal_event: 8, config_event: 9, init_call: 32, shutdown_call: 33, healthcheck_call: 34, save_state_call: 35, migrate_state_call: 36 } as const;
export const OUTPUT_KIND = { order_intent: 1, cancel_intent: 2, amend_intent: 3, position_intent: 4, alert_intent: 5, noop_intent: 6, risk_hint: 7, state_update: 16, telemetry_hint: 17, timer_request: 18, log_line: 19, saved_state: 20, health_report: 21, error_report: 22, service_request: 23 } as const;

export const FRAME_HEADER_BYTES = 64;
export const RECORD_HEADER_BYTES = 8;

/** What every input frame carries besides kind, length and schema version. */
export type FrameHeader = {
  /** quality bits */
  flags: number;
  /** place in the instance's input, counts up */
  cursor: number;
  eventTimeUs: number;
  receivedTimeUs: number;
  /** the only clock a strategy sees */
  processedTimeUs: number;
  /** index into the table of init; 0xffffffff: none */
  instrument: number;
  traceId: Uint8Array;
};
export function makeFrameHeader(): FrameHeader {
  return { flags: 0, cursor: 0, eventTimeUs: 0, receivedTimeUs: 0, processedTimeUs: 0, instrument: 0, traceId: new Uint8Array(16) };
}

/** What every intent carries (M-2.4.2). */
export type IntentMeta = {
  /** handle from init; 0 missing */
  bot: number;
  /** handle; 0 missing */
  strategy: number;
  /** handle; 0 missing */
  version: number;
  /** handle; 0 missing */
  instance: number;
  /** zeros: missing */
  runId: Uint8Array;
  /** zeros: missing */
  traceId: Uint8Array;
  /** 0 missing; counts up from init's next_intent_key */
  idempotencyKey: number;
  /** 0xffffffff missing */
  maxSlippageBps: number;
  /** 0xffffffff missing */
  maxLatencyUs: number;
  /** -1 missing */
  expectedHoldingUs: number;
  /** quote currency, scaled by 10^8; -1 missing */
  budget: number;
};
export function makeIntentMeta(): IntentMeta {
  return { bot: 0, strategy: 0, version: 0, instance: 0, runId: new Uint8Array(16), traceId: new Uint8Array(16), idempotencyKey: 0, maxSlippageBps: 0, maxLatencyUs: 0, expectedHoldingUs: 0, budget: 0 };
}

export function frameHeaderFits(value: Readonly<FrameHeader>): boolean {
  return isWord(value.flags, 0xffff) && Number.isSafeInteger(value.cursor) && value.cursor >= 0 && Number.isSafeInteger(value.eventTimeUs) && Number.isSafeInteger(value.receivedTimeUs) && Number.isSafeInteger(value.processedTimeUs) && isWord(value.instrument, 0xffff_ffff) && value.traceId.length === 16;
}

export function putFrameHeader(to: FrameViews, at: number, kind: number, length: number, value: Readonly<FrameHeader>): void {
  to.u16[at >> 1] = kind;
  to.u32[(at + 4) >> 2] = length;
  to.u32[(at + 44) >> 2] = ABI_VERSION;
  to.u16[(at + 2) >> 1] = value.flags;
  putInt64(to, at + 8, value.cursor);
  putInt64(to, at + 16, value.eventTimeUs);
  putInt64(to, at + 24, value.receivedTimeUs);
  putInt64(to, at + 32, value.processedTimeUs);
  to.u32[(at + 40) >> 2] = value.instrument;
  to.u8.set(value.traceId, at + 48);
}

/** Empty when well-formed, else the field's name. */
export function readFrameHeader(from: FrameViews, at: number, into: FrameHeader): string {
  into.flags = from.u16[(at + 2) >> 1] ?? 0;
  into.cursor = takeUint64(from, at + 8); if (!(Number.isSafeInteger(into.cursor))) return "cursor";
  into.eventTimeUs = takeInt64(from, at + 16); if (!(Number.isSafeInteger(into.eventTimeUs))) return "event_time_us";
  into.receivedTimeUs = takeInt64(from, at + 24); if (!(Number.isSafeInteger(into.receivedTimeUs))) return "received_time_us";
  into.processedTimeUs = takeInt64(from, at + 32); if (!(Number.isSafeInteger(into.processedTimeUs))) return "processed_time_us";
  into.instrument = from.u32[(at + 40) >> 2] ?? 0;
  copyBytes(from, at + 48, into.traceId);
  return "";
}

export function intentMetaFits(value: Readonly<IntentMeta>): boolean {
  return isWord(value.bot, 0xffff_ffff) && isWord(value.strategy, 0xffff_ffff) && isWord(value.version, 0xffff_ffff) && isWord(value.instance, 0xffff_ffff) && value.runId.length === 16 && value.traceId.length === 16 && Number.isSafeInteger(value.idempotencyKey) && value.idempotencyKey >= 0 && isWord(value.maxSlippageBps, 0xffff_ffff) && isWord(value.maxLatencyUs, 0xffff_ffff) && Number.isSafeInteger(value.expectedHoldingUs) && Number.isSafeInteger(value.budget);
}

export function putIntentMeta(to: FrameViews, at: number, value: Readonly<IntentMeta>): void {
  to.u32[(at + 8) >> 2] = value.bot;
  to.u32[(at + 12) >> 2] = value.strategy;
  to.u32[(at + 16) >> 2] = value.version;
  to.u32[(at + 20) >> 2] = value.instance;
  to.u8.set(value.runId, at + 24);
  to.u8.set(value.traceId, at + 40);
  putInt64(to, at + 56, value.idempotencyKey);
  to.u32[(at + 64) >> 2] = value.maxSlippageBps;
  to.u32[(at + 68) >> 2] = value.maxLatencyUs;
  putInt64(to, at + 72, value.expectedHoldingUs);
  putInt64(to, at + 80, value.budget);
}

/** Empty when well-formed, else the field's name; missing is `missingMetadata`'s business. */
export function readIntentMeta(from: FrameViews, at: number, into: IntentMeta): string {
  into.bot = from.u32[(at + 8) >> 2] ?? 0;
  into.strategy = from.u32[(at + 12) >> 2] ?? 0;
  into.version = from.u32[(at + 16) >> 2] ?? 0;
  into.instance = from.u32[(at + 20) >> 2] ?? 0;
  copyBytes(from, at + 24, into.runId);
  copyBytes(from, at + 40, into.traceId);
  into.idempotencyKey = takeUint64(from, at + 56); if (!(Number.isSafeInteger(into.idempotencyKey))) return "idempotency_key";
  into.maxSlippageBps = from.u32[(at + 64) >> 2] ?? 0;
  into.maxLatencyUs = from.u32[(at + 68) >> 2] ?? 0;
  into.expectedHoldingUs = takeInt64(from, at + 72); if (!(Number.isSafeInteger(into.expectedHoldingUs))) return "expected_holding_us";
  into.budget = takeInt64(from, at + 80); if (!(Number.isSafeInteger(into.budget))) return "budget";
  return "";
}
