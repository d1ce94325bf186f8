/**
 * The host half: takes a frame, calls the strategy, leaves records; every failure becomes a negative status.
 *
 * `serve` defines the one global that the host looks for, `rumi_strategy(memory, inputAt, outputAt)`. Its answer takes
 * every call: two words before the input say which callback and how many bytes; what comes back is the output's length
 * or a status (docs/formats/abi.md).
 */
import { ABI_VERSION, CALLBACK, STATUS } from "./generated/constants.ts";
import { INPUT_KIND, makeFrameHeader, readFrameHeader } from "./generated/header.ts";
import {
  makeInitCall,
  makeMigrateStateCall,
  makeShutdownCall,
  makeTimerEvent,
  readInitCall,
  readMigrateStateCall,
  readShutdownCall,
  readTimerEvent,
} from "./generated/input.ts";
import { frameViews, type FrameViews } from "./generated/views.ts";
import { Context } from "./context.ts";
import { plainTradeReader, readEvent } from "./events.ts";
import { type Config, Refusal } from "./refusal.ts";
import { decodeText } from "./text.ts";
import type { Strategy, StrategyClass } from "./strategy.ts";

export function serve(strategy: StrategyClass): void {
  const open = (memory: ArrayBuffer, inputAt: number, outputAt: number): (() => number) => {
    const views = frameViews(memory, 0, memory.byteLength);
    const context = new Context(views, inputAt, outputAt);
    const host = new Host(strategy, context, views, inputAt);
    const head = new Uint32Array(memory, inputAt - 8, 5);
    const instrument = new Uint32Array(memory, inputAt + 40, 1);
    const readPlainTrade = plainTradeReader(memory, inputAt);
    return () => {
      context.used = 0;
      context.flags = (head[2] as number) >>> 16;
      context.instrument = instrument[0] as number;
      const callback = head[0] as number;
      try {
        const trade = callback === EVENT ? readPlainTrade(head[1] as number) : null;
        if (trade !== null && host.strategy !== null) host.strategy.onEvent(context, trade);
        else host.call(callback, head[1] as number);
        return context.used;
      } catch (error) {
        return error instanceof Refusal
          ? context.refuse(error.status, error.message)
          : context.refuse(STATUS.exception, described(error));
      }
    };
  };
  (globalThis as { rumi_strategy?: typeof open }).rumi_strategy = open;
}

const EVENT: number = CALLBACK.event;
const HEADER_BYTES = 64;

/** Every call but a plain trade's. */
class Host {
  strategy: Strategy | null = null;
  readonly #class: StrategyClass;
  readonly #context: Context;
  readonly #views: FrameViews;
  readonly #inputAt: number;

  constructor(strategy: StrategyClass, context: Context, views: FrameViews, inputAt: number) {
    this.#class = strategy;
    this.#context = context;
    this.#views = views;
    this.#inputAt = inputAt;
  }

  call(callback: number, length: number): void {
    const context = this.#context;
    const { kind, at } = this.#frame(length);
    const views = this.#views;
    const sound = (bad: string): void => {
      if (bad !== "") throw malformed(bad);
    };
    if (callback === CALLBACK.event) {
      const event = readEvent(views, kind, at, length);
      if (typeof event === "string") throw malformed(event);
      this.#ready().onEvent(context, event);
    } else if (callback === CALLBACK.timer && kind === INPUT_KIND.timer_event) {
      const timer = makeTimerEvent();
      sound(readTimerEvent(views, at, length, timer));
      this.#ready().onTimer?.(context, timer.timerId, timer.dueUs);
    } else if (callback === CALLBACK.init && kind === INPUT_KIND.init_call) {
      const call = makeInitCall();
      sound(readInitCall(views, at, length, call));
      if (call.abiVersion !== ABI_VERSION) throw new Refusal(`abi version ${call.abiVersion}`, STATUS.bad_abi_version);
      context.start(call);
      const config = JSON.parse(call.config.length === 0 ? "{}" : decodeText(call.config)) as Config;
      const restored = call.stateVersion === 0 ? null : { version: call.stateVersion, bytes: call.state.slice() };
      const strategy = new this.#class();
      strategy.onInit(context, config, restored);
      this.strategy = strategy;
    } else if (callback === CALLBACK.shutdown && kind === INPUT_KIND.shutdown_call) {
      const call = makeShutdownCall();
      sound(readShutdownCall(views, at, length, call));
      this.#ready().onShutdown?.(context, call.reason);
    } else if (callback === CALLBACK.healthcheck && kind === INPUT_KIND.healthcheck_call) {
      const strategy = this.#ready();
      if (strategy.onHealthcheck === undefined) throw new Refusal("no onHealthcheck", STATUS.unsupported);
      const { health, reason } = strategy.onHealthcheck(context);
      context.health(health, reason);
    } else if (callback === CALLBACK.save_state && kind === INPUT_KIND.save_state_call) {
      this.#saved(this.#ready().saveState(), STATUS.state_refused);
    } else if (callback === CALLBACK.migrate_state && kind === INPUT_KIND.migrate_state_call) {
      const call = makeMigrateStateCall();
      sound(readMigrateStateCall(views, at, length, call));
      this.#saved(this.#class.migrateState?.(call.fromVersion, call.state.slice()), STATUS.unsupported);
    } else throw malformed("kind");
  }

  /** The frame's kind, once its header is sound. */
  #frame(length: number): { readonly kind: number; readonly at: number } {
    const { u16, u32 } = this.#views;
    const at = this.#inputAt;
    if (length < HEADER_BYTES || u32[(at >> 2) + 1] !== length) throw malformed("length");
    if (u32[(at >> 2) + 11] !== ABI_VERSION) throw malformed("schema_version");
    const bad = readFrameHeader(this.#views, at, makeFrameHeader());
    if (bad !== "") throw malformed(bad);
    return { kind: u16[at >> 1] ?? 0, at };
  }

  #ready(): Strategy {
    if (this.strategy === null) throw new Refusal("not initialised", STATUS.not_initialised);
    return this.strategy;
  }

  #saved(state: unknown, status: number): void {
    if (!(state instanceof Uint8Array)) throw new Refusal("no state bytes", status);
    this.#context.saved(this.#class.stateVersion, state);
  }
}

const malformed = (field: string): Refusal => new Refusal(`malformed: ${field}`, STATUS.bad_frame);

/** What was thrown and where, as far as it can be told. */
function described(error: unknown): string {
  if (!(error instanceof Error)) return "something that is no Error was thrown";
  return `${error.name}: ${error.message}\n${error.stack ?? ""}`;
}
