/**
 * What a shadow has for a venue: nothing it sends goes anywhere, and what it hears is what the primary heard.
 *
 * How to think: the primary's journal says at which row which report arrived. `follow` lays a report ready; the row, or
 * the time inside it, at which it arrived there brings it out here. So a shadow's strategy gets the primary's executions
 * in the primary's order, and an intent of the shadow can never become an order.
 *
 * Invariant: `restore` of a `save` is the same venue; `restore` also takes the state of the primary's own simulated
 * exchange, whose positions the shadow begins with (shadow.test.ts).
 */
import {
  canonicalJson,
  failure,
  FailureError,
  ok,
  parseDecimal,
  type ClientOrderId,
  type JsonObject,
} from "@rumi/kernel";
import type { InstrumentSpec } from "@rumi/abi";
import {
  createSimulatedVenue,
  Position,
  type ExecutionReport,
  type MarketFeed,
  type PositionView,
  type SimulatedVenue,
  type SimulatedVenueOptions,
} from "@rumi/venues";
import { ExternalVenue } from "../gateway/external-venue.ts";
import type { JournalEntry } from "../protocol.ts";

export type FollowedReport = Extract<JournalEntry, { kind: "order" | "fill" }>;
type Saved = {
  readonly shadow: 1;
  readonly last_prices: readonly number[];
  readonly positions: readonly (readonly [number, string, string, string, string])[];
  readonly waiting: readonly FollowedReport[];
};

export class ShadowVenue implements SimulatedVenue {
  readonly #options: SimulatedVenueOptions;
  readonly #positions: Position[];
  readonly #lastPrices: number[];
  readonly #keys = new WeakMap<ExecutionReport, number>();
  /** Only what is due in the row that comes next. */
  #waiting: FollowedReport[] = [];

  /** The primary trades outside: its reports came between rows, at a time of their own. */
  readonly isBetweenRows: boolean;

  constructor(options: SimulatedVenueOptions, primary: "simulated" | "outside") {
    this.#options = options;
    this.isBetweenRows = primary === "outside";
    this.#positions = options.instruments.map(() => new Position());
    this.#lastPrices = options.instruments.map(() => 0);
  }

  submit(): void {}
  cancel(): void {}
  amend(): void {}
  cancelAll(): void {}
  /** What the primary heard may come at any row. */
  isQuiet(): boolean {
    return false;
  }
  openOrders(): readonly [] {
    return [];
  }

  /** A report of the primary, to be heard at its place. */
  follow(entry: FollowedReport): void {
    this.#waiting.push(entry);
  }

  /** The intent's key under which the primary had sent the order. */
  keyOf(report: ExecutionReport): number {
    return this.#keys.get(report) ?? 0;
  }

  onRow({ instrument, price }: MarketFeed, row: number, out: ExecutionReport[]): void {
    while ((this.#waiting[0]?.cursor ?? Infinity) <= row) this.#hear(out);
    const worth = price[row] ?? 0;
    if (worth !== 0) this.#lastPrices[instrument[row] ?? 0] = worth;
  }

  advanceTo(at_us: number, out: ExecutionReport[]): void {
    while ((this.#waiting[0]?.event_time_us ?? Infinity) <= at_us) this.#hear(out);
  }

  positions(): readonly PositionView[] {
    return this.#positions.map((position, instrument) => position.view(instrument, this.#lastPrices[instrument] ?? 0));
  }

  quantities(into: Float64Array): void {
    for (let at = 0; at < into.length; at += 1) into[at] = this.#positions[at]?.quantity ?? 0;
  }

  save(): Uint8Array {
    const saved: Saved = {
      shadow: 1,
      last_prices: this.#lastPrices,
      positions: this.#positions.map(({ quantity, cost, realised, fees, cash }) => [
        quantity,
        `${cost}`,
        `${realised}`,
        `${fees}`,
        `${cash}`,
      ]),
      waiting: this.#waiting,
    };
    return new TextEncoder().encode(canonicalJson(saved));
  }

  /** Throws `FailureError` (RUMI-MKT-008) for bytes that are neither a shadow's state nor its primary's exchange's. */
  restore(bytes: Uint8Array): void {
    const text = new TextDecoder().decode(bytes);
    if (!text.includes('"shadow":1')) return this.#begin(bytes);
    const saved = JSON.parse(text) as Saved;
    if (saved.positions.length !== this.#positions.length)
      throw new FailureError(failure("RUMI-MKT-008", { problem: "it lists other instruments" }));
    this.#waiting = [...saved.waiting];
    this.#lastPrices.splice(0, this.#lastPrices.length, ...saved.last_prices);
    for (const [index, [quantity, cost, realised, fees, cash]] of saved.positions.entries())
      Object.assign(this.#positions[index] ?? {}, {
        quantity,
        cost: BigInt(cost),
        realised: BigInt(realised),
        fees: BigInt(fees),
        cash: BigInt(cash),
      });
  }

  #begin(bytes: Uint8Array): void {
    const outside = ok(new ExternalVenue(this.#options.instruments));
    const primary = this.isBetweenRows ? outside : createSimulatedVenue(this.#options);
    if (!primary.ok) throw new FailureError(primary.error);
    primary.value.restore(bytes);
    for (const view of primary.value.positions()) {
      const { instrument, quantity, cost, realised_profit: realised, fees, cash, last_price } = view;
      Object.assign(this.#positions[instrument] ?? {}, { quantity, cost, realised, fees, cash });
      this.#lastPrices[instrument] = last_price;
    }
  }

  #hear(out: ExecutionReport[]): void {
    const entry = this.#waiting.shift();
    if (entry === undefined) return;
    const words = entry.kind === "fill" ? entry.fill : entry.report;
    const index = this.#options.instruments.findIndex((one) => one.instrument_id === words["instrument_id"]);
    const report = reportOf(words, Math.max(0, index), this.#options.instruments[index]);
    if (entry.kind === "fill" && index >= 0)
      this.#positions[index]?.fill(report.side === "buy" ? 1 : -1, report.price, report.quantity, report.fee);
    this.#keys.set(report, Number(words["idempotency_key"] ?? 0));
    out.push(report);
  }
}

/** A journaled report back in the venue's words. */
function reportOf(words: JsonObject, instrument: number, of: InstrumentSpec | undefined): ExecutionReport {
  const text = (name: string): string => (typeof words[name] === "string" ? words[name] : "");
  const scaled = (name: string, digits: number): number =>
    text(name) === "" ? 0 : (parseDecimal(text(name), digits) ?? 0);
  const feeDigits = (of?.price_digits ?? 0) + (of?.quantity_digits ?? 0);
  return {
    kind: text("report") as ExecutionReport["kind"],
    client_order_id: text("client_order_id") as ClientOrderId,
    venue_order_id: text("venue_order_id"),
    fill_id: text("fill_id") === "" ? null : text("fill_id"),
    instrument,
    side: text("side") === "sell" ? "sell" : "buy",
    price: scaled("price", of?.price_digits ?? 0),
    quantity: scaled("quantity", of?.quantity_digits ?? 0),
    remaining: scaled("remaining", of?.quantity_digits ?? 0),
    fee: scaledFee(text("fee"), feeDigits),
    liquidity: text("liquidity") === "maker" ? "maker" : text("liquidity") === "taker" ? "taker" : "none",
    reason_code: text("reason_code") === "" ? null : text("reason_code"),
    event_time_us: typeof words["event_time_us"] === "number" ? words["event_time_us"] : 0,
  };
}

/** Fees may be finer than what `parseDecimal` takes. */
function scaledFee(text: string, digits: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return 0n;
  const value = BigInt(`${match[2]}${(match[3] ?? "").padEnd(digits, "0")}`);
  return match[1] === "-" ? -value : value;
}
