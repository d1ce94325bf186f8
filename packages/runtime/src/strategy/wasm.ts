/**
 * A Wasm strategy in the lane's own thread: a call is a function call, an event costs no allocation.
 *
 * Invariant: the entrypoint's hash is checked here again, at load, whatever admission said (admit.test.ts and runner.test.ts "[M-2.1.5]").
 */
import { type FrameViews, frameViews } from "@rumi/abi";
import { err, type Failure, ok, type Result } from "@rumi/kernel";
import {
  type CallMark,
  ENTRY,
  openWasmBox,
  UNWATCHED,
  WASM_FAULTED,
  type WasmBox,
  type WasmEntry,
} from "@rumi/sandbox";
import type { IsolationLevel } from "../isolation/choice.ts";
import { EVIDENCE_CHARACTERS_MAX, refusalOf } from "./evidence.ts";
import {
  type CallbackNumber,
  FAULTED,
  inForce,
  type IsolationInForce,
  type Strategy,
  type StrategyFault,
} from "./strategy.ts";

const ENTRY_OF: Readonly<Record<CallbackNumber, WasmEntry>> = {
  1: ENTRY.on_init,
  2: ENTRY.on_event,
  3: ENTRY.on_timer,
  4: ENTRY.on_shutdown,
  5: ENTRY.on_healthcheck,
  6: ENTRY.save_state,
  7: ENTRY.migrate_state,
};
const UNSUPPORTED = -6;
/** Kind, flags and length of a record. */
const RECORD_HEAD_BYTES = 8;
/** A longer error report is none. */
const REPORT_BYTES_MAX = 4 * EVIDENCE_CHARACTERS_MAX;

export type WasmStrategyOptions = {
  readonly bytes: Uint8Array;
  readonly memory_bytes: number;
  readonly fuel_per_event: number;
  /** Where a watchdog sees the calls. */
  readonly mark?: CallMark;
  /** Level L0, and tests of the dual fence (M-5.2.7): only the watchdog ends a call. */
  readonly without?: "fuel";
  /** The level that was asked for and is not to be had. */
  readonly instead_of?: IsolationLevel | null;
};

export function openWasmStrategy(options: WasmStrategyOptions): Result<WasmStrategy, Failure> {
  const box = openWasmBox({
    bytes: options.bytes,
    memory_bytes: options.memory_bytes,
    fuel_per_call: options.fuel_per_event,
    ...(options.without === undefined ? {} : { without: options.without }),
  });
  return box.ok ? ok(new WasmStrategy(box.value, options)) : err(box.error);
}

export class WasmStrategy implements Strategy {
  readonly isolation: IsolationInForce;
  views: FrameViews;
  readonly #box: WasmBox;
  readonly #mark: CallMark;
  #seen: Uint8Array;
  #roomAt = 0;
  #roomBytes = 0;
  /** What the latest call answered. */
  #status = 0;

  constructor(
    box: WasmBox,
    { mark = UNWATCHED, without, instead_of = null }: Pick<WasmStrategyOptions, "mark" | "without" | "instead_of">,
  ) {
    this.#box = box;
    this.#mark = mark;
    this.isolation =
      without === "fuel" ? inForce("L0", "wasm-watchdog", instead_of) : inForce("L2", box.mechanism, instead_of);
    this.#seen = box.u8;
    this.views = viewsOf(box);
  }

  /** The place of the largest room so far is asked for once; a strategy keeps its input place until asked for more. */
  room(bytes: number): number {
    if (bytes <= this.#roomBytes) return this.#roomAt;
    this.#mark.enterEvent();
    const at = this.#box.inputPointer(bytes);
    this.#mark.leave();
    this.#refresh();
    if (at === WASM_FAULTED) return FAULTED;
    this.#roomAt = at;
    this.#roomBytes = bytes;
    return at;
  }

  invoke(callback: CallbackNumber, length: number): number {
    if (callback === 2 || callback === 3) this.#mark.enterEvent();
    else this.#mark.enterRare();
    const answer = callback === 2 ? this.#box.call(4, length) : this.#rarely(callback, length);
    this.#mark.leave();
    if (this.#box.u8 !== this.#seen) this.#refresh();
    this.#status = answer;
    return answer;
  }

  outputAt(length: number): number {
    this.#mark.enterEvent();
    const at = this.#box.outputPointer(length);
    this.#mark.leave();
    this.#refresh();
    return at === WASM_FAULTED ? FAULTED : at;
  }

  fault(): StrategyFault | null {
    const fault = this.#box.lastFault();
    if (fault !== null) return { kind: fault.kind, reason_code: fault.reason_code, detail: fault.detail };
    return this.#status < 0 ? this.#refused(this.#status) : null;
  }

  /** A refusal with the error report that stands where the output begins; its pointers are checked as any others. */
  #refused(status: number): StrategyFault {
    const head = this.outputAt(RECORD_HEAD_BYTES);
    const bytes = head === FAULTED ? 0 : (this.views.u32[(head + 4) >> 2] ?? 0);
    const at = bytes > 0 && bytes <= REPORT_BYTES_MAX ? this.outputAt(bytes) : FAULTED;
    return refusalOf(status, this.views, Math.max(at, 0), at === FAULTED ? 0 : bytes);
  }

  reset(): StrategyFault | null {
    this.#box.reset();
    this.#roomBytes = 0;
    this.#status = 0;
    this.#refresh();
    return this.fault();
  }

  close(): void {
    this.#roomBytes = 0;
  }

  abiVersion(): number {
    return this.#box.abiVersion();
  }

  fuelUsed(): number {
    return this.#box.fuelUsed();
  }

  #rarely(callback: CallbackNumber, length: number): number {
    const entry = ENTRY_OF[callback];
    return this.#box.has(entry) ? this.#box.call(entry, length) : UNSUPPORTED;
  }

  #refresh(): void {
    if (this.#box.u8 === this.#seen) return;
    this.#seen = this.#box.u8;
    this.views = viewsOf(this.#box);
  }
}

function viewsOf(box: WasmBox): FrameViews {
  return frameViews(box.u8.buffer, 0, box.u8.length);
}
