/**
 * Instance: a deterministic machine. Feed rows and recorded inputs go in; intents, orders, fills and state come out.
 *
 * How to think: `run` takes rows until something must be made durable before the world may see it (`pending`),
 * or a limit is reached. The shell makes the journal durable and calls `dispatch`, then `run` again. Time is the
 * feed's received time; no clock, no randomness, no store is in here.
 *
 * Invariants
 * - Same pack, config, seed, rows and inputs → the same entries and the same `save` (machine.test.ts "[M-0.7]").
 * - An order reaches the venue only through `dispatch`, in the order of its journal entries.
 * - The row loop allocates nothing while the strategy puts nothing out and the venue reports nothing.
 */
import { ABI_VERSION, CALLBACK, type InstrumentSpec, type RUN_MODE } from "@rumi/abi";
import type { ClientOrderId, JsonObject } from "@rumi/kernel";
import type { ExecutionReport, SimulatedVenue, TradeColumns } from "@rumi/venues";
import { GATE_START, type GateContext, type GateState, judge, type Restriction, type Verdict } from "../gate/gate.ts";
import type { Intent, VenueAction } from "../gate/intent.ts";
import type { InstanceMode } from "../protocol.ts";
import { FAULTED, type Strategy, type StrategyFault } from "../strategy/strategy.ts";
import { Caller, HANDLES, runIdBytes, strategyFault } from "./calls.ts";
import { fillJson, type Identity, intentJson, isFill, type MachineEntry, orderJson } from "./entry.ts";
import { afterCalm, afterFault, afterViolation, type Health, HEALTHY, sameHealth } from "./health.ts";
import { LiveOrders } from "./orders.ts";
import { type Own, readOutputs } from "./output.ts";
import { countersStart, type Counters, type MachineState } from "./state.ts";

export type MachineInput =
  | { readonly input: "config"; readonly config: JsonObject; readonly actor: string; readonly generation: number }
  | { readonly input: "safety"; readonly mode: "NORMAL" | "SAFE" | "EMERGENCY_STOP"; readonly generation: number }
  | { readonly input: "signal"; readonly signal: JsonObject; readonly actor: string }
  /** Everything open is cancelled and the venue heard up to `settle_us`. */
  | { readonly input: "stop"; readonly reason: string; readonly settle_us: number }
  /** The callback that would have been `call` failed for a reason of the machine it ran on, or of its own. */
  | { readonly input: "fault"; readonly call: number; readonly callback: string; readonly fault: StrategyFault["kind"]; readonly reason_code: string };

export type MachineOptions = {
  readonly identity: Identity;
  readonly traceId: string;
  readonly mode: InstanceMode | "backtest";
  readonly seed: string;
  readonly instruments: readonly InstrumentSpec[];
  /** What the descriptor subscribes to; nothing else is delivered (M-2.1.2). Configuration always is. */
  readonly subscribe: readonly string[];
  readonly feed: TradeColumns;
  readonly strategy: Strategy;
  readonly venue: SimulatedVenue;
  readonly gate: GateContext;
  readonly stateBytesMax: number;
  readonly stateSchemaVersion: number;
  readonly logBytesPerSecond: number;
  readonly logBytesPerRun: number;
  /** Takes what happened, in order. `fault` inputs too; all other inputs are recorded by the shell. */
  readonly record: (entry: MachineEntry) => void;
  /** Client order id of an intent under the epoch in force. */
  readonly orderId: (key: number) => ClientOrderId;
};

/** Records of one callback that are looked at; a multiple of any sensible intent cap. */
export const OUTPUT_RECORDS_MAX = 4_096;
export const TIMERS_MAX = 1_024;
const CALM_MASK = 4_095;

export class InstanceMachine {
  readonly #o: MachineOptions;
  readonly #caller: Caller;
  readonly #own: Own;
  readonly #reports: ExecutionReport[] = [];
  readonly #orders = new LiveOrders();
  readonly #subscribes: ReadonlySet<string>;
  readonly #lastPrices: Float64Array;
  readonly #trace: Uint8Array;
  readonly #traceWords: Uint32Array;
  #cursor = 0;
  #clock = 0;
  #inputs = 0;
  #calls = 0;
  #gate: GateState = GATE_START;
  #health: Health = HEALTHY;
  #safety: "NORMAL" | "SAFE" | "EMERGENCY_STOP" = "NORMAL";
  #config: JsonObject;
  #timers = new Map<number, number>();
  #nextTimer = Number.POSITIVE_INFINITY;
  #pending: VenueAction[] = [];
  #counters: Counters = countersStart();
  #logSecond = 0;
  #logInSecond = 0;
  #checkpointWished = false;
  #feedEnded = false;
  /** State that a faulted strategy is given back: the newest checkpoint's. */
  #lastState: { version: number; state: Uint8Array } = { version: 0, state: new Uint8Array() };
  /** Call ordinals that a replay knows to have failed. */
  readonly #injected = new Map<number, { fault: StrategyFault["kind"]; reason_code: string }>();
  #nextInjected = -1;

  constructor(options: MachineOptions, config: JsonObject) {
    this.#o = options;
    this.#config = config;
    this.#subscribes = new Set(options.subscribe);
    this.#caller = new Caller(options.strategy);
    this.#own = { ...HANDLES, runId: runIdBytes(options.identity.run_id) };
    this.#lastPrices = new Float64Array(options.instruments.length);
    this.#trace = this.#caller.header.traceId;
    this.#traceWords = new Uint32Array(this.#trace.buffer, this.#trace.byteOffset, 4);
    this.#trace.set(Buffer.from(options.traceId.replaceAll("-", "").padEnd(16, "0").slice(0, 16), "hex"));
  }

  get cursor(): number { return this.#cursor; }
  get clock(): number { return this.#clock; }
  get health(): Health { return this.#health; }
  get counters(): Counters { return this.#counters; }
  get ordersOpen(): number { return this.#orders.size; }
  get pending(): number { return this.#pending.length; }
  get config(): JsonObject { return this.#config; }
  get safety(): string { return this.#safety; }
  get nextIntentKey(): number { return this.#gate.last_key + 1; }
  get lastPrices(): Float64Array { return this.#lastPrices; }
  get feedEnded(): boolean { return this.#feedEnded; }
  get calls(): number { return this.#calls; }
  /** The trace id of what is happening, 32 hexadecimal digits: the run's first 8 bytes and the cursor. */
  get traceId(): string { return Buffer.from(this.#trace).toString("hex"); }

  /** Whether the strategy asked for a checkpoint since the last question. */
  takeCheckpointWish(): boolean {
    const wished = this.#checkpointWished;
    this.#checkpointWished = false;
    return wished;
  }

  /** First call of a fresh instance; a fault here is a refused start. */
  init(): StrategyFault | null {
    return this.#initWith(this.#lastState, true);
  }

  /** A replay tells which calls failed in the earlier life, so that they fail again. */
  injectFault(call: number, fault: StrategyFault["kind"], reason_code: string): void {
    this.#injected.set(call, { fault, reason_code });
    this.#nextInjected = Math.min(...this.#injected.keys());
  }

  /** Takes rows [cursor, until) unless actions become pending or the instance halts; answers the rows taken. */
  run(until: number): number {
    const { feed, strategy, venue } = this.#o;
    const { received_time_us: received, event_time_us: eventTime, price, quantity, instrument, trade_id: tradeId, aggressor, flags } = feed;
    const reports = this.#reports;
    const traceWords = this.#traceWords;
    const [trace0 = 0, trace1 = 0] = traceWords;
    const start = this.#cursor;
    const trades = this.#subscribes.has("trade");
    if (this.#isHalted()) return 0;
    let row = start;
    for (; row < until; ) {
      const now = Math.max(this.#clock, received[row] ?? 0);
      // Big-endian, so that the trace reads as run and cursor.
      const traceHigh = swap(Math.floor(row / 4_294_967_296));
      const traceLow = swap(row);
      traceWords[2] = traceHigh;
      traceWords[3] = traceLow;
      if (this.#nextTimer <= now) {
        this.#fireTimers(now);
        if (this.#isHalted()) break;
      }
      this.#clock = now;
      this.#lastPrices[instrument[row] ?? 0] = price[row] ?? 0;
      venue.onTrade(feed, row, reports);
      if (reports.length > 0) this.#deliverReports();
      const at = trades ? strategy.room(96) : -1;
      if (at >= 0 && this.#calls !== this.#nextInjected) {
        // The trade frame of ABI 1, written straight into the strategy's memory (golden: trade.test.ts).
        const { u32, i32 } = strategy.views;
        const word = at >> 2;
        const eventAt = eventTime[row] ?? 0;
        const receivedAt = received[row] ?? 0;
        const p = price[row] ?? 0;
        const q = quantity[row] ?? 0;
        const id = tradeId[row] ?? 0;
        u32[word] = 1 | ((flags[row] ?? 0) << 16);
        u32[word + 1] = 96;
        u32[word + 2] = this.#inputs;
        u32[word + 3] = Math.floor(this.#inputs / 4_294_967_296);
        u32[word + 4] = eventAt;
        i32[word + 5] = Math.floor(eventAt / 4_294_967_296);
        u32[word + 6] = receivedAt;
        i32[word + 7] = Math.floor(receivedAt / 4_294_967_296);
        u32[word + 8] = now;
        i32[word + 9] = Math.floor(now / 4_294_967_296);
        u32[word + 10] = instrument[row] ?? 0;
        u32[word + 11] = ABI_VERSION;
        u32[word + 12] = trace0;
        u32[word + 13] = trace1;
        u32[word + 14] = traceHigh;
        u32[word + 15] = traceLow;
        u32[word + 16] = p;
        i32[word + 17] = Math.floor(p / 4_294_967_296);
        u32[word + 18] = q;
        i32[word + 19] = Math.floor(q / 4_294_967_296);
        u32[word + 20] = id;
        u32[word + 21] = Math.floor(id / 4_294_967_296);
        u32[word + 22] = aggressor[row] ?? 0;
        u32[word + 23] = 0;
        this.#inputs += 1;
        const length = strategy.invoke(CALLBACK.event, 96);
        this.#calls += 1;
        if (length !== 0) this.#after(length, "on_event");
      } else if (trades) {
        this.#inputs += 1;
        this.#failedCall("on_event", FAULTED);
      }
      // Entries of a row carry the row's own cursor, whatever it was that brought them.
      if ((row & CALM_MASK) === 0) this.#changeHealth(afterCalm(this.#health, row));
      row += 1;
      this.#cursor = row;
      if (this.#pending.length > 0 || this.#checkpointWished || this.#isHalted()) break;
    }
    this.#counters.events_total += row - start;
    return row - start;
  }

  /** Sends what is pending; the shell has made its entries durable and holds the lease. Answers the orders sent. */
  dispatch(): number {
    const actions = this.#pending;
    this.#pending = [];
    for (const action of actions) this.#send(action);
    return actions.length;
  }

  /** Takes an input between two rows. */
  apply(input: MachineInput): void {
    switch (input.input) {
      case "fault":
        return this.injectFault(input.call, input.fault, input.reason_code);
      case "stop":
        this.#cancelAll();
        return this.#settle(input.settle_us);
      case "config":
        this.#config = input.config;
        return this.#callback("on_event", () => this.#caller.config(input.config, input.generation));
      case "signal":
        if (this.#subscribes.has("signal")) this.#callback("on_event", () => this.#caller.signal(input.signal));
        return;
      case "safety":
        this.#safety = input.mode;
        if (input.mode === "EMERGENCY_STOP") this.#cancelAll();
        if (this.#subscribes.has("safety")) this.#callback("on_event", () => this.#caller.safety(input.mode, input.generation));
        return;
    }
  }

  /** Delivers what the venue still owes up to `at_us`. */
  #settle(at_us: number): void {
    this.#clock = Math.max(this.#clock, at_us);
    this.#o.venue.advanceTo(at_us, this.#reports);
    this.#deliverReports();
  }

  /** The last call; what it puts out no longer counts, because its state is saved before. */
  shutdown(reason: Parameters<Caller["shutdown"]>[0]): void {
    this.#setHeader();
    if (!this.#isHalted()) this.#caller.shutdown(reason);
  }

  recordFeedEnded(): void {
    this.#feedEnded = true;
    this.#o.record({ kind: "feed_ended", ...this.#where() });
  }

  /** Asks the strategy for its state (a counted call); a fault is handled like any other and answers `null`. */
  saveStrategy(): { readonly version: number; readonly state: Uint8Array } | null {
    if (this.#isHalted()) return this.#lastState;
    this.#setHeader();
    if (this.#calls === this.#nextInjected) {
      this.#failedCall("save_state", FAULTED);
      return null;
    }
    const saved = this.#caller.saveState(this.#o.stateBytesMax);
    this.#calls += 1;
    if ("reason_code" in saved) {
      this.#fault(saved, "save_state");
      return null;
    }
    this.#lastState = saved;
    return saved;
  }

  save(): MachineState {
    return {
      cursor: this.#cursor, clock: this.#clock, inputs: this.#inputs, calls: this.#calls, gate: this.#gate, health: this.#health, safety: this.#safety, config: this.#config,
      timers: [...this.#timers].sort((a, b) => a[0] - b[0]), orders: this.#orders.list(), last_prices: [...this.#lastPrices], counters: { ...this.#counters, discarded: { ...this.#counters.discarded }, faults: { ...this.#counters.faults }, intents: { ...this.#counters.intents } },
      log_second: this.#logSecond, log_in_second: this.#logInSecond, state_version: this.#lastState.version, feed_ended: this.#feedEnded,
    };
  }

  /** Continues a saved machine; the venue was restored by the caller. A fault is a refused start. */
  restore(saved: MachineState, strategyState: Uint8Array): StrategyFault | null {
    this.#cursor = saved.cursor;
    this.#clock = saved.clock;
    this.#inputs = saved.inputs;
    this.#calls = saved.calls;
    this.#gate = saved.gate;
    this.#health = saved.health;
    this.#safety = saved.safety;
    this.#config = saved.config;
    this.#timers = new Map(saved.timers);
    this.#nextTimer = Math.min(Number.POSITIVE_INFINITY, ...this.#timers.values());
    this.#orders.restore(saved.orders);
    this.#lastPrices.set(saved.last_prices);
    this.#counters = { ...saved.counters, discarded: { ...saved.counters.discarded }, faults: { ...saved.counters.faults }, intents: { ...saved.counters.intents } };
    this.#logSecond = saved.log_second;
    this.#logInSecond = saved.log_in_second;
    this.#feedEnded = saved.feed_ended;
    this.#lastState = { version: saved.state_version, state: strategyState };
    return saved.health.state === "halted" ? null : this.#initWith(this.#lastState, false);
  }

  /** What a restored strategy puts out at init is not counted: its timers and intents are on the record already. */
  #initWith(from: { readonly version: number; readonly state: Uint8Array }, fresh: boolean): StrategyFault | null {
    let { version, state } = from;
    const { stateSchemaVersion, mode, identity, seed, instruments, stateBytesMax } = this.#o;
    this.#setHeader();
    if (version !== 0 && version !== stateSchemaVersion) {
      const migrated = this.#caller.migrateState(version, state, stateBytesMax);
      if ("reason_code" in migrated) return { ...migrated, reason_code: "M.STATE.INCOMPATIBLE" };
      ({ version, state } = migrated);
    }
    const length = this.#caller.init({ identity, mode, seed, instruments, config: this.#config, next_intent_key: this.nextIntentKey, state_version: version, state });
    if (length < 0) return strategyFault(this.#o.strategy, length, "on_init");
    if (length > 0 && fresh) this.#outputs(length);
    return null;
  }

  #setHeader(): void {
    const { header } = this.#caller;
    header.cursor = this.#inputs;
    header.eventTimeUs = this.#clock;
    header.receivedTimeUs = this.#clock;
    header.processedTimeUs = this.#clock;
  }

  #callback(name: string, call: () => number): void {
    if (this.#health.state === "halted") return;
    this.#setHeader();
    this.#inputs += 1;
    if (this.#calls === this.#nextInjected) return this.#failedCall(name, FAULTED);
    const length = call();
    this.#calls += 1;
    if (length !== 0) this.#after(length, name);
  }

  /** A call that a replay knows to have failed, or that could not be made. */
  #failedCall(name: string, status: number): void {
    const injected = this.#injected.get(this.#calls);
    this.#calls += 1;
    if (injected === undefined) return this.#fault(strategyFault(this.#o.strategy, status, name), name);
    this.#injected.delete(this.#calls - 1);
    this.#nextInjected = this.#injected.size === 0 ? -1 : Math.min(...this.#injected.keys());
    this.#fault({ kind: injected.fault, reason_code: injected.reason_code, detail: `as in the journal, ${name}` }, name);
  }

  #after(length: number, callback: string): void {
    this.#gate = { ...this.#gate, in_event: 0 };
    if (length < 0) this.#fault(strategyFault(this.#o.strategy, length, callback), callback);
    else this.#outputs(length);
  }

  #outputs(length: number): void {
    const { strategy } = this.#o;
    const at = strategy.outputAt(length);
    if (at === FAULTED) return this.#fault(strategyFault(strategy, at, "output"), "output");
    for (const output of readOutputs(strategy.views, at, length, this.#own, this.#trace, OUTPUT_RECORDS_MAX)) {
      switch (output.kind) {
        case "intent":
          this.#intent(output.intent);
          break;
        case "checkpoint_wished":
          this.#checkpointWished = true;
          break;
        case "timer":
          if (this.#subscribes.has("timer")) this.#setTimer(output.timer_id, output.at_us);
          else this.#violation("M.CAPABILITY.TIMER_NOT_SUBSCRIBED");
          break;
        case "log":
          this.#log(output.bytes);
          break;
        case "violation":
          this.#violation(output.reason_code);
          break;
        case "hint":
          if (output.tag !== "") this.#counters.hints_total += 1;
          break;
        case "health":
        case "error":
          break;
      }
    }
  }

  #intent(intent: Intent): void {
    const positions = this.#o.venue.positions();
    const quantities = this.#o.instruments.map((_, index) => positions.find((one) => one.instrument === index)?.quantity ?? 0);
    const verdict = judge(this.#gate, intent, this.#o.gate, { now_us: this.#clock, safety: this.#safety, restriction: this.#restriction(), open_orders: this.#orders.list(), positions: quantities, last_prices: [...this.#lastPrices] });
    this.#gate = verdict.state;
    this.#counters.intents_total += 1;
    this.#counters.intents[intent.body.kind] = (this.#counters.intents[intent.body.kind] ?? 0) + 1;
    this.#recordIntent(intent, verdict);
    if (verdict.verdict === "discarded" && verdict.reason_code !== null) this.#violation(verdict.reason_code);
    for (const action of verdict.actions) {
      this.#pending.push(action);
      if (action.kind === "submit") {
        const { order } = action;
        this.#orders.add({ key: action.key, client_order_id: this.#o.orderId(action.key), instrument: order.instrument, side: order.side, type: order.type, price: order.price, remaining: order.quantity, quantity: order.quantity, amending: null, trace_id: this.traceId });
      }
    }
  }

  #recordIntent(intent: Intent, verdict: Verdict): void {
    const action = verdict.actions[0];
    const target = action === undefined ? undefined : action.kind === "submit" ? this.#o.orderId(action.key) : this.#orders.byKey(action.target_key)?.client_order_id;
    const json = intentJson(intent, this.#o.identity, this.traceId, this.#o.instruments, verdict.actions);
    this.#o.record({ kind: "intent", ...this.#where(), intent: json, verdict: verdict.verdict, reason_code: verdict.reason_code, client_order_id: target ?? null, idempotency_key: String(intent.key) });
  }

  #send(action: VenueAction): void {
    const { venue } = this.#o;
    const order = this.#orders.byKey(action.kind === "submit" ? action.key : action.target_key);
    if (order === undefined) return;
    const id = order.client_order_id as ClientOrderId;
    if (action.kind === "submit") venue.submit({ ...action.order, client_order_id: id }, this.#clock);
    else if (action.kind === "cancel") venue.cancel(id, this.#clock);
    else {
      const amending = { price: action.price, quantity: action.quantity === -1 ? order.quantity : action.quantity };
      this.#orders.add({ ...order, amending });
      venue.amend(id, amending, this.#clock);
    }
    this.#counters.orders_sent += 1;
  }

  #deliverReports(): void {
    const reports = this.#reports.splice(0);
    const own = this.#trace.slice();
    for (const report of reports) {
      const order = this.#orders.byId(report.client_order_id);
      const key = order?.key ?? 0;
      const instrument = this.#o.instruments[report.instrument];
      if (order !== undefined) this.#trace.set(Buffer.from(order.trace_id, "hex"));
      this.#orders.follow(report);
      if (isFill(report)) {
        this.#counters.fills_total += 1;
        this.#o.record({ kind: "fill", ...this.#where(), fill: fillJson(report, key, instrument) });
      } else this.#o.record({ kind: "order", ...this.#where(), report: orderJson(report, key, instrument) });
      if (this.#subscribes.has("execution")) this.#callback("on_event", () => this.#caller.execution(report, key, instrument));
      this.#trace.set(own);
    }
  }

  #setTimer(id: number, at_us: number): void {
    if (at_us === 0) this.#timers.delete(id);
    else if (this.#timers.has(id) || this.#timers.size < TIMERS_MAX) this.#timers.set(id, at_us);
    else this.#violation("M.TIMER.TOO_MANY");
    this.#nextTimer = Math.min(Number.POSITIVE_INFINITY, ...this.#timers.values());
  }

  /** Timers due up to `now`, earliest first, each at its own time. A timer set for the past fires once, at the present. */
  #fireTimers(now: number): void {
    const due = [...this.#timers].filter(([, at]) => at <= now).sort((a, b) => a[1] - b[1] || a[0] - b[0]);
    for (const [id, at] of due) {
      if (this.#timers.get(id) !== at) continue;
      this.#timers.delete(id);
      this.#clock = Math.max(this.#clock, at);
      this.#o.venue.advanceTo(this.#clock, this.#reports);
      this.#deliverReports();
      this.#callback("on_timer", () => this.#caller.timer(id, at));
    }
    this.#nextTimer = Math.min(Number.POSITIVE_INFINITY, ...this.#timers.values());
  }

  #log(bytes: number): void {
    const second = Math.floor(this.#clock / 1_000_000);
    if (second !== this.#logSecond) {
      this.#logSecond = second;
      this.#logInSecond = 0;
    }
    if (this.#logInSecond + bytes > this.#o.logBytesPerSecond || this.#counters.log_bytes + bytes > this.#o.logBytesPerRun) {
      this.#counters.log_bytes_cut += bytes;
      return this.#violation("M.LOG.CAP");
    }
    this.#logInSecond += bytes;
    this.#counters.log_bytes += bytes;
  }

  #cancelAll(): void {
    this.#pending = this.#pending.filter((action) => action.kind === "cancel");
    this.#o.venue.cancelAll(this.#clock);
  }

  #restriction(): Restriction {
    return this.#health.state === "healthy" ? "none" : this.#health.state === "degraded" ? "reduce_only" : "no_trade";
  }

  #violation(reason: string): void {
    this.#counters.discarded[reason] = (this.#counters.discarded[reason] ?? 0) + 1;
    this.#changeHealth(afterViolation(this.#health, reason, this.#cursor));
  }

  /** The strategy broke: on the record, health follows, and unless halted it starts again from its newest saved state. */
  #fault(fault: StrategyFault, callback: string): void {
    this.#counters.faults[fault.kind] = (this.#counters.faults[fault.kind] ?? 0) + 1;
    this.#o.record({ kind: "input", ...this.#where(), input: { input: "fault", call: this.#calls - 1, callback, fault: fault.kind, reason_code: fault.reason_code } });
    this.#changeHealth(afterFault(this.#health, fault.reason_code, this.#cursor));
    if (this.#isHalted()) return this.#cancelAll();
    const again = this.#o.strategy.reset() ?? this.#initWith(this.#lastState, false);
    if (again !== null) {
      this.#changeHealth({ ...this.#health, state: "halted", reason_code: again.reason_code });
      this.#cancelAll();
    }
  }

  #changeHealth(health: Health): void {
    const told = !sameHealth(health, this.#health);
    this.#health = health;
    if (told) this.#o.record({ kind: "health", ...this.#where(), health_state: health.state, reason_code: health.reason_code });
  }

  #isHalted(): boolean {
    return this.#health.state === "halted";
  }

  #where(): { readonly event_time_us: number; readonly cursor: number; readonly trace_id: string } {
    return { event_time_us: this.#clock, cursor: this.#cursor, trace_id: this.traceId };
  }
}

function swap(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
