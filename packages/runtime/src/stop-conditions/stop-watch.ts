/**
 * The stop conditions of one instance (L-08): (what happened, prices, event time) → nothing, or the condition that ends it.
 *
 * How to think: reports and passed intents are told as they happen; `look` is asked at the end of every row and of every
 * input, and only there something trips. Between two reports positions stand still, so a row costs one product for each
 * instrument that is held: in doubles while they are exact, in whole numbers of any size where they are not, or where it is
 * close. Tripped stays tripped; what comes after is a new run.
 *
 * Invariants (stop-conditions.test.ts)
 * - At its limit nothing trips, one unit beyond it does; each condition on recorded data, both sides.
 * - Doubles only ever say that nothing can have tripped.
 */
import type { InstrumentSpec } from "@rumi/abi";
import { invariant } from "@rumi/kernel";
import { parseMoney } from "../gate/money.ts";
import { STOP_REASON, type StopCondition, type StopConditions, type StopRate, type StopTrip } from "./config.ts";
import { type Holding, raiseOf, scaled, scaleOf, textOf, worthOf } from "./money.ts";
import { counted, exceeds } from "./rates.ts";

/** Part of every checkpoint; exact. */
export type StopWatchState = {
  readonly conditions: StopConditions;
  /** The highest equity so far, at the common scale. */
  readonly peak: string;
  readonly rejections: readonly number[];
  readonly orders: readonly number[];
  readonly tripped: StopTrip | null;
};

export type StopScene = {
  readonly instruments: readonly InstrumentSpec[];
  readonly lastPrices: ArrayLike<number>;
  /** By instrument. */
  readonly holdings: () => readonly Holding[];
};

export class StopWatch {
  /** Whether a row can trip anything: compared by the row loop and nothing else. */
  watches = false;
  readonly #scene: StopScene;
  readonly #scale: number;
  readonly #raises: readonly bigint[];
  readonly #raiseNumbers: Float64Array;
  readonly #quantities: Float64Array;
  #conditions: StopConditions = {};
  #holdings: readonly Holding[] = [];
  #holds = false;
  #moved = true;
  #peak = 0n;
  #rejections: readonly number[] = [];
  #orders: readonly number[] = [];
  #tripped: StopTrip | null = null;
  /** What doubles are compared with; `NaN` sends every look to the exact way. */
  #cash = Number.NaN;
  #floor = Number.NaN;
  #ceiling = Number.NaN;
  #exposureMax = Number.NaN;

  constructor(scene: StopScene) {
    this.#scene = scene;
    this.#scale = scaleOf(scene.instruments);
    this.#raises = scene.instruments.map((one) => raiseOf(one, this.#scale));
    this.#raiseNumbers = Float64Array.from(this.#raises, Number);
    this.#quantities = new Float64Array(scene.instruments.length);
  }

  get conditions(): StopConditions {
    return this.#conditions;
  }
  get tripped(): StopTrip | null {
    return this.#tripped;
  }

  /** Others from here on; what was counted so far counts on. */
  become(conditions: StopConditions): void {
    this.#conditions = conditions;
    this.#derive();
  }

  /** Fills may have changed what is held. */
  reported(): void {
    this.#moved = true;
  }
  /** The venue refused an order. */
  rejected(now_us: number): void {
    const rate = this.#conditions.max_rejections;
    if (rate !== undefined) this.#rejections = counted(this.#rejections, rate, now_us);
  }
  /** An order or an amendment passed the gate. */
  ordered(now_us: number): void {
    const rate = this.#conditions.max_order_rate;
    if (rate !== undefined) this.#orders = counted(this.#orders, rate, now_us);
  }

  /** The trip that happened just now; `null` where nothing did, or where it had tripped before. */
  look(now_us: number): StopTrip | null {
    if (!this.watches || this.#tripped !== null) return null;
    const { max_rejections, max_order_rate } = this.#conditions;
    this.#tripped =
      this.#rate("rejections", this.#rejections, max_rejections, now_us) ??
      this.#rate("order_rate", this.#orders, max_order_rate, now_us) ??
      this.#money(now_us);
    return this.#tripped;
  }

  save(): { readonly stops?: StopWatchState } {
    if (!this.watches) return {};
    return {
      stops: {
        conditions: this.#conditions,
        peak: String(this.#peak),
        rejections: this.#rejections,
        orders: this.#orders,
        tripped: this.#tripped,
      },
    };
  }

  /** `undefined`: there were none. */
  restore(saved: StopWatchState | undefined): void {
    if (saved === undefined) return;
    this.#conditions = saved.conditions;
    this.#peak = BigInt(saved.peak);
    this.#rejections = saved.rejections;
    this.#orders = saved.orders;
    this.#tripped = saved.tripped;
    this.#derive();
  }

  #rate(
    condition: StopCondition,
    times: readonly number[],
    rate: StopRate | undefined,
    now_us: number,
  ): StopTrip | null {
    if (rate === undefined || !exceeds(times, rate)) return null;
    return trip(condition, String(times.length), String(rate.count), now_us);
  }

  #money(now_us: number): StopTrip | null {
    if (this.#moved) this.#read();
    if (!this.#holds && !this.#moved) return null;
    if (!this.#moved && this.#isCertainlyWithin()) return null;
    this.#moved = false;
    const { equity, exposure } = worthOf(this.#holdings, this.#scene.lastPrices, this.#raises);
    const { max_loss, max_drawdown, max_exposure } = this.#conditions;
    // Where no drawdown is counted there is no peak: which way was taken may not show in what is saved.
    if (max_drawdown !== undefined && equity > this.#peak) {
      this.#peak = equity;
      this.#derive();
    }
    return (
      this.#beyond("loss", -equity, max_loss, now_us) ??
      this.#beyond("drawdown", this.#peak - equity, max_drawdown, now_us) ??
      this.#beyond("exposure", exposure, max_exposure, now_us)
    );
  }

  #beyond(condition: StopCondition, amount: bigint, limit: string | undefined, now_us: number): StopTrip | null {
    if (limit === undefined || amount <= this.#amount(limit)) return null;
    return trip(condition, textOf(amount, this.#scale), limit, now_us);
  }

  /** Allocates nothing. `false` too where doubles cannot tell. */
  #isCertainlyWithin(): boolean {
    const { lastPrices } = this.#scene;
    let equity = this.#cash;
    let exposure = 0;
    for (let at = 0; at < this.#quantities.length; at += 1) {
      const quantity = this.#quantities[at] ?? 0;
      if (quantity === 0) continue;
      const value = safe(safe(quantity * (lastPrices[at] ?? 0)) * (this.#raiseNumbers[at] ?? Number.NaN));
      equity = safe(equity + value);
      exposure = safe(exposure + Math.abs(value));
    }
    return equity >= this.#floor && equity <= this.#ceiling && exposure <= this.#exposureMax;
  }

  #read(): void {
    this.#holdings = this.#scene.holdings();
    let cash = 0n;
    this.#holds = false;
    for (const [at, one] of this.#holdings.entries()) {
      this.#quantities[at] = one.quantity;
      if (one.quantity !== 0) this.#holds = true;
      cash += one.cash * (this.#raises[at] ?? 1n);
    }
    this.#cash = exactNumber(cash);
  }

  /** What doubles may be, and whether there is anything to look at. */
  #derive(): void {
    const { max_loss, max_drawdown, max_exposure } = this.#conditions;
    this.watches = Object.keys(this.#conditions).length > 0;
    const floors = [
      ...(max_loss === undefined ? [] : [-this.#amount(max_loss)]),
      ...(max_drawdown === undefined ? [] : [this.#peak - this.#amount(max_drawdown)]),
    ];
    const floor = floors.reduce<bigint | null>((most, one) => (most === null || one > most ? one : most), null);
    this.#floor = floor === null ? Number.NEGATIVE_INFINITY : exactNumber(floor);
    // A new peak is taken down exactly, where a drawdown is counted from it.
    this.#ceiling = max_drawdown === undefined ? Number.POSITIVE_INFINITY : exactNumber(this.#peak);
    this.#exposureMax = max_exposure === undefined ? Number.POSITIVE_INFINITY : exactNumber(this.#amount(max_exposure));
  }

  #amount(text: string): bigint {
    const money = parseMoney(text);
    invariant(money !== undefined, "stop conditions were checked when the specification came in");
    return scaled(money, this.#scale);
  }
}

const trip = (condition: StopCondition, observed: string, limit: string, at_us: number): StopTrip => ({
  condition,
  reason_code: STOP_REASON[condition],
  observed,
  limit,
  at_us,
});
const safe = (value: number): number => (Number.isSafeInteger(value) ? value : Number.NaN);
const exactNumber = (value: bigint): number => safe(Number(value));
