/**
 * Strategy ABI v1, said once: every frame between host and strategy, from which the codecs are generated.
 *
 * How to think: a frame is a header, fixed fields, then tails (bytes or arrays), everything little-endian and
 * in multiples of eight bytes, so that typed arrays read it in place. Host to strategy: a 64-byte frame header.
 * Strategy to host: records with an 8-byte header; intents put 80 bytes of metadata behind it, where a zero
 * handle, a zero id or a sentinel in the risk context means "missing", so that missing can be seen and refused.
 *
 * Invariants
 * - The layout is frozen: docs/formats/abi.v1.json holds golden vectors for three languages (gen.test.ts, sdks.test.ts).
 * - Generated files equal what this table generates (gen.test.ts).
 * - Every 64-bit integer on the wire is below 2^53 in magnitude; a decoder refuses more (codec.test.ts).
 */
export const ABI_VERSION = 1;

/** Quote-currency amounts (fee, budget) are scaled by 10^8; prices and quantities by their instrument's digits. */
export const MONEY_DIGITS = 8;

export type ScalarType = "u8" | "u16" | "u32" | "i64" | "u64" | "f64" | "b16" | "t16" | "t32" | "t64" | "t72";

export type FieldSchema = {
  readonly name: string;
  readonly type: ScalarType;
  readonly words?: EnumName;
  readonly doc?: string;
};
export type TailSchema =
  | { readonly name: string; readonly kind: "bytes" }
  | { readonly name: string; readonly kind: "array"; readonly of: "level" | "instrument" };
/** `input`: 64-byte frame header. `intent`: record header and metadata. `effect`: record header alone. */
export type FrameGroup = "input" | "intent" | "effect";
export type FrameSchema = {
  readonly name: string;
  readonly kind: number;
  readonly group: FrameGroup;
  readonly doc: string;
  readonly fields: readonly FieldSchema[];
  readonly tails?: readonly TailSchema[];
};

/** Words on the wire; a reader refuses a number that is not listed. */
export const ENUMS = {
  aggressor: { unknown: 0, buyer: 1, seller: 2 },
  side: { buy: 1, sell: 2 },
  book_action: { snapshot: 1, increment: 2 },
  execution_report: {
    accepted: 1,
    rejected: 2,
    partially_filled: 3,
    filled: 4,
    cancelled: 5,
    amended: 6,
    cancel_rejected: 7,
  },
  liquidity: { none: 0, maker: 1, taker: 2 },
  safety_mode: { normal: 1, safe: 2, emergency_stop: 3 },
  kill_switch: { none: 0, instance: 1, bot: 2, venue: 3, global: 4 },
  config_apply: { immediate: 1, safe_point: 2, restart: 3 },
  run_mode: { backtest: 1, paper: 2, shadow: 3, live: 4 },
  shutdown_reason: { stop: 1, upgrade: 2, safety: 3, lease_lost: 4, feed_ended: 5 },
  order_type: { limit: 1, market: 2 },
  time_in_force: { gtc: 1, ioc: 2, fok: 3 },
  severity: { info: 1, warning: 2, critical: 3 },
  risk_hint: { reduce: 1, pause: 2, volatile: 3, illiquid: 4, drift: 5 },
  log_level: { debug: 1, info: 2, warning: 3, error: 4 },
  health: { healthy: 1, degraded: 2, halted: 3 },
} as const satisfies Record<string, Readonly<Record<string, number>>>;
export type EnumName = keyof typeof ENUMS;

/** Bits of an input frame's flags (M-11.1). */
export const QUALITY = { stale: 1, gap: 2, dup: 4, out_of_order: 8, clock_drift: 16 } as const;
/**
 * Numbers of an execution's `reason`. A reader takes any number: the list may grow, and what is not in it is a refusal
 * like `outside`. `changed` stands beside reports of an order that lives: it is not what was wished.
 */
export const REFUSAL = {
  none: 0,
  /** The venue, or whoever has to approve, said no. */
  outside: 1,
  /** The Intent Gate: malformed, or not allowed to this strategy; the same again is refused again. */
  intent: 2,
  /** The Intent Gate: capital, budget, open orders, no price yet; less of it or later may pass. */
  limit: 3,
  /** The Intent Gate: too many of them; later. */
  rate: 4,
  /** The Intent Gate: safety mode, health, breaker or data quality; no new risk for now. */
  restricted: 5,
  /** Not refused: the Intent Gate made it smaller, reduce-only, a limit order, or rounded it. */
  changed: 6,
} as const;
/** Bits of an order's `options`. */
export const ORDER_OPTIONS = { reduce_only: 1, post_only: 2 } as const;

/** What a callback answers instead of an output length. */
export const STATUS = {
  bad_frame: -1,
  bad_abi_version: -2,
  not_initialised: -3,
  output_overflow: -4,
  strategy_error: -5,
  unsupported: -6,
  state_refused: -7,
  config_refused: -8,
  exception: -9,
} as const;

/** The callback byte of the pipe transport. */
export const CALLBACK = {
  init: 1,
  event: 2,
  timer: 3,
  shutdown: 4,
  healthcheck: 5,
  save_state: 6,
  migrate_state: 7,
} as const;

/**
 * WebAssembly: no imports, one exported `memory`. `rumi_input(bytes)` answers the 8-aligned address of a buffer
 * for an input frame of that size, or 0 when it is too large (it may grow memory: make views anew when the
 * memory's buffer changed); `rumi_output()` answers the output buffer's 8-aligned address. Callbacks take the
 * frame's length and answer the output's length or a STATUS. healthcheck and migrate_state answer `unsupported`
 * where a strategy has none.
 */
export const WASM_EXPORTS = {
  abi_version: "rumi_abi_version",
  input: "rumi_input",
  output: "rumi_output",
  init: "rumi_on_init",
  event: "rumi_on_event",
  timer: "rumi_on_timer",
  shutdown: "rumi_on_shutdown",
  healthcheck: "rumi_on_healthcheck",
  save_state: "rumi_save_state",
  migrate_state: "rumi_migrate_state",
} as const;

export const ABI_LIMITS = {
  log_line_bytes: 1_024,
  service_request_bytes: 16_384,
  error_text_bytes: 4_096,
  batch_frames: 4_096,
  book_levels: 10_000,
  instruments: 1_024,
} as const;

/** No instrument belongs to this frame. */
export const NO_INSTRUMENT = 0xffff_ffff;
/** Missing in a risk context: 32-bit fields hold this, 64-bit fields hold -1. */
export const MISSING_U32 = 0xffff_ffff;
export const MISSING_I64 = -1;

/** Header of every frame from host to strategy. `kind` and `length` are the codec's own. */
export const FRAME_HEADER: readonly FieldSchema[] = [
  { name: "kind", type: "u16" },
  { name: "flags", type: "u16", doc: "quality bits" },
  { name: "length", type: "u32", doc: "bytes of the whole frame, a multiple of 8" },
  { name: "cursor", type: "u64", doc: "place in the instance's input, counts up" },
  { name: "event_time_us", type: "i64" },
  { name: "received_time_us", type: "i64" },
  { name: "processed_time_us", type: "i64", doc: "the only clock a strategy sees" },
  { name: "instrument", type: "u32", doc: "index into the table of init; 0xffffffff: none" },
  { name: "schema_version", type: "u32", doc: "1" },
  { name: "trace_id", type: "b16" },
];

export const RECORD_HEADER: readonly FieldSchema[] = [
  { name: "kind", type: "u16" },
  { name: "flags", type: "u16", doc: "0" },
  { name: "length", type: "u32", doc: "bytes of the whole record, a multiple of 8" },
];

/** Behind an intent's record header (M-2.4.2). */
export const INTENT_META: readonly FieldSchema[] = [
  { name: "bot", type: "u32", doc: "handle from init; 0 missing" },
  { name: "strategy", type: "u32", doc: "handle; 0 missing" },
  { name: "version", type: "u32", doc: "handle; 0 missing" },
  { name: "instance", type: "u32", doc: "handle; 0 missing" },
  { name: "run_id", type: "b16", doc: "zeros: missing" },
  { name: "trace_id", type: "b16", doc: "zeros: missing" },
  { name: "idempotency_key", type: "u64", doc: "0 missing; counts up from init's next_intent_key" },
  { name: "max_slippage_bps", type: "u32", doc: "0xffffffff missing" },
  { name: "max_latency_us", type: "u32", doc: "0xffffffff missing" },
  { name: "expected_holding_us", type: "i64", doc: "-1 missing" },
  { name: "budget", type: "i64", doc: "quote currency, scaled by 10^8; -1 missing" },
];

const f = (name: string, type: ScalarType, doc?: string): FieldSchema =>
  doc === undefined ? { name, type } : { name, type, doc };
const w = (name: string, type: "u8" | "u16" | "u32", words: EnumName): FieldSchema => ({ name, type, words });

/** Elements of array tails. */
export const STRUCTS: Readonly<Record<"level" | "instrument", readonly FieldSchema[]>> = {
  level: [f("price", "i64"), f("quantity", "i64", "0 removes the level")],
  instrument: [
    f("instrument_id", "t72"),
    f("base_currency", "t16"),
    f("quote_currency", "t16"),
    f("price_digits", "u32"),
    f("quantity_digits", "u32"),
    f("tick_size", "i64"),
    f("lot_size", "i64"),
    f("min_quantity", "i64"),
    f("max_quantity", "i64"),
  ],
};

export const FRAMES: readonly FrameSchema[] = [
  {
    name: "trade_event",
    kind: 1,
    group: "input",
    doc: "One trade.",
    fields: [f("price", "i64"), f("quantity", "i64"), f("trade_id", "u64"), w("aggressor", "u32", "aggressor")],
  },
  {
    name: "quote_event",
    kind: 2,
    group: "input",
    doc: "Best bid and ask.",
    fields: [f("bid_price", "i64"), f("bid_quantity", "i64"), f("ask_price", "i64"), f("ask_quantity", "i64")],
  },
  {
    name: "bar_event",
    kind: 3,
    group: "input",
    doc: "One finished bar.",
    fields: [
      f("open_time_us", "i64"),
      f("duration_us", "i64"),
      f("open", "i64"),
      f("high", "i64"),
      f("low", "i64"),
      f("close", "i64"),
      f("volume", "i64"),
      f("trades", "u64"),
    ],
  },
  {
    name: "book_event",
    kind: 4,
    group: "input",
    doc: "A book snapshot or increment, best level first.",
    fields: [f("first_sequence", "u64"), f("last_sequence", "u64"), w("action", "u32", "book_action")],
    tails: [
      { name: "bids", kind: "array", of: "level" },
      { name: "asks", kind: "array", of: "level" },
    ],
  },
  {
    name: "execution_event",
    kind: 5,
    group: "input",
    doc: "What became of an order of this instance.",
    fields: [
      w("report", "u16", "execution_report"),
      w("side", "u8", "side"),
      w("liquidity", "u8", "liquidity"),
      f("reason", "u32", "0 or the refusal's number (REFUSAL)"),
      f("client_order_id", "t32"),
      f("idempotency_key", "u64", "of the intent that opened the order"),
      f("price", "i64", "of this fill; else of the order"),
      f("quantity", "i64", "of this fill; else of the order"),
      f("remaining", "i64"),
      f("fee", "i64", "quote currency, scaled by 10^8, rounded up; negative is a rebate"),
    ],
  },
  {
    name: "safety_event",
    kind: 6,
    group: "input",
    doc: "Safety mode or kill switch changed.",
    fields: [w("mode", "u32", "safety_mode"), w("kill_switch", "u32", "kill_switch"), f("generation", "u64")],
  },
  {
    name: "timer_event",
    kind: 7,
    group: "input",
    doc: "A requested timer is due.",
    fields: [f("timer_id", "u32"), f("due_us", "i64")],
  },
  {
    name: "signal_event",
    kind: 8,
    group: "input",
    doc: "A manual signal, JSON.",
    fields: [],
    tails: [{ name: "json", kind: "bytes" }],
  },
  {
    name: "config_event",
    kind: 9,
    group: "input",
    doc: "A new configuration, complete and validated, JSON.",
    fields: [w("apply", "u32", "config_apply"), f("generation", "u64")],
    tails: [{ name: "json", kind: "bytes" }],
  },
  {
    name: "init_call",
    kind: 32,
    group: "input",
    doc: "First frame of an instance.",
    fields: [
      f("abi_version", "u32"),
      w("mode", "u32", "run_mode"),
      f("run_id", "b16"),
      f("seed", "b16"),
      f("next_intent_key", "u64"),
      f("bot", "u32"),
      f("strategy", "u32"),
      f("version", "u32"),
      f("instance", "u32"),
      f("bot_id", "t64"),
      f("strategy_id", "t64"),
      f("strategy_version", "t64"),
      f("instance_id", "t64"),
      f("state_version", "u32", "0: nothing to restore"),
    ],
    tails: [
      { name: "instruments", kind: "array", of: "instrument" },
      { name: "config", kind: "bytes" },
      { name: "state", kind: "bytes" },
    ],
  },
  {
    name: "shutdown_call",
    kind: 33,
    group: "input",
    doc: "Last frame of an instance.",
    fields: [w("reason", "u32", "shutdown_reason")],
  },
  { name: "healthcheck_call", kind: 34, group: "input", doc: "Asks for a health_report.", fields: [] },
  { name: "save_state_call", kind: 35, group: "input", doc: "Asks for a saved_state.", fields: [] },
  {
    name: "migrate_state_call",
    kind: 36,
    group: "input",
    doc: "Asks to turn an older state into a saved_state of the own version.",
    fields: [f("from_version", "u32")],
    tails: [{ name: "state", kind: "bytes" }],
  },

  {
    name: "order_intent",
    kind: 1,
    group: "intent",
    doc: "Wishes an order.",
    fields: [
      f("instrument", "u32"),
      w("side", "u8", "side"),
      w("order_type", "u8", "order_type"),
      w("time_in_force", "u8", "time_in_force"),
      f("options", "u8", "bits"),
      f("price", "i64", "0 for a market order"),
      f("quantity", "i64"),
    ],
  },
  {
    name: "cancel_intent",
    kind: 2,
    group: "intent",
    doc: "Wishes an order of its own gone.",
    fields: [f("target_key", "u64", "idempotency key of the order intent"), f("instrument", "u32")],
  },
  {
    name: "amend_intent",
    kind: 3,
    group: "intent",
    doc: "Wishes an order of its own changed.",
    fields: [
      f("target_key", "u64"),
      f("instrument", "u32"),
      f("price", "i64", "-1 keeps it"),
      f("quantity", "i64", "new total; -1 keeps it"),
    ],
  },
  {
    name: "position_intent",
    kind: 4,
    group: "intent",
    doc: "Wishes a position; how is the host's business.",
    fields: [
      f("instrument", "u32"),
      w("order_type", "u32", "order_type"),
      f("target", "i64", "signed quantity"),
      f("limit_price", "i64", "0 for market"),
    ],
  },
  {
    name: "alert_intent",
    kind: 5,
    group: "intent",
    doc: "Tells a person something coded.",
    fields: [
      f("code", "u32"),
      w("severity", "u8", "severity"),
      f("args", "u8", "how many of the four count"),
      f("arg0", "i64"),
      f("arg1", "i64"),
      f("arg2", "i64"),
      f("arg3", "i64"),
    ],
  },
  {
    name: "noop_intent",
    kind: 6,
    group: "intent",
    doc: "Decided to do nothing, on the record.",
    fields: [f("reason", "u32")],
  },
  {
    name: "risk_hint",
    kind: 7,
    group: "intent",
    doc: "Asks the risk side to look.",
    fields: [f("instrument", "u32"), w("hint", "u32", "risk_hint"), f("value", "f64")],
  },

  {
    name: "state_update",
    kind: 16,
    group: "effect",
    doc: "State changed.",
    fields: [f("checkpoint", "u32", "1 asks for a checkpoint now")],
  },
  {
    name: "telemetry_hint",
    kind: 17,
    group: "effect",
    doc: "A short tag and a score; never free text.",
    fields: [f("tag", "t32", "[a-z0-9_.]{1,32}"), f("score", "f64")],
  },
  {
    name: "timer_request",
    kind: 18,
    group: "effect",
    doc: "Wishes on_timer at a time; replaces the timer of the same id.",
    fields: [f("timer_id", "u32"), f("at_us", "i64", "0 cancels")],
  },
  {
    name: "log_line",
    kind: 19,
    group: "effect",
    doc: "A bounded line for people.",
    fields: [w("level", "u32", "log_level")],
    tails: [{ name: "text", kind: "bytes" }],
  },
  {
    name: "saved_state",
    kind: 20,
    group: "effect",
    doc: "Answer to save_state and migrate_state.",
    fields: [f("schema_version", "u32")],
    tails: [{ name: "state", kind: "bytes" }],
  },
  {
    name: "health_report",
    kind: 21,
    group: "effect",
    doc: "Answer to healthcheck.",
    fields: [w("health", "u32", "health"), f("reason", "u32")],
  },
  {
    name: "error_report",
    kind: 22,
    group: "effect",
    doc: "Why the status is negative.",
    fields: [f("code", "u32", "the negative status, positive")],
    tails: [{ name: "text", kind: "bytes" }],
  },
  {
    name: "service_request",
    kind: 23,
    group: "effect",
    doc: "Asks a model or signal service by its contract's name; Compute lane only. The answer comes as a signal_event.",
    fields: [
      f("request_id", "u64", "the strategy's own; the answer repeats it"),
      f("service", "t32", "name of the contract, [a-z][a-z0-9_]{0,31}"),
    ],
    tails: [{ name: "json", kind: "bytes" }],
  },
];
