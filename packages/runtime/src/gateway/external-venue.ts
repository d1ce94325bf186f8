/**
 * A venue outside, as the deterministic machine sees it: what was asked of it, and what it was heard to say.
 *
 * How to think: instructions are written down and handed to `onOutgoing`, which exists only while the instance is live;
 * a replay writes them down again and sends nothing. Only recorded reports move an order or a position. Whatever has no
 * answer in here is `unsettled`, and the gateway asks the venue about it before it sends anything.
 *
 * Invariants (external-venue.test.ts)
 * - A report that says nothing new is not wanted: duplicates, and words older than what is known.
 * - An order ends as cancelled only when every fill that the venue counts in it is on the record.
 * - `restore` of a `save` is the same venue, unsettled matters included.
 */
import { canonicalJson, failure, FailureError, type ClientOrderId } from "@rumi/kernel";
import type { InstrumentSpec } from "@rumi/abi";
import {
  Position,
  type ExecutionReport,
  type MarketFeed,
  type NewOrder,
  type OrderSnapshot,
  type PositionView,
  type SimulatedVenue,
  type VenueFill,
} from "@rumi/venues";
import { GATEWAY_LIMITS } from "./limits.ts";
import type { Outgoing, VenueReport } from "./reports.ts";

type Change = { readonly price: number; readonly quantity: number };

export type ExternalOrder = {
  readonly order: NewOrder;
  /** Received time of what it was decided on. */
  readonly submitted_us: number;
  readonly venue_order_id: string;
  /** `sent`: the venue has not said a word about it. */
  readonly state: "sent" | "open";
  readonly price: number;
  readonly quantity: number;
  readonly filled: number;
  readonly updated_us: number;
  readonly cancel_wished: boolean;
  readonly amend_wished: Change | null;
  /** The venue said how it ended; fills up to `filled` are still to come. */
  readonly ending: { readonly filled: number; readonly reason_code: string | null } | null;
};

type Finished = { readonly instrument: number; readonly venue_order_id: string };

export class ExternalVenue implements SimulatedVenue {
  /** Set while live: takes what is to be sent. */
  onOutgoing: ((request: Outgoing) => void) | null = null;
  readonly #instruments: readonly InstrumentSpec[];
  readonly #positions: Position[];
  readonly #lastPrices: number[];
  readonly #orders = new Map<ClientOrderId, ExternalOrder>();
  readonly #finished = new Map<string, Finished>();
  /** Numbers of our fills beyond `#fillsUpTo`. */
  readonly #fills = new Set<number>();
  #fillsUpTo = 0;
  #reported_us = 0;

  constructor(instruments: readonly InstrumentSpec[]) {
    this.#instruments = instruments;
    this.#positions = instruments.map(() => new Position());
    this.#lastPrices = instruments.map(() => 0);
  }

  get fillsUpTo(): number {
    return this.#fillsUpTo;
  }

  order(id: string): ExternalOrder | undefined {
    return this.#orders.get(id as ClientOrderId);
  }
  isFinished(id: string): boolean {
    return this.#finished.has(id);
  }
  /** Orders that are not over, oldest first. */
  live(): readonly ExternalOrder[] {
    return [...this.#orders.values()];
  }

  submit(order: NewOrder, at_us: number): void {
    this.#orders.set(order.client_order_id, {
      order,
      submitted_us: at_us,
      venue_order_id: "",
      state: "sent",
      price: order.price,
      quantity: order.quantity,
      filled: 0,
      updated_us: 0,
      cancel_wished: false,
      amend_wished: null,
      ending: null,
    });
    this.onOutgoing?.({ kind: "submit", order });
  }

  cancel(client_order_id: ClientOrderId): void {
    const known = this.#orders.get(client_order_id);
    if (known === undefined) return;
    this.#orders.set(client_order_id, { ...known, cancel_wished: true });
    this.onOutgoing?.({ kind: "cancel", client_order_id });
  }

  amend(client_order_id: ClientOrderId, change: Change): void {
    const known = this.#orders.get(client_order_id);
    if (known === undefined) return;
    this.#orders.set(client_order_id, { ...known, amend_wished: change });
    this.onOutgoing?.({ kind: "amend", client_order_id, instrument: known.order.instrument, ...change });
  }

  cancelAll(): void {
    for (const id of this.#orders.keys()) this.cancel(id);
  }

  onRow({ instrument, price }: MarketFeed, row: number): void {
    const worth = price[row] ?? 0;
    if (worth !== 0) this.#lastPrices[instrument[row] ?? 0] = worth;
  }

  /** Time alone brings no report: what the venue says comes in recorded. */
  advanceTo(): void {}

  /** Whether it says anything new. */
  wants(report: VenueReport): boolean {
    switch (report.kind) {
      case "fills_up_to":
        return report.number > this.#fillsUpTo;
      case "fill":
        return (
          this.#isOurs(report.fill) && report.fill.number > this.#fillsUpTo && !this.#fills.has(report.fill.number)
        );
      case "refused": {
        const known = this.#orders.get(report.client_order_id);
        if (report.action === "submit") return known?.state === "sent";
        return report.action === "cancel" ? known?.cancel_wished === true : (known?.amend_wished ?? null) !== null;
      }
      case "order": {
        const { order } = report;
        const known = this.#orders.get(order.client_order_id);
        if (known === undefined) return false;
        if (known.state === "sent") return true;
        if (order.updated_us < known.updated_us) return false;
        const changed = order.price !== known.price || order.quantity !== known.quantity;
        return (order.state === "open" && changed) || (order.state !== "open" && known.ending === null);
      }
    }
  }

  take(report: VenueReport, out: ExecutionReport[]): void {
    if (!this.wants(report)) return;
    switch (report.kind) {
      case "fills_up_to":
        this.#fillsUpTo = report.number;
        for (const number of this.#fills) if (number <= report.number) this.#fills.delete(number);
        return;
      case "fill":
        return this.#fill(report.fill, out);
      case "refused":
        return this.#refused(report, out);
      case "order":
        return this.#snapshot(report.order, out);
    }
  }

  /** A report may come at any time. */
  isQuiet(): boolean {
    return false;
  }

  openOrders(): readonly {
    readonly client_order_id: ClientOrderId;
    readonly instrument: number;
    readonly side: "buy" | "sell";
    readonly price: number;
    readonly remaining: number;
  }[] {
    return this.live().map(({ order, price, quantity, filled }) => ({
      client_order_id: order.client_order_id,
      instrument: order.instrument,
      side: order.side,
      price,
      remaining: quantity - filled,
    }));
  }

  positions(): readonly PositionView[] {
    return this.#positions.map((position, instrument) => position.view(instrument, this.#lastPrices[instrument] ?? 0));
  }

  quantities(into: Float64Array): void {
    for (let at = 0; at < into.length; at += 1) into[at] = this.#positions[at]?.quantity ?? 0;
  }

  save(): Uint8Array {
    const state = {
      version: 1,
      instruments: this.#instruments.map((one) => one.instrument_id),
      positions: this.#positions.map((one) => ({
        quantity: one.quantity,
        cost: String(one.cost),
        realised: String(one.realised),
        fees: String(one.fees),
        cash: String(one.cash),
      })),
      last_prices: this.#lastPrices,
      orders: [...this.#orders.values()],
      finished: [...this.#finished],
      fills: [...this.#fills],
      fills_up_to: this.#fillsUpTo,
      reported_us: this.#reported_us,
    };
    return new TextEncoder().encode(canonicalJson(state));
  }

  /** Throws `FailureError` (RUMI-MKT-008) for bytes that are no state of a venue with these instruments. */
  restore(bytes: Uint8Array): void {
    const state = savedState(bytes, this.#instruments);
    for (const [index, saved] of state.positions.entries()) {
      const position = this.#positions[index] as Position;
      position.quantity = saved.quantity;
      position.cost = BigInt(saved.cost);
      position.realised = BigInt(saved.realised);
      position.fees = BigInt(saved.fees);
      position.cash = BigInt(saved.cash);
    }
    this.#lastPrices.splice(0, this.#lastPrices.length, ...state.last_prices);
    this.#orders.clear();
    for (const order of state.orders) this.#orders.set(order.order.client_order_id, order);
    this.#finished.clear();
    for (const [id, finished] of state.finished) this.#finished.set(id, finished);
    this.#fills.clear();
    for (const number of state.fills) this.#fills.add(number);
    this.#fillsUpTo = state.fills_up_to;
    this.#reported_us = state.reported_us;
  }

  #isOurs({ client_order_id }: VenueFill): boolean {
    return this.#orders.has(client_order_id) || this.#finished.has(client_order_id);
  }

  #snapshot(order: OrderSnapshot, out: ExecutionReport[]): void {
    const id = order.client_order_id;
    let known = this.#orders.get(id) as ExternalOrder;
    const { venue_order_id, reason_code, updated_us } = order;
    if (order.state === "rejected") {
      this.#report({ ...known, venue_order_id }, "rejected", updated_us, out, { reason_code });
      return this.#finish(known, venue_order_id);
    }
    known = this.#heard(known, venue_order_id, updated_us, out);
    if (order.state === "open") {
      const changed = order.price !== known.price || order.quantity !== known.quantity;
      const { price, quantity } = order;
      known = { ...known, price, quantity, updated_us, amend_wished: changed ? null : known.amend_wished };
      this.#orders.set(id, known);
      if (changed) this.#report(known, "amended", updated_us, out, {});
      return;
    }
    const { price, quantity, filled } = order;
    known = { ...known, price, quantity, updated_us, ending: { filled, reason_code } };
    this.#orders.set(id, known);
    this.#endIfComplete(known, updated_us, out);
  }

  #fill(fill: VenueFill, out: ExecutionReport[]): void {
    this.#fills.add(fill.number);
    const { instrument, side, price, quantity, time_us } = fill;
    this.#positions[instrument]?.fill(side === "buy" ? 1 : -1, price, quantity, BigInt(fill.fee));
    const known = this.#orders.get(fill.client_order_id);
    // An order that was over for us, and yet it was filled: the position counts, and the report says so.
    const before = known === undefined ? undefined : this.#heard(known, fill.venue_order_id, known.updated_us, out);
    const filled = (before?.filled ?? 0) + quantity;
    const remaining = before === undefined ? 0 : Math.max(0, before.quantity - filled);
    out.push({
      kind: remaining === 0 ? "filled" : "partially_filled",
      client_order_id: fill.client_order_id,
      venue_order_id: fill.venue_order_id,
      fill_id: fill.fill_id,
      instrument,
      side,
      price,
      quantity,
      remaining,
      fee: BigInt(fill.fee),
      liquidity: fill.liquidity,
      reason_code: null,
      event_time_us: this.#stamp(time_us),
    });
    if (before === undefined) return;
    const after = { ...before, filled };
    if (remaining === 0) return this.#finish(after, fill.venue_order_id);
    this.#orders.set(fill.client_order_id, after);
    this.#endIfComplete(after, time_us, out);
  }

  #refused(report: Extract<VenueReport, { kind: "refused" }>, out: ExecutionReport[]): void {
    const known = this.#orders.get(report.client_order_id) as ExternalOrder;
    const { reason_code, time_us } = report;
    if (report.action === "submit") {
      // What was to be cancelled anyway, and never got there, is cancelled: the venue refused nothing.
      const isCancelled = known.cancel_wished && reason_code.startsWith("M.GATEWAY.");
      this.#report(known, isCancelled ? "cancelled" : "rejected", time_us, out, { reason_code });
      return this.#finish(known, known.venue_order_id);
    }
    const cancel = report.action === "cancel";
    this.#orders.set(report.client_order_id, {
      ...known,
      ...(cancel ? { cancel_wished: false } : { amend_wished: null }),
    });
    this.#report(known, cancel ? "cancel_rejected" : "amend_rejected", time_us, out, { reason_code });
  }

  /** The first word about an order is that it was accepted, whatever else the word says. */
  #heard(known: ExternalOrder, venue_order_id: string, at_us: number, out: ExecutionReport[]): ExternalOrder {
    if (known.state === "open") return known;
    const open: ExternalOrder = { ...known, venue_order_id, state: "open" };
    this.#orders.set(known.order.client_order_id, open);
    this.#report(open, "accepted", at_us, out, {});
    return open;
  }

  #endIfComplete(known: ExternalOrder, at_us: number, out: ExecutionReport[]): void {
    if (known.ending === null || known.filled < known.ending.filled) return;
    this.#report(known, "cancelled", at_us, out, { reason_code: known.ending.reason_code });
    this.#finish(known, known.venue_order_id);
  }

  #finish({ order }: ExternalOrder, venue_order_id: string): void {
    this.#orders.delete(order.client_order_id);
    this.#finished.set(order.client_order_id, { instrument: order.instrument, venue_order_id });
    if (this.#finished.size <= GATEWAY_LIMITS.finished_orders) return;
    const [oldest] = this.#finished.keys();
    if (oldest !== undefined) this.#finished.delete(oldest);
  }

  #report(
    { order, venue_order_id, quantity, filled }: ExternalOrder,
    kind: ExecutionReport["kind"],
    at_us: number,
    out: ExecutionReport[],
    { reason_code = null }: { readonly reason_code?: string | null },
  ): void {
    const over = kind === "rejected" || kind === "cancelled";
    out.push({
      kind,
      client_order_id: order.client_order_id,
      venue_order_id,
      fill_id: null,
      instrument: order.instrument,
      side: order.side,
      price: 0,
      quantity: 0,
      remaining: over ? 0 : quantity - filled,
      fee: 0n,
      liquidity: "none",
      reason_code,
      event_time_us: this.#stamp(at_us),
    });
  }

  /** Times of reports never run backwards. */
  #stamp(at_us: number): number {
    this.#reported_us = Math.max(this.#reported_us, at_us);
    return this.#reported_us;
  }
}

type SavedState = {
  readonly version: number;
  readonly instruments: readonly string[];
  readonly positions: readonly { quantity: number; cost: string; realised: string; fees: string; cash: string }[];
  readonly last_prices: readonly number[];
  readonly orders: readonly ExternalOrder[];
  readonly finished: readonly (readonly [string, Finished])[];
  readonly fills: readonly number[];
  readonly fills_up_to: number;
  readonly reported_us: number;
};

function savedState(bytes: Uint8Array, instruments: readonly InstrumentSpec[]): SavedState {
  const refuse = (problem: string): FailureError => new FailureError(failure("RUMI-MKT-008", { problem }));
  let state: SavedState;
  try {
    state = JSON.parse(new TextDecoder().decode(bytes)) as SavedState;
  } catch {
    throw refuse("it is no JSON");
  }
  if (state.version !== 1) throw refuse("its version is not known");
  const names = instruments.map((one) => one.instrument_id);
  if (canonicalJson([...state.instruments]) !== canonicalJson(names)) throw refuse("its instruments are others");
  return state;
}
