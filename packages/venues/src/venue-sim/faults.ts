/**
 * Faults on demand: what an exchange does on a bad day, armed by count or drawn by rate from the seed.
 *
 * How to think: `take(kind)` is asked at the one place where that fault can happen, and answers its parameters once for
 * every armed count. Nothing here touches orders: the faults are about what is said, never about what is true.
 */
import { failure, seededRandom, type Failure, type Random, type Result } from "@rumi/kernel";

export const FAULT_KINDS = [
  /** The order is taken, the connection is closed without an answer. */
  "drop_after_accept",
  /** The connection is closed before the order is looked at. */
  "drop_before_accept",
  /** An update is sent twice. */
  "duplicate_update",
  /** A fill is told `delay_ms` late, after younger updates. */
  "late_fill",
  /** An order is refused because the venue is busy. */
  "reject_storm",
  /** 429 with Retry-After of `retry_after_s`. */
  "rate_limit",
  /** A market message is left out. */
  "market_gap",
  /** An update is left out. */
  "update_gap",
  /** Market messages are told `delay_ms` late. */
  "stale_data",
  /** An answer comes `delay_ms` late; what was asked for is done at once. */
  "slow_answers",
  /** The venue's clock is `skew_ms` ahead. */
  "clock_skew",
  /** A cancel is answered as done, and the order stays open. */
  "cancel_ignored",
  /** The key is refused. */
  "key_disabled",
  /** The market stream is closed. */
  "market_disconnect",
  /** The stream of updates is closed. */
  "update_disconnect",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type Fault = {
  readonly kind: FaultKind;
  /** How often; -1 until cleared. */
  readonly count: number;
  /** Chance of each occasion, 1 unless given. */
  readonly rate: number;
  readonly delay_ms: number;
  readonly retry_after_s: number;
  readonly skew_ms: number;
};

const DEFAULTS = { count: 1, rate: 1, delay_ms: 500, retry_after_s: 1, skew_ms: 120_000 } as const;
const NUMBERS: Readonly<Record<keyof typeof DEFAULTS, { readonly least: number; readonly most: number }>> = {
  count: { least: -1, most: 1_000_000 },
  rate: { least: 0, most: 1 },
  delay_ms: { least: 0, most: 3_600_000 },
  retry_after_s: { least: 0, most: 3_600 },
  skew_ms: { least: -86_400_000, most: 86_400_000 },
};

/** `KIND` or `KIND,count=3,delay_ms=250`; error RUMI-MKT-021. */
export function parseFault(text: string): Result<Fault, Failure> {
  const [kind = "", ...settings] = text.split(",");
  const given: Record<string, unknown> = { kind };
  for (const setting of settings) {
    const [name = "", value = ""] = setting.split("=");
    given[name] = value === "" ? Number.NaN : Number(value);
  }
  return faultOf(given);
}

/** From an admin request's body; error RUMI-MKT-021. */
export function faultOf(given: Readonly<Record<string, unknown>>): Result<Fault, Failure> {
  const refuse = (problem: string): Result<Fault, Failure> => ({
    ok: false,
    error: failure("RUMI-MKT-021", { problem }),
  });
  const kind = FAULT_KINDS.find((one) => one === given["kind"]);
  if (kind === undefined) return refuse(`kind is none of ${FAULT_KINDS.join(", ")}`);
  const values: Record<keyof typeof DEFAULTS, number> = { ...DEFAULTS };
  for (const [name, value] of Object.entries(given)) {
    if (name === "kind") continue;
    if (!Object.hasOwn(NUMBERS, name)) return refuse(`${name.slice(0, 64)} is not known`);
    const { least, most } = NUMBERS[name as keyof typeof DEFAULTS];
    const whole = name === "rate" || Number.isSafeInteger(value);
    if (typeof value !== "number" || !whole || !(value >= least && value <= most))
      return refuse(`${name} must be ${name === "rate" ? "a number" : "a whole number"} from ${least} to ${most}`);
    values[name as keyof typeof DEFAULTS] = value;
  }
  // Chance without an end is what a rate means, unless it says otherwise.
  if (given["rate"] !== undefined && given["count"] === undefined) values.count = -1;
  return { ok: true, value: { kind, ...values } };
}

export class FaultPlan {
  readonly #random: Random;
  readonly #armed = new Map<FaultKind, { fault: Fault; left: number }>();
  readonly #taken = new Map<FaultKind, number>();
  readonly #streams = new Map<FaultKind, Random>();

  constructor(seed: string, faults: readonly Fault[]) {
    this.#random = seededRandom(`rumi-venue-sim-faults-1/${seed}`);
    for (const fault of faults) this.arm(fault);
  }

  arm(fault: Fault): void {
    this.#armed.set(fault.kind, { fault, left: fault.count });
  }

  clear(kind?: FaultKind): void {
    if (kind === undefined) this.#armed.clear();
    else this.#armed.delete(kind);
  }

  /** The fault, if it happens on this occasion. */
  take(kind: FaultKind): Fault | undefined {
    const armed = this.#armed.get(kind);
    if (armed === undefined || armed.left === 0) return undefined;
    if (armed.fault.rate < 1 && this.#stream(kind).unit() >= armed.fault.rate) return undefined;
    if (armed.left > 0) armed.left -= 1;
    this.#taken.set(kind, (this.#taken.get(kind) ?? 0) + 1);
    return armed.fault;
  }

  /** A fault that is a condition, not an occasion: in force while it is armed. */
  inForce(kind: FaultKind): Fault | undefined {
    const armed = this.#armed.get(kind);
    return armed === undefined || armed.left === 0 ? undefined : armed.fault;
  }

  #stream(kind: FaultKind): Random {
    const known = this.#streams.get(kind) ?? this.#random.stream(kind);
    this.#streams.set(kind, known);
    return known;
  }

  /** How often each happened. */
  taken(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#taken);
  }
}
