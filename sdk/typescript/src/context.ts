/** What a strategy sees and may say during one callback. */
import { STATUS, ABI_LIMITS } from "./generated/constants.ts";
import { type IntentMeta, LOG_LEVEL, makeIntentMeta, ORDER_TYPE, SEVERITY, TIME_IN_FORCE } from "./generated/header.ts";
import type { InitCall, Instrument } from "./generated/input.ts";
import {
  writeAlertIntent,
  writeAmendIntent,
  writeCancelIntent,
  writeErrorReport,
  writeHealthReport,
  writeLogLine,
  writeNoopIntent,
  writeOrderIntent,
  writePositionIntent,
  writeRiskHint,
  writeSavedState,
  writeServiceRequest,
  writeStateUpdate,
  writeTelemetryHint,
  writeTimerRequest,
} from "./generated/output.ts";
import { copyBytes, type FrameViews } from "./generated/views.ts";
import { Random } from "./random.ts";
import { Refusal } from "./refusal.ts";
import { encodeText } from "./text.ts";

/** Mandatory on every intent. */
export type RiskContext = {
  readonly maxSlippageBps: number;
  readonly maxLatencyUs: number;
  readonly expectedHoldingUs: number;
  /** Quote currency, scaled by 10^8. */
  readonly budget: number;
};

/** Numbers are ORDER_TYPE, TIME_IN_FORCE and bits of ORDER_OPTIONS. */
export type OrderWish = {
  readonly side: number;
  readonly quantity: number;
  /** Market unless said. */
  readonly orderType?: number;
  /** 0, which is right for a market order, unless said. */
  readonly price?: number;
  /** Immediate or cancel unless said. */
  readonly timeInForce?: number;
  readonly options?: number;
  /** Index of the instrument; the first unless said. */
  readonly instrument?: number;
};

const HEADER_WORDS = 16;
const HIGH = 4_294_967_296;

type Write = (to: FrameViews, at: number) => number;

export class Context {
  instruments: readonly Instrument[] = [];
  random: Random = new Random(new Uint8Array(16));
  /** One of RUN_MODE. */
  mode = 0;
  botId = "";
  instanceId = "";
  /** Bits of QUALITY. */
  flags = 0;
  /** Index of the instrument that the input is about; NO_INSTRUMENT when about none. */
  instrument = 0;
  /** @internal Bytes said so far. */
  used = 0;
  // Plain properties, because an interpreter pays more for #private ones: where the input is, where the output ends.
  private readonly views: FrameViews;
  private readonly at: number;
  private readonly u32: Uint32Array;
  private readonly i32: Int32Array;
  private readonly outputAt: number;
  private readonly end: number;
  private meta: IntentMeta = makeIntentMeta();
  private nextKey = 0;

  constructor(views: FrameViews, inputAt: number, outputAt: number) {
    this.views = views;
    this.at = inputAt;
    this.u32 = new Uint32Array(views.u8.buffer, inputAt, HEADER_WORDS);
    this.i32 = new Int32Array(views.u8.buffer, inputAt, HEADER_WORDS);
    this.outputAt = outputAt;
    this.end = views.u8.length;
  }

  /** Time of the input at hand, microseconds; the only clock there is. */
  get nowUs(): number {
    return (this.i32[9] as number) * HIGH + (this.u32[8] as number);
  }
  get eventTimeUs(): number {
    return (this.i32[5] as number) * HIGH + (this.u32[4] as number);
  }
  get receivedTimeUs(): number {
    return (this.i32[7] as number) * HIGH + (this.u32[6] as number);
  }
  /** Place in the instance's input. */
  get cursor(): number {
    return (this.u32[3] as number) * HIGH + (this.u32[2] as number);
  }

  // Intents. Each answers its key, by which its order is cancelled, amended and recognised in execution events.

  order(risk: RiskContext, wish: OrderWish): number {
    const value = {
      instrument: wish.instrument ?? 0,
      side: wish.side,
      orderType: wish.orderType ?? ORDER_TYPE.market,
      timeInForce: wish.timeInForce ?? TIME_IN_FORCE.ioc,
      options: wish.options ?? 0,
      price: wish.price ?? 0,
      quantity: wish.quantity,
    };
    return this.say(risk, (to, at) => writeOrderIntent(to, at, this.meta, value));
  }

  cancel(risk: RiskContext, targetKey: number, instrument = 0): number {
    return this.say(risk, (to, at) => writeCancelIntent(to, at, this.meta, { targetKey, instrument }));
  }

  /** -1 keeps what it was. */
  amend(risk: RiskContext, targetKey: number, price = -1, quantity = -1, instrument = 0): number {
    const value = { targetKey, instrument, price, quantity };
    return this.say(risk, (to, at) => writeAmendIntent(to, at, this.meta, value));
  }

  /** `target` is a signed quantity. */
  position(
    risk: RiskContext,
    target: number,
    orderType: number = ORDER_TYPE.market,
    limitPrice = 0,
    instrument = 0,
  ): number {
    const value = { instrument, orderType, target, limitPrice };
    return this.say(risk, (to, at) => writePositionIntent(to, at, this.meta, value));
  }

  /** At most four arguments. */
  alert(risk: RiskContext, code: number, severity: number = SEVERITY.warning, args: readonly number[] = []): number {
    const [arg0 = 0, arg1 = 0, arg2 = 0, arg3 = 0] = args;
    const value = { code, severity, args: args.length, arg0, arg1, arg2, arg3 };
    return this.say(risk, (to, at) => writeAlertIntent(to, at, this.meta, value));
  }

  noop(risk: RiskContext, reason = 0): number {
    return this.say(risk, (to, at) => writeNoopIntent(to, at, this.meta, { reason }));
  }

  riskHint(risk: RiskContext, hint: number, value: number, instrument = 0): number {
    return this.say(risk, (to, at) => writeRiskHint(to, at, this.meta, { instrument, hint, value }));
  }

  // Effects.

  requestCheckpoint(): void {
    this.emit((to, at) => writeStateUpdate(to, at, { checkpoint: 1 }));
  }

  /** `tag`: [a-z0-9_.]{1,32}; the host drops anything else. */
  telemetry(tag: string, score: number): void {
    this.emit((to, at) => writeTelemetryHint(to, at, { tag, score }));
  }

  /** `atUs` 0 cancels. */
  timer(timerId: number, atUs: number): void {
    this.emit((to, at) => writeTimerRequest(to, at, { timerId, atUs }));
  }

  /**
   * Asks a service by its contract's name (Compute lane, descriptor capability `services`); `request` is what JSON holds.
   * The answer comes as a signal: `{source: "service", service, request_id, as_of_us, answer}`, or with `error`.
   */
  ask(service: string, requestId: number, request: { readonly [name: string]: unknown }): void {
    const json = encodeText(JSON.stringify(request), ABI_LIMITS.service_request_bytes + 1);
    if (json.length > ABI_LIMITS.service_request_bytes) throw new Refusal("the question is too long", STATUS.bad_frame);
    // A question may be longer than any other record: the room is looked at with its own length.
    this.emit((to, at) => writeServiceRequest(to, at, { requestId, service, json }), json.length);
  }

  /** One line, cut at 1,024 bytes. */
  log(line: unknown, level: number = LOG_LEVEL.info): void {
    const text = encodeText(String(line), ABI_LIMITS.log_line_bytes);
    this.emit((to, at) => writeLogLine(to, at, { level, text }));
  }

  // The runner's half.

  /** @internal */
  start(call: InitCall): void {
    this.instruments = call.instruments;
    this.random = new Random(call.seed);
    this.mode = call.mode;
    this.botId = call.botId;
    this.instanceId = call.instanceId;
    this.nextKey = call.nextIntentKey;
    const { bot, strategy, version, instance } = call;
    this.meta = { ...makeIntentMeta(), bot, strategy, version, instance, runId: call.runId.slice() };
  }

  /** @internal */
  saved(schemaVersion: number, state: Uint8Array): void {
    this.emit((to, at) => writeSavedState(to, at, { schemaVersion, state }));
  }

  /** @internal */
  health(health: number, reason: number): void {
    this.emit((to, at) => writeHealthReport(to, at, { health, reason }));
  }

  /** @internal Voids what was said; leaves the reason. */
  refuse(status: number, text: string): number {
    this.used = 0;
    this.emit((to, at) =>
      writeErrorReport(to, at, { code: -status, text: encodeText(text, ABI_LIMITS.error_text_bytes) }),
    );
    return status;
  }

  private say(risk: RiskContext, write: Write): number {
    const meta = this.meta;
    const key = this.nextKey;
    copyBytes(this.views, this.at + 48, meta.traceId);
    meta.idempotencyKey = key;
    meta.maxSlippageBps = risk.maxSlippageBps;
    meta.maxLatencyUs = risk.maxLatencyUs;
    meta.expectedHoldingUs = risk.expectedHoldingUs;
    meta.budget = risk.budget;
    this.emit(write);
    this.nextKey = key + 1;
    return key;
  }

  private emit(write: Write, tail = 0): void {
    const at = this.outputAt + this.used;
    // The largest record without its tails is far below this.
    const full = at + 256 + tail > this.end;
    const length = full ? -1 : write(this.views, at);
    if (length < 0)
      throw new Refusal(
        full ? "the output is full" : "a value is out of range",
        full ? STATUS.output_overflow : STATUS.bad_frame,
      );
    this.used += length;
  }
}
