/**
 * A strategy that a test writes: it hears every frame as the ABI's bytes and answers with orders. No box around it; what
 * is tested with it is what the host delivers and what becomes of an intent.
 */
import {
  CALLBACK,
  type FrameViews,
  EXECUTION_REPORT,
  INPUT_KIND,
  makeExecutionEvent,
  makeFrameHeader,
  makeFrameViews,
  makeInitCall,
  ORDER_OPTIONS,
  ORDER_TYPE,
  readExecutionEvent,
  readFrameHeader,
  readInitCall,
  SIDE,
  TIME_IN_FORCE,
  writeCancelIntent,
  writeOrderIntent,
  writePositionIntent,
  writeSavedState,
} from "@rumi/abi";
import { MARKET_KIND } from "@rumi/venues";
import type { CallbackNumber, Strategy, StrategyFault } from "../src/strategy/strategy.ts";

export type Heard = {
  readonly kind: number;
  readonly flags: number;
  readonly instrument: number;
  readonly event_time_us: number;
  readonly received_time_us: number;
  readonly processed_time_us: number;
};
export type Wish =
  | OrderWish
  | { readonly cancel: number }
  /** A position at the market. */
  | { readonly target: number };
export type ToldReport = {
  readonly report: string;
  readonly key: number;
  readonly reason: number;
  readonly instrument: number;
  readonly side: number;
  readonly remaining: number;
  readonly client_order_id: string;
};
export type OrderWish = {
  readonly side: "buy" | "sell";
  readonly type: "limit" | "market";
  readonly price: number;
  readonly quantity: number;
  readonly reduce_only?: boolean;
};

const INPUT_BYTES = 262_144;

export class ScriptedStrategy implements Strategy {
  readonly isolation = { level: "L0", mechanism: "scripted" } as const;
  readonly views: FrameViews = makeFrameViews(INPUT_BYTES * 2);
  readonly heard: Heard[] = [];
  /** What it was told of its orders: `report key`. */
  readonly told: string[] = [];
  /** The same with the number of the reason behind it. */
  readonly reports: ToldReport[] = [];
  readonly #decide: (event: Heard, nth: number) => readonly Wish[];
  readonly #answer: (report: ToldReport) => readonly Wish[];
  readonly #header = makeFrameHeader();
  readonly #init = makeInitCall();
  #key = 0;

  constructor(
    decide: (event: Heard, nth: number) => readonly Wish[],
    answer: (report: ToldReport) => readonly Wish[] = () => [],
  ) {
    this.#decide = decide;
    this.#answer = answer;
  }

  room(bytes: number): number {
    if (bytes > INPUT_BYTES) throw new Error(`a frame of ${bytes} bytes`);
    return 0;
  }

  invoke(callback: CallbackNumber, length: number): number {
    const { views } = this;
    if (readFrameHeader(views, 0, this.#header) !== "") throw new Error("a frame of the host is malformed");
    if (callback === CALLBACK.init) {
      if (readInitCall(views, 0, length, this.#init) !== "") throw new Error("the init frame is malformed");
      this.#key = this.#init.nextIntentKey;
      this.#init.runId = this.#init.runId.slice();
      return 0;
    }
    if (callback === CALLBACK.save_state)
      return writeSavedState(views, INPUT_BYTES, { schemaVersion: 1, state: new Uint8Array(8) });
    const kind = views.u16[0] ?? 0;
    if (callback === CALLBACK.event && kind === INPUT_KIND.execution_event)
      return this.#putOut(this.#answer(this.#hear(length)));
    // Market data alone counts; what became of its orders is in the entries.
    if (callback !== CALLBACK.event || kind > MARKET_KIND.book) return 0;
    const event: Heard = {
      kind,
      flags: this.#header.flags,
      instrument: this.#header.instrument,
      event_time_us: this.#header.eventTimeUs,
      received_time_us: this.#header.receivedTimeUs,
      processed_time_us: this.#header.processedTimeUs,
    };
    this.heard.push(event);
    return this.#putOut(this.#decide(event, this.heard.length - 1));
  }

  #putOut(wishes: readonly Wish[]): number {
    const { instrument } = this.#header;
    let at = INPUT_BYTES;
    for (const wish of wishes) at += this.#order(at, instrument, wish);
    return at - INPUT_BYTES;
  }

  outputAt(): number {
    return INPUT_BYTES;
  }
  fault(): StrategyFault | null {
    return null;
  }
  reset(): null {
    return null;
  }
  close(): void {
    // Nothing is held.
  }

  #hear(length: number): ToldReport {
    const event = makeExecutionEvent();
    if (readExecutionEvent(this.views, 0, length, event) !== "") throw new Error("the execution frame is malformed");
    const word = Object.entries(EXECUTION_REPORT).find(([, number]) => number === event.report)?.[0];
    const { idempotencyKey: key, reason, side, remaining, clientOrderId: client_order_id } = event;
    const told = { report: word ?? `${event.report}`, key, reason, side, remaining, client_order_id };
    this.told.push(`${told.report} ${key}`);
    this.reports.push({ ...told, instrument: this.#header.instrument });
    return { ...told, instrument: this.#header.instrument };
  }

  #order(at: number, instrument: number, wish: Wish): number {
    const { bot, strategy, version, instance, runId } = this.#init;
    const meta = {
      bot,
      strategy,
      version,
      instance,
      runId,
      traceId: this.#header.traceId,
      idempotencyKey: this.#key++,
      maxSlippageBps: 10,
      maxLatencyUs: 1_000_000,
      expectedHoldingUs: 1_000_000,
      budget: 1_000_000_00000000,
    };
    if ("cancel" in wish) return writeCancelIntent(this.views, at, meta, { targetKey: wish.cancel, instrument });
    if ("target" in wish)
      return writePositionIntent(this.views, at, meta, {
        instrument,
        orderType: ORDER_TYPE.market,
        target: wish.target,
        limitPrice: 0,
      });
    const written = writeOrderIntent(this.views, at, meta, {
      instrument,
      side: SIDE[wish.side],
      orderType: ORDER_TYPE[wish.type],
      timeInForce: wish.type === "market" ? TIME_IN_FORCE.ioc : TIME_IN_FORCE.gtc,
      options: wish.reduce_only === true ? ORDER_OPTIONS.reduce_only : 0,
      price: wish.price,
      quantity: wish.quantity,
    });
    if (written < 0) throw new Error("the order does not fit the ABI");
    return written;
  }
}
