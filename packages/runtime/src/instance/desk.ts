/**
 * The order desk of one instance: intents in, through the gate, out to the venue; the venue's reports back.
 *
 * How to think: `take` judges an intent and leaves it gated; `tell` puts what is gated on the record and gives orders their
 * ids. What an intent may become waits in `pending` until the shell has made the record durable and calls `dispatch`.
 * Under a staging policy what adds risk first waits in `staged` for somebody's approval.
 * `deliver` follows the venue's reports and records them before anyone hears of them.
 *
 * Invariants
 * - An order reaches the venue only through `dispatch`, in the order of its journal entries.
 * - Whatever is recorded, every intent gated before it is on the record first (recovery.test.ts).
 */
import { type ClientOrderId, invariant } from "@rumi/kernel";
import { type InstrumentSpec, REFUSAL } from "@rumi/abi";
import type { ExecutionReport } from "@rumi/venues";
import { RUNTIME_KEYS_FROM } from "../breaker/hedge.ts";
import type { SafetyWord } from "../gate/context.ts";
import { GATE_START, type GateMoment, type GateState, judge, type Restriction, type Verdict } from "../gate/gate.ts";
import type { Intent, IntentBody, VenueAction } from "../gate/intent.ts";
import { strictest } from "../gate/restriction.ts";
import type { DataRestriction } from "../quality/reactions.ts";
import { isFill, type MachineEntry } from "./entry.ts";
import { Untold } from "./untold.ts";
import type { MachineOptions } from "./machine-options.ts";
import { adoptedOrder } from "../shadow/adopted-order.ts";
import type { JournalEntry } from "../protocol.ts";
import { neverSent } from "../staging/never-sent.ts";
import { type StagedIntent, StagedIntents, type StagingWord } from "../staging/staged-intents.ts";
import { LiveOrders, unnamedOrder } from "./orders.ts";
import { refusalOf } from "../gate/refused.ts";
import { Refusals } from "./refusals.ts";
import { type OwnOrder, ownIntentJson, ownOrderWish } from "./own-order.ts";
import type { Counters, MachineState } from "./state.ts";

/** What the desk must know of its machine, and may tell it. */
export type DeskScene = {
  readonly options: MachineOptions;
  readonly lastPrices: Float64Array;
  /** The trace id of what is happening; a report speaks under its order's own while it is delivered. */
  readonly trace: Uint8Array;
  readonly clock: () => number;
  readonly cursor: () => number;
  readonly authority: () => SafetyWord;
  readonly restriction: () => Restriction;
  /** What the quality of an instrument's data asks for. */
  readonly dataRestriction: (instrument: number) => DataRestriction | undefined;
  readonly counters: () => Counters;
  readonly where: () => { readonly event_time_us: number; readonly cursor: number; readonly trace_id: string };
  readonly violation: (reason: string) => void;
  /** An order or an amendment passed the gate. */
  readonly ordered: () => void;
  /** The venue said something of an order. */
  readonly answered: (report: ExecutionReport) => void;
  /** The strategy's turn to hear a report; `reason` is one of REFUSAL. */
  readonly onReport: (
    report: ExecutionReport,
    key: number,
    instrument: InstrumentSpec | undefined,
    reason: number,
  ) => void;
};

/** What the gate judges of a cancel whose target only waits for approval: it cannot be found at the venue. */
const WITHDRAWAL = { kind: "noop", reason: 0 } as const;

export class OrderDesk {
  /** Filled by the venue, emptied by `deliver`. */
  readonly reports: ExecutionReport[] = [];
  readonly #scene: DeskScene;
  readonly staged: StagedIntents;
  readonly #orders = new LiveOrders();
  /** Keys of intents that never left and whose end the strategy is about to hear. */
  readonly #neverSent = new Map<string, number>();
  /** What approved intents became and is not sent yet. */
  readonly #approved = new Map<VenueAction, StagedIntent>();
  readonly #refusals: Refusals;
  #gate: GateState = GATE_START;
  #pending: VenueAction[] = [];
  readonly #untold: Untold;
  /** Of the moment that is judged, by instrument. */
  readonly #positions: Float64Array;

  constructor(scene: DeskScene) {
    this.#scene = scene;
    this.#untold = new Untold(scene.options, this.#orders);
    this.#refusals = new Refusals(scene.options, this.reports);
    this.staged = new StagedIntents({
      options: scene.options,
      clock: scene.clock,
      traceId: () => scene.where().trace_id,
      moment: (intent) => this.#moment(intent),
      tell: (staged, word) => this.#tellStaged(staged, word),
      commit: (staged, verdict, by) => this.#commit(staged, verdict, by),
      never: (staged, how, reason_code) => this.#never(staged, how, reason_code),
    });
    this.#positions = new Float64Array(scene.options.instruments.length);
  }

  get pending(): number {
    return this.#pending.length;
  }
  get ordersOpen(): number {
    return this.#orders.size;
  }
  get nextIntentKey(): number {
    return this.#gate.last_key + 1;
  }

  /** The gate's cap per event counts from here. */
  nextEvent(): void {
    const { last_key, second, in_second, in_event } = this.#gate;
    if (in_event > 0) this.#gate = { last_key, second, in_second, in_event: 0 };
    this.#refusals.nextEvent();
  }

  take(intent: Intent): void {
    const { options, counters, violation } = this.#scene;
    const { body } = intent;
    const moment = this.#moment(intent);
    // What it takes back never was an order: there is nothing to cancel at the venue.
    const isWithdrawn = body.kind === "cancel" && this.staged.withdraws(body.target_key);
    const judged = judge(this.#gate, isWithdrawn ? { ...intent, body: WITHDRAWAL } : intent, options.gate, moment);
    const held = this.staged.hold(intent, judged, moment);
    const verdict = held?.verdict ?? judged;
    const lastKey = this.#gate.last_key;
    this.#gate = judged.state;
    const counted = counters();
    counted.intents_total += 1;
    counted.intents[body.kind] = (counted.intents[body.kind] ?? 0) + 1;
    this.#letOut(intent, verdict, held?.staged);
    if (verdict.verdict === "discarded" && verdict.reason_code !== null) {
      const idOf = (key: number): string => this.#orders.byKey(key)?.client_order_id ?? "";
      this.#refusals.add(intent, verdict.reason_code, { lastKey, moment, idOf });
      violation(verdict.reason_code);
    } else if (isWithdrawn) this.staged.withdraw(body.target_key);
    if (held?.staged?.approves === "policy") this.staged.byPolicy(held.staged);
  }

  /** Gated; what may become an order waits to be sent. */
  #letOut(intent: Intent, verdict: Omit<Verdict, "state">, staged?: StagedIntent): void {
    const { trace, clock, cursor, counters } = this.#scene;
    const { verdicts } = counters();
    verdicts[verdict.verdict] = (verdicts[verdict.verdict] ?? 0) + 1;
    if (staged === undefined) this.#untold.addIntent(intent, verdict, clock(), cursor(), trace);
    else this.#untold.addIntent(intent, verdict, clock(), cursor(), Buffer.from(staged.trace_id, "hex"), staged);
    if (verdict.verdict === "staged") return;
    const isChanged = verdict.verdict === "degraded" && this.#refusals.areTold;
    for (const action of verdict.actions) {
      this.#pending.push(action);
      if (action.kind !== "cancel") this.#scene.ordered();
      if (action.kind === "submit") this.#orders.add(unnamedOrder(action.key, action.order));
      if (isChanged && action.kind !== "cancel")
        this.#orders.markChanged(action.kind === "submit" ? action.key : action.target_key);
    }
  }

  /** Good until the next one. */
  #moment(intent: Intent): GateMoment {
    const { options, lastPrices, clock, authority, restriction } = this.#scene;
    options.venue.quantities(this.#positions);
    const instance = restriction();
    const { safety, kill_switch } = authority();
    const moment: GateMoment = {
      now_us: clock(),
      safety,
      kill_switch,
      restriction: instance,
      open_orders: this.#orders.list(),
      positions: this.#positions,
      last_prices: lastPrices,
    };
    // The strictest of what holds for the instance and for the intent's instrument.
    const data = this.#scene.dataRestriction(this.#instrumentOf(intent.body));
    if (data === undefined || strictest(instance, data.restriction) === instance) return moment;
    return { ...moment, restriction: data.restriction, restriction_reason: data.reason_code };
  }

  /** Approved, and judged again: an order like any other from here on. */
  #commit(staged: StagedIntent, verdict: Omit<Verdict, "state">, by: string): void {
    this.#letOut(staged.intent, verdict, staged);
    this.#tellStaged(staged, { state: "committed", by, reason_code: null });
    for (const action of verdict.actions) this.#approved.set(action, staged);
  }

  #tellStaged({ intent, trace_id }: StagedIntent, word: StagingWord): void {
    const staging = { idempotency_key: String(intent.key), ...word };
    this.record({ kind: "staging", ...this.#scene.where(), trace_id, staging });
  }

  #never(staged: StagedIntent, how: "rejected" | "cancelled", reason_code: string): void {
    const { action, intent } = staged;
    const target = action.kind === "amend" ? this.#orders.byKey(action.target_key) : undefined;
    const report = neverSent(staged, target, { how, reason_code, event_time_us: this.#scene.clock() });
    if (report === undefined) return;
    if (target === undefined) this.#neverSent.set(report.client_order_id, intent.key);
    this.reports.push(report);
  }

  /** Puts gated intents on the record and names their orders. Throws what the recorder throws. */
  tell(): void {
    this.#untold.tell();
  }

  /** Records, after every intent that was gated before. */
  record(entry: MachineEntry): void {
    this.#untold.tell();
    this.#scene.options.record(entry);
  }

  /** -1: it is about none. */
  #instrumentOf(body: IntentBody): number {
    switch (body.kind) {
      case "cancel":
      case "amend":
        return this.#orders.byKey(body.target_key)?.instrument ?? body.instrument;
      case "order":
      case "position":
      case "risk_hint":
        return body.instrument;
      case "alert":
      case "noop":
        return -1;
    }
  }

  /** A shadow's desk counts its primary's orders as open, so that its gate judges as the primary's did. */
  adopt(entry: Extract<JournalEntry, { kind: "intent" }>): void {
    const adopted = adoptedOrder(entry, this.#scene.options.instruments, this.#orders);
    if (adopted === undefined) return;
    this.#orders.add(adopted);
    if (entry.verdict === "degraded" && this.#refusals.areTold) this.#orders.markChanged(adopted.key);
  }

  /** An order of the runtime itself, reduce-only at the market; it is recorded and sent like any other. */
  sendOwn(own: OwnOrder): void {
    const { options, where } = this.#scene;
    this.tell();
    const place = where();
    const client_order_id = options.orderId(own.key);
    const order = ownOrderWish(own);
    options.record({
      kind: "intent",
      ...place,
      intent: ownIntentJson(own, options.identity, place.trace_id, options.instruments[own.instrument]),
      verdict: "forwarded",
      reason_code: own.reason_code,
      client_order_id,
      idempotency_key: String(own.key),
    });
    this.#pending.push({ kind: "submit", key: own.key, order });
    this.#orders.add({ ...unnamedOrder(own.key, order), client_order_id, trace_id: place.trace_id });
  }

  /** Instruments with an open order whose key is at least this. */
  instrumentsWithKeysFrom(key: number): ReadonlySet<number> {
    return new Set(this.#orders.list().flatMap((order) => (order.key >= key ? [order.instrument] : [])));
  }

  /** Sends what is pending; the shell has made its entries durable and holds the lease. Answers the orders sent. */
  dispatch(): number {
    this.tell();
    const actions = this.#pending;
    this.#pending = [];
    for (const action of actions) this.#send(action);
    this.#approved.clear();
    return actions.length;
  }

  #send(action: VenueAction): void {
    const {
      options: { venue },
      clock,
      counters,
    } = this.#scene;
    const order = this.#orders.byKey(action.kind === "submit" ? action.key : action.target_key);
    if (order === undefined) return;
    invariant(order.client_order_id !== "", "an order that is sent is on the record");
    const id = order.client_order_id as ClientOrderId;
    if (action.kind === "submit") {
      // Keys of intents rise for ever, the gate sees to it; the runtime's own are few and stand apart, and what was
      // approved comes in the order in which people approve.
      const isInOrder = action.key < RUNTIME_KEYS_FROM && !this.#approved.has(action);
      const sequence = isInOrder ? { sequence: action.key } : {};
      venue.submit({ ...action.order, ...sequence, client_order_id: id }, clock());
    } else if (action.kind === "cancel") venue.cancel(id, clock());
    else {
      const amending = { price: action.price, quantity: action.quantity === -1 ? order.quantity : action.quantity };
      this.#orders.add({ ...order, amending });
      venue.amend(id, amending, clock());
    }
    counters().orders_sent += 1;
  }

  /** Takes the venue's reports in their order. */
  deliver(): void {
    const { options, trace, clock, cursor, counters, answered, onReport } = this.#scene;
    const reports = this.reports.splice(0);
    const own = trace.slice();
    for (const report of reports) {
      const refused = this.#refusals.take(report);
      if (refused !== undefined) {
        // Its record is the intent's own. Should the key have become an order since, that one is alive.
        if (report.kind !== "rejected" || this.#orders.byKey(refused.key) === undefined)
          onReport(report, refused.key, options.instruments[report.instrument], refusalOf(refused.reason_code));
        continue;
      }
      const order = this.#orders.byId(report.client_order_id);
      const unsent = this.#neverSent.get(report.client_order_id);
      this.#neverSent.delete(report.client_order_id);
      const key = order?.key ?? unsent ?? options.venue.keyOf?.(report) ?? 0;
      const instrument = options.instruments[report.instrument];
      if (order !== undefined) writeHex(trace, order.trace_id);
      // What the strategy answered to the report before may name this order, which is perhaps leaving now.
      if (this.#untold.hasIntents) this.tell();
      this.#orders.follow(report);
      if (isFill(report)) counters().fills_total += 1;
      this.#untold.addReport({ report, key, of: instrument }, clock(), cursor(), trace);
      answered(report);
      const isRefused = report.reason_code !== null;
      onReport(report, key, instrument, isRefused ? REFUSAL.outside : order?.changed === true ? REFUSAL.changed : 0);
      trace.set(own);
    }
  }

  cancelAll(): void {
    // What is gated is told first: an order that is dropped here still has its record.
    this.tell();
    this.staged.voidAll("M.STAGING.CANCELLED");
    const dropped = this.#pending.filter((action) => action.kind !== "cancel");
    this.#pending = this.#pending.filter((action) => action.kind === "cancel");
    for (const action of dropped) {
      const staged = this.#approved.get(action);
      if (staged !== undefined)
        this.#tellStaged(staged, { state: "voided", by: null, reason_code: "M.STAGING.CANCELLED" });
      if (staged !== undefined) this.#never(staged, "cancelled", "M.STAGING.CANCELLED");
      else if (this.#refusals.areTold) this.#withdrawn(action);
      // It never left, so nobody would ever say that it is over.
      if (action.kind === "submit") this.#orders.drop(action.key);
    }
    this.#scene.options.venue.cancelAll(this.#scene.clock());
  }

  /** Its intent is on the record as forwarded; that it never left is too. */
  #withdrawn(action: StagedIntent["action"]): void {
    const isNew = action.kind === "submit";
    const order = this.#orders.byKey(isNew ? action.key : action.target_key);
    if (order === undefined) return;
    const words = { how: "cancelled", reason_code: "M.INTENT.WITHDRAWN", event_time_us: this.#scene.clock() } as const;
    const report = neverSent({ action, client_order_id: order.client_order_id }, isNew ? undefined : order, words);
    if (report === undefined) return;
    if (isNew) this.#neverSent.set(report.client_order_id, action.key);
    this.reports.push(report);
  }

  save(): Pick<MachineState, "gate" | "orders" | "staged" | "refused"> {
    this.tell();
    return { gate: this.#gate, orders: this.#orders.list(), ...this.staged.save(), ...this.#refusals.save() };
  }

  restore(saved: Pick<MachineState, "gate" | "orders" | "staged" | "refused">): void {
    this.#refusals.restore(saved.refused);
    this.staged.restore(saved.staged);
    this.#gate = saved.gate;
    this.#orders.restore(saved.orders);
  }
}

/** `text`: two hexadecimal digits for each byte of `into`. */
function writeHex(into: Uint8Array, text: string): void {
  for (let i = 0; i < into.length; i += 1) into[i] = (digit(text, 2 * i) << 4) | digit(text, 2 * i + 1);
}
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at) | 0x20;
  return code >= 0x61 ? code - 0x57 : code & 0xf;
}
