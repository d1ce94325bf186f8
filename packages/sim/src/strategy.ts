/**
 * The strategy of every simulated bot: orders that follow from the event alone, so that any life of it decides alike.
 *
 * There is no box around it; the simulator is about what becomes of its intents.
 */
import {
  CALLBACK,
  type FrameViews,
  makeFrameHeader,
  makeFrameViews,
  makeInitCall,
  ORDER_TYPE,
  readFrameHeader,
  readInitCall,
  SIDE,
  type StrategyDescriptor,
  TIME_IN_FORCE,
  writeOrderIntent,
  writeSavedState,
} from "@rumi/abi";
import { digestOf, invariant } from "@rumi/kernel";
import type { CallbackNumber, Strategy } from "@rumi/runtime";
import { MARKET_KIND } from "@rumi/venues";

const INPUT_BYTES = 65_536;

export const DESCRIPTOR: StrategyDescriptor = {
  strategy_id: "sim-strategy",
  strategy_version: "1.0.0",
  runtime_kind: "rust_wasm",
  instance_model: "single",
  entrypoint: "sim.wasm",
  capabilities: {
    subscribe: ["trade", "execution", "safety"],
    order_types: ["limit", "market"],
    venues: ["*"],
    instruments: ["*"],
    external_services: [],
    lane: "ll",
  },
  resources: {
    event_timeout_ms: 50,
    fuel_per_event: 100_000,
    memory_bytes: 2_097_152,
    threads: 1,
    cpu: 1,
    queue_events: 1_024,
    intents_per_event: 8,
    intents_per_second: 100,
    log_bytes_per_second: 4_096,
    log_bytes_per_run: 65_536,
    state_bytes: 65_536,
  },
  state_schema_version: 1,
  config_schema: { pace: { type: "integer", minimum: 1, maximum: 100, required: false, default: 3 } },
  io_contracts: { abi: 1, events: 1, intents: 1 },
  binary_hash: digestOf("sim.wasm"),
};

export class SimStrategy implements Strategy {
  readonly isolation = { level: "L2", mechanism: "simulated" } as const;
  readonly views: FrameViews = makeFrameViews(INPUT_BYTES * 2);
  readonly #header = makeFrameHeader();
  readonly #init = makeInitCall();
  #key = 0;

  room(): number {
    return 0;
  }

  invoke(callback: CallbackNumber, length: number): number {
    const { views } = this;
    invariant(readFrameHeader(views, 0, this.#header) === "", "a frame of the host is sound");
    if (callback === CALLBACK.init) {
      invariant(readInitCall(views, 0, length, this.#init) === "", "the host's init is sound");
      this.#key = this.#init.nextIntentKey;
      this.#init.runId = this.#init.runId.slice();
      return 0;
    }
    if (callback === CALLBACK.save_state)
      return writeSavedState(views, INPUT_BYTES, { schemaVersion: 1, state: new Uint8Array(8) });
    const kind = views.u16[0] ?? 0;
    if (callback !== CALLBACK.event || kind !== MARKET_KIND.trade) return 0;
    // Every third row or so, by the event's own time.
    const draw = Math.floor(this.#header.eventTimeUs / 1_000) % 97;
    return draw % 3 === 0 ? this.#order(draw) : 0;
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

  #order(draw: number): number {
    const { bot, strategy, version, instance, runId } = this.#init;
    const isMarket = draw % 2 === 0;
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
    const written = writeOrderIntent(this.views, INPUT_BYTES, meta, {
      instrument: this.#header.instrument,
      side: draw % 4 < 2 ? SIDE.buy : SIDE.sell,
      orderType: isMarket ? ORDER_TYPE.market : ORDER_TYPE.limit,
      timeInForce: isMarket ? TIME_IN_FORCE.ioc : TIME_IN_FORCE.gtc,
      options: 0,
      price: isMarket ? 0 : 99_000 + draw * 20,
      quantity: 1 + (draw % 7),
    });
    invariant(written > 0, "the order fits the ABI");
    return written;
  }
}
