/** Calls that are not the hot path: init, saved state, timers, executions; each a frame and its answer. */
import {
  ABI_VERSION,
  CALLBACK,
  EXECUTION_REPORT,
  KILL_SWITCH,
  type FrameHeader,
  type InstrumentSpec,
  LIQUIDITY,
  MONEY_DIGITS,
  NO_INSTRUMENT,
  OUTPUT_KIND,
  makeFrameHeader,
  makeSavedState,
  readSavedState,
  RecordWalker,
  RUN_MODE,
  SAFETY_MODE,
  SHUTDOWN_REASON,
  SIDE,
  writeConfigEvent,
  writeExecutionEvent,
  writeHealthcheckCall,
  writeInitCall,
  writeMigrateStateCall,
  writeSafetyEvent,
  writeSaveStateCall,
  writeShutdownCall,
  writeSignalEvent,
  writeTimerEvent,
} from "@rumi/abi";
import { canonicalJson, type JsonObject, sha256 } from "@rumi/kernel";
import type { ExecutionReport } from "@rumi/venues";
import { type CallbackNumber, FAULTED, type Strategy, type StrategyFault } from "../strategy/strategy.ts";
import type { KillScope } from "../kill-switch/rules.ts";
import type { Authority } from "./authority.ts";
import type { Identity } from "./entry.ts";

/** The ABI knows fewer scopes: what is meant for several of a kind is told as the venue's, what is meant for one bot as the bot's. */
const HEARD_AS = {
  all: "global",
  venue: "venue",
  group_id: "venue",
  bot_id: "bot",
  strategy_id: "bot",
} as const satisfies Record<KillScope, keyof typeof KILL_SWITCH>;

export const HANDLES = { bot: 1, strategy: 2, version: 3, instance: 4 } as const;

export type InitWith = {
  readonly identity: Identity;
  readonly mode: keyof typeof RUN_MODE;
  readonly seed: string;
  readonly instruments: readonly InstrumentSpec[];
  readonly config: JsonObject;
  readonly next_intent_key: number;
  readonly state_version: number;
  readonly state: Uint8Array;
};

export const runIdBytes = (runId: string): Uint8Array => new Uint8Array(Buffer.from(runId.replaceAll("-", ""), "hex"));

export function strategyFault(strategy: Strategy, status: number, callback: string): StrategyFault {
  return (
    strategy.fault() ?? {
      kind: "status",
      reason_code: `M.STRATEGY.STATUS_${Math.abs(status)}`,
      detail: `${callback} answered ${status}`,
    }
  );
}

export class Caller {
  readonly header: FrameHeader = makeFrameHeader();
  readonly #strategy: Strategy;
  readonly #walker = new RecordWalker();

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
    this.header.instrument = NO_INSTRUMENT;
  }

  /** The present of the next frame: inputs before it, and the time. */
  at(inputs: number, clock_us: number): void {
    this.header.cursor = inputs;
    this.header.eventTimeUs = clock_us;
    this.header.receivedTimeUs = clock_us;
    this.header.processedTimeUs = clock_us;
  }

  init(withThis: InitWith): number {
    const config = new TextEncoder().encode(canonicalJson(withThis.config));
    const { identity } = withThis;
    const size = 400 + withThis.instruments.length * 144 + config.length + withThis.state.length + 16;
    const instruments = withThis.instruments.map((one) => ({
      instrumentId: one.instrument_id,
      baseCurrency: one.base_currency,
      quoteCurrency: one.quote_currency,
      priceDigits: one.price_digits,
      quantityDigits: one.quantity_digits,
      tickSize: one.tick_size,
      lotSize: one.lot_size,
      minQuantity: one.min_quantity,
      maxQuantity: one.max_quantity,
    }));
    const frame = {
      abiVersion: ABI_VERSION,
      mode: RUN_MODE[withThis.mode],
      runId: runIdBytes(identity.run_id),
      seed: sha256(withThis.seed).slice(0, 16),
      nextIntentKey: withThis.next_intent_key,
      ...HANDLES,
      botId: identity.bot_id,
      strategyId: identity.strategy_id,
      strategyVersion: identity.strategy_version,
      instanceId: identity.instance_id,
      stateVersion: withThis.state_version,
      instruments,
      config,
      state: withThis.state,
    };
    return this.#send(CALLBACK.init, size, (at) => writeInitCall(this.#strategy.views, at, this.header, frame));
  }

  /** `reason` is one of REFUSAL. */
  execution(report: ExecutionReport, key: number, instrument: InstrumentSpec | undefined, reason: number): number {
    this.header.instrument = report.instrument;
    const frame = {
      // ABI 1 has one word for "your change of an order was refused".
      report: EXECUTION_REPORT[report.kind === "amend_rejected" ? "cancel_rejected" : report.kind],
      side: SIDE[report.side],
      liquidity: LIQUIDITY[report.liquidity],
      reason,
      clientOrderId: report.client_order_id,
      idempotencyKey: key,
      price: report.price,
      quantity: report.quantity,
      remaining: report.remaining,
      fee: feeAsMoney(report.fee, (instrument?.price_digits ?? 0) + (instrument?.quantity_digits ?? 0)),
    };
    const answer = this.#send(CALLBACK.event, 144, (at) =>
      writeExecutionEvent(this.#strategy.views, at, this.header, frame),
    );
    this.header.instrument = NO_INSTRUMENT;
    return answer;
  }

  timer(timerId: number, dueUs: number): number {
    return this.#send(CALLBACK.timer, 96, (at) =>
      writeTimerEvent(this.#strategy.views, at, this.header, { timerId, dueUs }),
    );
  }

  safety({ word, scope }: Pick<Authority, "word" | "scope">, generation: number): number {
    const mode = word.safety.toLowerCase() as keyof typeof SAFETY_MODE;
    const killSwitch = scope === null ? KILL_SWITCH.none : KILL_SWITCH[HEARD_AS[scope]];
    return this.#send(CALLBACK.event, 96, (at) =>
      writeSafetyEvent(this.#strategy.views, at, this.header, { mode: SAFETY_MODE[mode], killSwitch, generation }),
    );
  }

  config(config: JsonObject, generation: number): number {
    const json = new TextEncoder().encode(canonicalJson(config));
    return this.#send(CALLBACK.event, 112 + json.length, (at) =>
      writeConfigEvent(this.#strategy.views, at, this.header, { apply: 1, generation, json }),
    );
  }

  signal(signal: JsonObject): number {
    const json = new TextEncoder().encode(canonicalJson(signal));
    return this.#send(CALLBACK.event, 96 + json.length, (at) =>
      writeSignalEvent(this.#strategy.views, at, this.header, { json }),
    );
  }

  shutdown(reason: keyof typeof SHUTDOWN_REASON): number {
    return this.#send(CALLBACK.shutdown, 80, (at) =>
      writeShutdownCall(this.#strategy.views, at, this.header, { reason: SHUTDOWN_REASON[reason] }),
    );
  }

  healthcheck(): number {
    return this.#send(CALLBACK.healthcheck, 80, (at) =>
      writeHealthcheckCall(this.#strategy.views, at, this.header, {}),
    );
  }

  /** The strategy's state with its schema version, or what went wrong. */
  saveState(stateBytesMax: number): { readonly version: number; readonly state: Uint8Array } | StrategyFault {
    const length = this.#send(CALLBACK.save_state, 80, (at) =>
      writeSaveStateCall(this.#strategy.views, at, this.header, {}),
    );
    return this.#savedState(length, "save_state", stateBytesMax);
  }

  migrateState(
    fromVersion: number,
    state: Uint8Array,
    stateBytesMax: number,
  ): { readonly version: number; readonly state: Uint8Array } | StrategyFault {
    const length = this.#send(CALLBACK.migrate_state, 96 + state.length, (at) =>
      writeMigrateStateCall(this.#strategy.views, at, this.header, { fromVersion, state }),
    );
    return this.#savedState(length, "migrate_state", stateBytesMax);
  }

  #savedState(
    length: number,
    callback: string,
    stateBytesMax: number,
  ): { readonly version: number; readonly state: Uint8Array } | StrategyFault {
    if (length < 0) return strategyFault(this.#strategy, length, callback);
    const at = this.#strategy.outputAt(length);
    if (at === FAULTED) return strategyFault(this.#strategy, at, callback);
    const saved = makeSavedState();
    this.#walker.begin(this.#strategy.views, at, length);
    for (let kind = this.#walker.step(); kind > 0; kind = this.#walker.step()) {
      if (kind !== OUTPUT_KIND.saved_state) continue;
      if (readSavedState(this.#strategy.views, this.#walker.at, this.#walker.length, saved) !== "") break;
      if (saved.state.length > stateBytesMax)
        return {
          kind: "output",
          reason_code: "M.STATE.TOO_LARGE",
          detail: `${saved.state.length} of at most ${stateBytesMax} bytes`,
        };
      // Small states share a pool: an array buffer of its own for each would cost more than the call.
      return { version: saved.schemaVersion, state: Buffer.from(saved.state) };
    }
    return { kind: "output", reason_code: "M.STATE.NOT_SAVED", detail: `${callback} put out no saved_state` };
  }

  #send(callback: CallbackNumber, bytes: number, write: (at: number) => number): number {
    const room = Math.ceil(bytes / 8) * 8 + 32;
    const at = this.#strategy.room(room);
    if (at === FAULTED) return FAULTED;
    const length = write(at);
    if (length < 0)
      throw new Error(`broken invariant: a frame of the host for callback ${callback} does not fit the ABI`);
    return this.#strategy.invoke(callback, length);
  }
}

/** Looked up: raising a bigint costs as much as telling a strategy of its fill. */
const TENS: readonly bigint[] = Array.from({ length: 2 * MONEY_DIGITS + 1 }, (_, digits) => 10n ** BigInt(digits));

/** Rounded up: a strategy never believes that it paid less than it did. */
function feeAsMoney(fee: bigint, digits: number): number {
  const by = TENS[Math.abs(MONEY_DIGITS - digits)] ?? 10n ** BigInt(Math.abs(MONEY_DIGITS - digits));
  if (digits <= MONEY_DIGITS) return Number(fee * by);
  return Number(fee >= 0n ? (fee + by - 1n) / by : fee / by);
}
