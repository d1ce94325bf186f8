/**
 * Walks what a strategy put out, record by record, and never throws whatever the bytes are.
 *
 * `step()` answers a record's kind, 0 at the end, or -1 with `fault` set. After a bad length nothing behind it
 * can be trusted and the walk ends; an unknown kind is passed over. An empty output costs one comparison.
 * Invariant: every byte string leads to an end in at most length/8 steps (codec.test.ts).
 */
import { type IntentMeta, OUTPUT_KIND, RECORD_HEADER_BYTES } from "./generated/header.ts";
import { MISSING_U32 } from "./schema.ts";
import type { FrameViews } from "./views.ts";

const KNOWN = new Set<number>(Object.values(OUTPUT_KIND));

export type RecordFault = "M.ABI.OUTPUT_LENGTH" | "M.ABI.TRUNCATED" | "M.ABI.RECORD_LENGTH" | "M.ABI.UNKNOWN_KIND";

export class RecordWalker {
  #from: FrameViews | undefined;
  #next = 0;
  #end = 0;
  /** Offset and length of the record at hand. */
  at = 0;
  length = 0;
  kind = 0;
  fault: RecordFault | "" = "";

  /** Begins at `at` (a multiple of 8) of `from`; `length` is what the strategy claimed. */
  begin(from: FrameViews, at: number, length: number): void {
    this.#from = from;
    this.#next = at;
    this.fault = "";
    const sound =
      Number.isInteger(length) && length >= 0 && length % 8 === 0 && at % 8 === 0 && at + length <= from.u8.length;
    this.#end = sound ? at + length : -1;
  }

  step(): number {
    if (this.#end === -1) return this.#stop("M.ABI.OUTPUT_LENGTH");
    const from = this.#from;
    if (from === undefined || this.#next >= this.#end) return 0;
    const at = this.#next;
    const head = from.u32[at >> 2] ?? 0;
    const length = from.u32[(at + 4) >> 2] ?? 0;
    if (length < RECORD_HEADER_BYTES || length % 8 !== 0) return this.#stop("M.ABI.RECORD_LENGTH");
    if (at + length > this.#end) return this.#stop("M.ABI.TRUNCATED");
    this.at = at;
    this.length = length;
    this.kind = head & 0xffff;
    this.#next = at + length;
    if (head >>> 16 === 0 && KNOWN.has(this.kind)) return this.kind;
    this.fault = "M.ABI.UNKNOWN_KIND";
    return -1;
  }

  #stop(fault: RecordFault): -1 {
    this.fault = fault;
    this.#next = 0;
    this.#end = 0;
    return -1;
  }
}

const allZero = (bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i += 1) if (bytes[i] !== 0) return false;
  return true;
};

export type MissingField =
  | "bot_id"
  | "strategy_id"
  | "strategy_version"
  | "instance_id"
  | "run_id"
  | "trace_id"
  | "idempotency_key"
  | "risk_context.max_slippage_bps"
  | "risk_context.max_latency_us"
  | "risk_context.expected_holding_us"
  | "risk_context.budget";

/** The first mandatory field that is missing (M-2.4.2), or empty. */
export function missingMetadata(meta: Readonly<IntentMeta>): MissingField | "" {
  if (meta.bot === 0) return "bot_id";
  if (meta.strategy === 0) return "strategy_id";
  if (meta.version === 0) return "strategy_version";
  if (meta.instance === 0) return "instance_id";
  if (allZero(meta.runId)) return "run_id";
  if (allZero(meta.traceId)) return "trace_id";
  if (meta.idempotencyKey === 0) return "idempotency_key";
  if (meta.maxSlippageBps === MISSING_U32) return "risk_context.max_slippage_bps";
  if (meta.maxLatencyUs === MISSING_U32) return "risk_context.max_latency_us";
  if (meta.expectedHoldingUs < 0) return "risk_context.expected_holding_us";
  if (meta.budget < 0) return "risk_context.budget";
  return "";
}
