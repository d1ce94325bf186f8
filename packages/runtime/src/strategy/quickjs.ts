/**
 * A TypeScript strategy in the lane's own thread: its bundle, interpreted by an engine of its own that pays fuel.
 *
 * Like a Wasm strategy in everything that the machine sees: a call is a function call, and what ends it is the same in
 * every replay. `sdk/typescript` is the other half of this conversation.
 */
import { type FrameViews, frameViews } from "@rumi/abi";
import { err, type Failure, ok, type Result } from "@rumi/kernel";
import { type CallMark, openQuickJsBox, type QuickJsBox, UNWATCHED, WASM_FAULTED } from "@rumi/sandbox";
import { refusalOf } from "./evidence.ts";
import type { IsolationLevel } from "../isolation/choice.ts";
import {
  type CallbackNumber,
  FAULTED,
  inForce,
  type IsolationInForce,
  type Strategy,
  type StrategyFault,
} from "./strategy.ts";

export type QuickJsStrategyOptions = {
  /** The bundle. */
  readonly bytes: Uint8Array;
  readonly memory_bytes: number;
  readonly fuel_per_event: number;
  /** Where a watchdog sees the calls. */
  readonly mark?: CallMark;
  /** The level that was asked for and is not to be had. */
  readonly instead_of?: IsolationLevel | null;
};

export function openQuickJsStrategy(options: QuickJsStrategyOptions): Result<QuickJsStrategy, Failure> {
  const box = openQuickJsBox({
    source: options.bytes,
    memory_bytes: options.memory_bytes,
    fuel_per_call: options.fuel_per_event,
  });
  return box.ok ? ok(new QuickJsStrategy(box.value, options)) : err(box.error);
}

export class QuickJsStrategy implements Strategy {
  readonly isolation: IsolationInForce;
  views: FrameViews;
  readonly #box: QuickJsBox;
  readonly #mark: CallMark;
  #seen: Uint8Array;
  #refusal: StrategyFault | null = null;

  constructor(
    box: QuickJsBox,
    { mark = UNWATCHED, instead_of = null }: Pick<QuickJsStrategyOptions, "mark" | "instead_of">,
  ) {
    this.#box = box;
    this.#mark = mark;
    this.isolation = inForce(box.level, box.mechanism, instead_of);
    this.#seen = box.u8;
    this.views = frameViews(box.u8.buffer, 0, box.u8.length);
  }

  room(bytes: number): number {
    return bytes > this.#box.roomBytes || this.#box.lastFault() !== null ? FAULTED : this.#box.inputAt;
  }

  invoke(callback: CallbackNumber, length: number): number {
    if (callback === 2 || callback === 3) this.#mark.enterEvent();
    else this.#mark.enterRare();
    const answer = this.#box.call(callback, length);
    this.#mark.leave();
    if (this.#box.u8 !== this.#seen) this.#refresh();
    if (answer === WASM_FAULTED) return FAULTED;
    this.#refusal = answer < 0 ? refusalOf(answer, this.views, this.#box.outputAt, this.#box.roomBytes) : null;
    return answer;
  }

  outputAt(length: number): number {
    return length > this.#box.roomBytes ? FAULTED : this.#box.outputAt;
  }

  fault(): StrategyFault | null {
    const fault = this.#box.lastFault();
    return fault === null ? this.#refusal : { kind: fault.kind, reason_code: fault.reason_code, detail: fault.detail };
  }

  reset(): StrategyFault | null {
    this.#box.reset();
    this.#refusal = null;
    this.#refresh();
    return this.fault();
  }

  close(): void {
    this.#seen = new Uint8Array();
  }

  fuelUsed(): number {
    return this.#box.fuelUsed();
  }

  #refresh(): void {
    this.#seen = this.#box.u8;
    this.views = frameViews(this.#seen.buffer, 0, this.#seen.length);
  }
}
