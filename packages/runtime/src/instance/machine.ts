/**
 * Instance: a deterministic machine. Feed rows and recorded inputs go in; intents, orders, fills and state come out.
 *
 * How to think: `run` takes rows until something must be made durable before the world may see it (`pending`),
 * or a limit is reached. The shell makes the journal durable and calls `dispatch`, then `run` again. Time is the
 * feed's received time; no clock, no randomness, no store is in here.
 *
 * Invariants
 * - Same pack, config, seed, rows and inputs → the same entries and the same `save` (recovery.test.ts "[M-0.7]").
 * - An order reaches the venue only through `dispatch`, in the order of its journal entries.
 * - The row loop allocates nothing while the strategy puts nothing out and the venue reports nothing.
 */
import { CALLBACK } from "@rumi/abi";
import type { JsonObject } from "@rumi/kernel";
import { strictest } from "../gate/restriction.ts";
import { FAULTED, type StrategyFault } from "../strategy/strategy.ts";
import { Authority } from "./authority.ts";
import { beginStrategy, type SavedState } from "./begin-strategy.ts";
import { Caller, HANDLES, runIdBytes, strategyFault } from "./calls.ts";
import { OrderDesk } from "./desk.ts";
import type { MachineOptions } from "./machine-options.ts";
import { type FaultNote, type Health, noteOf } from "./health.ts";
import { HealthBook } from "./health-book.ts";
import { isStale, type MachineInput } from "./input.ts";
import { followPrimary } from "../shadow/adopted-order.ts";
import { tellingFirst } from "./untold.ts";
import { KnownFaults } from "./known-faults.ts";
import { LogMeter } from "./log-meter.ts";
import { type Own, readOutputs } from "./output.ts";
import { type OutputTakers, takeOutput } from "./output-takers.ts";
import { Restraints } from "./restraints.ts";
import { copyOf, countersStart, type Counters, type MachineState } from "./state.ts";
import { Timers } from "./timers.ts";
import { MarketFrames } from "./market-frames.ts";
import { type TradeBatch, tradeBatchOf } from "./trade-batch.ts";
import { TRADE_FRAME_BYTES } from "./trade-frame.ts";

/** Records of one callback that are looked at; a multiple of any sensible intent cap. */
export const OUTPUT_RECORDS_MAX = 4_096;
const CALM_MASK = 4_095;

export class InstanceMachine {
  readonly #o: MachineOptions;
  readonly #caller: Caller;
  readonly #own: Own;
  readonly #desk: OrderDesk;
  readonly restraints: Restraints;
  readonly authority: Authority;
  readonly staged: OrderDesk["staged"];
  readonly #frames: MarketFrames;
  readonly #timers = new Timers();
  readonly #logs: LogMeter;
  readonly #faults = new KnownFaults();
  readonly #subscribes: ReadonlySet<string>;
  readonly lastPrices: Float64Array;
  readonly #trace: Uint8Array;
  readonly #takers: OutputTakers;
  readonly #batch: TradeBatch | null;
  #cursor = 0;
  #clock = 0;
  #inputs = 0;
  #calls = 0;
  readonly #health: HealthBook;
  #config: JsonObject;
  #counters: Counters = countersStart();
  checkpointWished = false;
  #feedEnded = false;
  /** It has put out an intent or heard a report since its state was kept. */
  #owes = false;
  /** State that a faulted strategy is given back: what it had after its newest intent or report, or at the checkpoint since. */
  lastState: { version: number; state: Uint8Array } = { version: 0, state: new Uint8Array() };

  constructor(options: MachineOptions, config: JsonObject) {
    this.#o = tellingFirst(options, () => this.tell());
    this.#config = config;
    this.#subscribes = new Set(options.subscribe);
    this.#caller = new Caller(options.strategy);
    this.#health = new HealthBook({
      overlay: () => this.restraints.overlay,
      cursor: () => this.#cursor,
      record: ({ state, reason_code }) =>
        this.#o.record({ kind: "health", ...this.where(), health_state: state, reason_code }),
    });
    this.#own = { ...HANDLES, runId: runIdBytes(options.identity.run_id) };
    this.lastPrices = new Float64Array(options.instruments.length);
    this.#trace = this.#caller.header.traceId;
    this.#trace.set(Buffer.from(options.traceId.replaceAll("-", "").padEnd(16, "0").slice(0, 16), "hex"));
    this.#frames = new MarketFrames(options.feed, this.#trace, this.#subscribes);
    this.#logs = new LogMeter(options);
    this.#desk = new OrderDesk({
      options,
      lastPrices: this.lastPrices,
      trace: this.#trace,
      clock: () => this.#clock,
      cursor: () => this.#cursor,
      authority: () => this.authority.word,
      restriction: () => strictest(this.#health.restriction, this.restraints.restriction),
      dataRestriction: (instrument) => this.restraints.quality.of(instrument),
      counters: () => this.#counters,
      where: () => this.where(),
      violation: (reason) => this.#violation(reason),
      ordered: () => this.restraints.stops.ordered(this.#clock),
      answered: (report) => this.restraints.answered(report),
      onReport: (...told) => this.#tellReport(...told),
    });
    this.staged = this.#desk.staged;
    const [desk, clock] = [this.#desk, (): number => this.#clock];
    const [where, changed] = [() => this.where(), () => this.#health.look()];
    const mayPlace = (): boolean => this.authority.mayPlace;
    const scene = { options: this.#o, desk, clock, where, changed, mayPlace, lastPrices: this.lastPrices };
    this.restraints = new Restraints(scene);
    this.authority = new Authority(desk, this.restraints);
    this.#takers = {
      options: this.#o,
      desk,
      timers: this.#timers,
      logs: this.#logs,
      subscribes: this.#subscribes,
      clock,
      counters: () => this.#counters,
      violation: (reason) => this.#violation(reason),
      wishCheckpoint: () => (this.checkpointWished = true),
    };
    const mustEnd = (): boolean => this.checkpointWished || this.#desk.pending > 0 || this.restraints.stops.watches;
    const certainUntil = (): number => (mustEnd() ? 0 : Math.min(this.#timers.next, this.restraints.nextLook));
    this.#batch = tradeBatchOf({ options, frames: this.#frames, faults: this.#faults, certainUntil });
  }

  get cursor(): number {
    return this.#cursor;
  }
  get clock(): number {
    return this.#clock;
  }
  get health(): Health {
    return this.#health.told;
  }
  get lastFault(): FaultNote | null {
    return this.#health.lastFault;
  }
  get counters(): Counters {
    return this.#counters;
  }
  get ordersOpen(): number {
    return this.#desk.ordersOpen;
  }
  get pending(): number {
    return this.#desk.pending;
  }
  get config(): JsonObject {
    return this.#config;
  }
  get nextIntentKey(): number {
    return this.#desk.nextIntentKey;
  }
  get feedEnded(): boolean {
    return this.#feedEnded;
  }
  get calls(): number {
    return this.#calls;
  }
  /** The trace id of what is happening, 32 hexadecimal digits: the run's first 8 bytes and the cursor. */
  get traceId(): string {
    return Buffer.from(this.#trace).toString("hex");
  }

  /** Whether the strategy asked for a checkpoint since the last question. */
  takeCheckpointWish(): boolean {
    const wished = this.checkpointWished;
    this.checkpointWished = false;
    return wished;
  }

  /** First call of a fresh instance; a fault here is a refused start. */
  init(): StrategyFault | null {
    const broken = this.#initWith(this.lastState, true);
    this.tell();
    return broken;
  }

  /** A replay tells which calls failed in the earlier life, so that they fail again. */
  expectFault({ call, fault, reason_code, detail, evidence }: Extract<MachineInput, { input: "fault" }>): void {
    this.#faults.add(call, { kind: fault, reason_code, detail, ...(evidence === null ? {} : { evidence }) });
  }

  /** Takes rows [cursor, until) unless actions become pending or the instance halts; answers the rows taken. */
  run(until: number): number {
    const taken = this.runUntold(until);
    this.tell();
    return taken;
  }

  /** Puts gated intents on the record. */
  tell(): void {
    this.#desk.tell();
  }

  /** As `run`, but the intents of its last rows are only gated: `tell`, or whatever is recorded next, puts them on the record. */
  runUntold(until: number): number {
    const { feed, strategy, venue } = this.#o;
    const { received_time_us: received, price, instrument, flags, mixed } = feed;
    const [desk, restraints] = [this.#desk, this.restraints];
    const { reports } = desk;
    const [frames, timers] = [this.#frames, this.#timers];
    const [faults, batch] = [this.#faults, this.#batch];
    const { conflation, quality, stops } = restraints;
    const start = this.#cursor;
    const tradeBytes = this.#subscribes.has("trade") ? TRADE_FRAME_BYTES : 0;
    if (this.#health.isHalted) return 0;
    let row = start;
    for (; row < until;) {
      const now = Math.max(this.#clock, received[row] ?? 0);
      frames.traceRow(row);
      if (timers.next <= now) {
        this.#fireTimers(now);
        if (this.#health.isHalted) break;
      }
      this.#clock = now;
      if (restraints.nextLook <= now) restraints.look();
      if (desk.staged.nextExpiry <= now) desk.staged.look();
      if (flags[row] !== 0 || quality.active) restraints.judgeRow(row);
      const worth = price[row] ?? 0;
      // Only a row that is no trade may not know what the market is worth.
      if (worth !== 0) this.lastPrices[instrument[row] ?? 0] = worth;
      venue.onRow(feed, row, reports);
      if (reports.length > 0) this.#deliver();
      let bytes = mixed === undefined ? tradeBytes : frames.bytesOf(mixed, row);
      if (row < conflation.until && bytes > 0 && !conflation.isKept(row)) {
        bytes = 0;
        this.#counters.events_conflated += 1;
      }
      if (this.#owes && bytes > 0 && !this.#remembered()) bytes = 0;
      const at = bytes > 0 ? strategy.room(bytes) : -1;
      if (at >= 0 && this.#calls !== faults.next) {
        frames.inputs = this.#inputs;
        frames.clock = now;
        if (mixed === undefined) frames.write(strategy.views, at, row);
        else frames.writeRow(strategy.views, at, row, mixed, bytes);
        this.#inputs += 1;
        const length = batch?.invoke(row, until, this.#calls) ?? strategy.invoke(CALLBACK.event, bytes);
        this.#calls += 1;
        if (length !== 0) this.#after(length, "on_event");
      } else if (bytes > 0) {
        this.#inputs += 1;
        this.#failedCall("on_event", FAULTED);
      }
      if (stops.watches) restraints.lookAtStops();
      if (reports.length > 0) this.#deliver(); // of a staged intent that ended in this row
      // Entries of a row carry the row's own cursor, whatever it was that brought them.
      if ((row & CALM_MASK) === 0) this.#health.calm(row);
      row += 1;
      this.#cursor = row;
      if (desk.pending > 0 || this.checkpointWished || this.#health.isHalted) break;
    }
    this.#counters.events_total += row - start;
    return row - start;
  }

  /** Sends what is pending; the shell has made its entries durable and holds the lease. Answers the orders sent. */
  dispatch(): number {
    return this.#desk.dispatch();
  }

  /** Takes an input between two rows. */
  apply(input: MachineInput): void {
    this.#apply(input);
    if (this.#desk.reports.length > 0) this.#deliver();
    this.restraints.lookAtStops();
    this.tell();
  }

  #apply(input: MachineInput): void {
    switch (input.input) {
      case "fault":
        return this.expectFault(input);
      case "venue_report":
        this.#o.venue.take?.(input.report, this.#desk.reports);
        return this.#settle(input.received_time_us);
      case "primary":
        return followPrimary(input.entry, this.#o.venue, this.#desk, (shared) => this.#apply(shared));
      case "staging":
        return this.#desk.staged.apply(input);
      case "stop":
        this.#desk.cancelAll();
        return this.#settle(input.settle_us);
      case "config":
        this.#config = input.config;
        return this.#callback("on_event", () => this.#caller.config(input.config, input.generation));
      case "signal":
        if (isStale(input, this.#clock)) this.#counters.results_stale += 1;
        else if (this.#subscribes.has("signal")) this.#callback("on_event", () => this.#caller.signal(input.signal));
        return;
      case "safety":
      case "killswitch":
        this.authority.apply(input);
        if (this.#subscribes.has("safety"))
          this.#callback("on_event", () => this.#caller.safety(this.authority, input.generation));
        return;
      default:
        return this.restraints.apply(input);
    }
  }

  /** Delivers what the venue still owes up to `at_us`. */
  #settle(at_us: number): void {
    this.#clock = Math.max(this.#clock, at_us);
    this.#o.venue.advanceTo(at_us, this.#desk.reports);
    this.#deliver();
  }

  #deliver(): void {
    this.#desk.deliver();
    this.restraints.reported();
  }

  /** A report that broke the strategy is told to the one that began again, once: nobody may forget a fill. */
  #tellReport(...report: Parameters<Caller["execution"]>): void {
    if (!this.#subscribes.has("execution") || !this.#remembered()) return;
    const { faults } = this.#health;
    const tell = (): void => this.#callback("on_event", () => this.#caller.execution(...report));
    tell();
    if (this.#health.faults > faults && this.#o.tellsRefused) tell();
    this.#owes = this.#o.tellsRefused;
  }

  /**
   * Before a strategy is called again, what it knows of its newest orders and reports is kept: a break forgets none of them.
   * False when that halted it.
   */
  #remembered(): boolean {
    if (this.#owes) this.saveStrategy();
    return !this.#health.isHalted;
  }

  /** The last call; what it puts out no longer counts, because its state is saved before. */
  shutdown(reason: Parameters<Caller["shutdown"]>[0]): void {
    this.#setHeader();
    if (!this.#health.isHalted) this.#caller.shutdown(reason);
  }

  recordFeedEnded(): void {
    this.#feedEnded = true;
    this.#o.record({ kind: "feed_ended", ...this.where() });
  }

  /** Asks the strategy for its state (a counted call); a fault is handled like any other and answers `null`. */
  saveStrategy(): { readonly version: number; readonly state: Uint8Array } | null {
    if (this.#health.isHalted) return this.lastState;
    this.#setHeader();
    if (this.#calls === this.#faults.next) {
      this.#failedCall("save_state", FAULTED);
      return null;
    }
    const saved = this.#caller.saveState(this.#o.stateBytesMax);
    this.#calls += 1;
    if ("reason_code" in saved) {
      this.#fault(saved, "save_state");
      return null;
    }
    this.lastState = saved;
    this.#owes = false;
    return saved;
  }

  save(): MachineState {
    return {
      cursor: this.#cursor,
      clock: this.#clock,
      inputs: this.#inputs,
      calls: this.#calls,
      ...this.#desk.save(),
      ...this.#health.save(),
      ...this.authority.save(),
      config: this.#config,
      timers: this.#timers.save(),
      last_prices: [...this.lastPrices],
      counters: copyOf(this.#counters),
      ...this.#logs.save(),
      state_version: this.lastState.version,
      feed_ended: this.#feedEnded,
      restraints: this.restraints.save(),
    };
  }

  /** Continues a saved machine; the venue was restored by the caller. A fault is a refused start. */
  restore(saved: MachineState, strategyState: Uint8Array): StrategyFault | null {
    this.#cursor = saved.cursor;
    if (saved.cursor > 0) this.#frames.traceRow(saved.cursor - 1);
    this.#clock = saved.clock;
    this.#inputs = saved.inputs;
    this.#calls = saved.calls;
    this.#config = saved.config;
    this.#timers.restore(saved.timers);
    this.#desk.restore(saved);
    this.lastPrices.set(saved.last_prices);
    this.#counters = copyOf(saved.counters);
    this.#logs.restore(saved);
    this.#feedEnded = saved.feed_ended;
    this.restraints.restore(saved.restraints, saved.cursor);
    this.authority.restore(saved);
    this.#health.restore(saved);
    this.lastState = { version: saved.state_version, state: strategyState };
    return this.#health.isHalted ? null : this.#initWith(this.lastState, false);
  }

  /** The strategy begins again from its newest state, as it did where an earlier life was taken up. */
  reborn(): StrategyFault | null {
    return this.#health.isHalted ? null : this.#beginAgain();
  }

  /** One that ended before it had begun (a standby whose engine ended it as well) is started anew, once. */
  #beginAgain(): StrategyFault | null {
    this.#owes = false;
    const begin = (): StrategyFault | null => this.#o.strategy.reset() ?? this.#initWith(this.lastState, false);
    const broken = begin();
    return broken?.kind === "exit" ? begin() : broken;
  }

  /** What a restored strategy puts out at init is not counted: its timers and intents are on the record already. */
  #initWith(from: SavedState, fresh: boolean): StrategyFault | null {
    this.#setHeader();
    const begun = beginStrategy(this.#caller, this.#o, from, this.#config, this.nextIntentKey);
    if (typeof begun !== "number") return begun;
    if (begun > 0 && fresh) this.#outputs(begun);
    return null;
  }

  #setHeader(): void {
    this.#caller.at(this.#inputs, this.#clock);
  }

  #callback(name: string, call: () => number): void {
    if (!this.#remembered()) return;
    this.#setHeader();
    this.#inputs += 1;
    if (this.#calls === this.#faults.next) return this.#failedCall(name, FAULTED);
    const length = call();
    this.#calls += 1;
    if (length !== 0) this.#after(length, name);
  }

  /** A call that a replay knows to have failed, or that could not be made. */
  #failedCall(name: string, status: number): void {
    const known = this.#faults.take(this.#calls);
    this.#calls += 1;
    this.#fault(known ?? strategyFault(this.#o.strategy, status, name), name);
  }

  #after(length: number, callback: string): void {
    this.#desk.nextEvent();
    if (length < 0) this.#fault(strategyFault(this.#o.strategy, length, callback), callback);
    else this.#outputs(length);
  }

  #outputs(length: number): void {
    const { strategy } = this.#o;
    const at = strategy.outputAt(length);
    if (at === FAULTED) return this.#fault(strategyFault(strategy, at, "output"), "output");
    const outputs = readOutputs(strategy.views, at, length, this.#own, this.#trace, OUTPUT_RECORDS_MAX);
    const { intents_total } = this.#counters;
    for (const output of outputs) takeOutput(output, this.#takers);
    if (this.#counters.intents_total > intents_total) this.#owes = this.#o.tellsRefused;
  }

  /** Timers due up to `now`, earliest first, each at its own time. A timer set for the past fires once, at the present. */
  #fireTimers(now: number): void {
    this.#timers.fire(now, (id, at) => {
      this.#clock = Math.max(this.#clock, at);
      this.#o.venue.advanceTo(this.#clock, this.#desk.reports);
      this.#deliver();
      this.#callback("on_timer", () => this.#caller.timer(id, at));
    });
  }

  #violation(reason: string): void {
    this.#counters.discarded[reason] = (this.#counters.discarded[reason] ?? 0) + 1;
    this.restraints.violation(reason);
    this.#health.violation(reason);
  }

  /** The strategy broke: on the record, health follows, and unless halted it starts again from its newest saved state. */
  #fault(fault: StrategyFault, callback: string): void {
    this.#counters.faults[fault.kind] = (this.#counters.faults[fault.kind] ?? 0) + 1;
    const note = noteOf(fault, callback, this.#config);
    this.#o.record({ kind: "input", ...this.where(), input: { input: "fault", call: this.#calls - 1, ...note } });
    if (fault.kind === "deadline" || fault.kind === "fuel") this.restraints.occurred("timeouts");
    this.#health.fault(note);
    if (this.#health.isHalted) return this.#desk.cancelAll();
    const again = this.#beginAgain();
    if (again === null) return;
    this.#health.halt(again.reason_code);
    this.#desk.cancelAll();
  }

  where(): { readonly event_time_us: number; readonly cursor: number; readonly trace_id: string } {
    return { event_time_us: this.#clock, cursor: this.#cursor, trace_id: this.traceId };
  }
}
