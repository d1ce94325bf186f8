/** The strategy of a burst: at its first trade it places its orders, and then it notes what it hears of them. */
import {
  CALLBACK,
  INPUT_KIND,
  EXECUTION_REPORT,
  type FrameViews,
  type InstrumentSpec,
  makeExecutionEvent,
  makeFrameHeader,
  makeFrameViews,
  makeInitCall,
  ORDER_TYPE,
  readExecutionEvent,
  readFrameHeader,
  readInitCall,
  SIDE,
  TIME_IN_FORCE,
  writeOrderIntent,
  writeSavedState,
} from "@rumi/abi";
import { invariant } from "@rumi/kernel";
import type { CallbackNumber, Strategy } from "../strategy/strategy.ts";

/** What it heard of one of its orders, and when by its own clock. */
export type HeardExecution = {
  readonly client_order_id: string;
  readonly cancelled: boolean;
  readonly at_ms: number;
  /** Trades that it had heard by then. */
  readonly trades: number;
};

const INPUT_BYTES = 65_536;
const OUTPUT_BYTES = 1_048_576;

export class BurstStrategy implements Strategy {
  readonly isolation = { level: "L2", mechanism: "burst" } as const;
  readonly views: FrameViews = makeFrameViews(INPUT_BYTES + OUTPUT_BYTES);
  readonly heard: HeardExecution[] = [];
  accepted = 0;
  readonly #wish: { readonly orders: number; readonly price: number; readonly instrument: InstrumentSpec };
  readonly #header = makeFrameHeader();
  readonly #execution = makeExecutionEvent();
  readonly #init = makeInitCall();
  #placed = 0;
  #trades = 0;
  #key = 0;

  constructor(wish: { readonly orders: number; readonly price: number; readonly instrument: InstrumentSpec }) {
    this.#wish = wish;
  }

  room(): number {
    return 0;
  }

  invoke(callback: CallbackNumber, length: number): number {
    const { views } = this;
    if (callback === CALLBACK.save_state)
      return writeSavedState(views, INPUT_BYTES, { schemaVersion: 1, state: new Uint8Array(8) });
    invariant(readFrameHeader(views, 0, this.#header) === "", "a frame of the host is well formed");
    if (callback === CALLBACK.init) {
      invariant(readInitCall(views, 0, length, this.#init) === "", "the init frame is well formed");
      this.#key = this.#init.nextIntentKey;
      this.#init.runId = this.#init.runId.slice();
      return 0;
    }
    if (callback !== CALLBACK.event) return 0;
    const kind = views.u16[0] ?? 0;
    if (kind === INPUT_KIND.execution_event) this.#hear(length);
    if (kind === INPUT_KIND.trade_event) this.#trades += 1;
    return kind === INPUT_KIND.trade_event && this.#placed < this.#wish.orders ? this.#place() : 0;
  }

  #hear(length: number): void {
    invariant(readExecutionEvent(this.views, 0, length, this.#execution) === "", "an execution is well formed");
    const { report, clientOrderId } = this.#execution;
    if (report === EXECUTION_REPORT.accepted) this.accepted += 1;
    const cancelled = report === EXECUTION_REPORT.cancelled;
    this.heard.push({ client_order_id: clientOrderId, cancelled, at_ms: performance.now(), trades: this.#trades });
  }

  #place(): number {
    const { bot, strategy, version, instance, runId } = this.#init;
    const { orders, price, instrument } = this.#wish;
    let at = INPUT_BYTES;
    for (; this.#placed < orders; this.#placed += 1) {
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
        budget: 1e14,
      };
      const order = {
        instrument: 0,
        side: SIDE.buy,
        orderType: ORDER_TYPE.limit,
        timeInForce: TIME_IN_FORCE.gtc,
        options: 0,
        price,
        quantity: instrument.min_quantity,
      };
      const written = writeOrderIntent(this.views, at, meta, order);
      invariant(written > 0, "an order fits the ABI");
      at += written;
    }
    return at - INPUT_BYTES;
  }

  outputAt(): number {
    return INPUT_BYTES;
  }
  fault(): null {
    return null;
  }
  reset(): null {
    return null;
  }
  close(): void {
    // Nothing is held.
  }
}
