/**
 * Interlocks: what the control plane observes by itself and is not to be left to a person who may be asleep. Pure.
 *
 * How to think: a sample is what is so at one moment. The monitor keeps a minute of samples and turns them into one reading
 * for each rule; a rule whose reading has come to its threshold asks for a stricter safety mode. Rules of trading read
 * live instances alone: what trades on paper may run a day in a minute. Rates are taken over their whole window, so that a
 * report that brings many at once is no storm.
 *
 * Invariants (interlocks.test.ts)
 * - Every rule trips at its threshold and not before it, from whichever side it is approached.
 * - A threshold is set stricter than the product's or not at all.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { SafetyMode } from "@rumi/operations";

type Rule = {
  readonly threshold: number;
  readonly unit: "percent" | "ms" | "count" | "per_second" | "per_minute";
  /** Which readings trip it. */
  readonly trips: "at_least" | "at_most";
  readonly action: Exclude<SafetyMode, "NORMAL">;
  /** Only a break-glass session gets out of the mode that it asked for. */
  readonly latched: boolean;
};
const rule = (threshold: number, unit: Rule["unit"], action: Rule["action"], trips: Rule["trips"] = "at_least") =>
  ({ threshold, unit, trips, action, latched: action === "EMERGENCY_STOP" }) as const satisfies Rule;

export const INTERLOCKS = {
  /** Running instances that nobody has heard of for a minute, and host facts that cannot be read, of all observed. */
  observation_unknown: rule(20, "percent", "SAFE"),
  /** How far the machine's clock is from the one that this program goes by, while something runs. */
  clock_error: rule(1_500, "ms", "EMERGENCY_STOP"),
  /** Orders found at a venue that no instance of this home sent: its position is not what we believe. */
  position_mismatch: rule(1, "count", "EMERGENCY_STOP"),
  order_storm: rule(120, "per_second", "EMERGENCY_STOP"),
  cancel_loop: rule(80, "per_second", "SAFE"),
  /** Requests to venues whose outcome nobody knows. */
  unknown_spike: rule(50, "per_minute", "SAFE"),
  disk_free: rule(5, "percent", "EMERGENCY_STOP", "at_most"),
  /** By how much of the live bots' capital what they hold grew within a minute. */
  exposure_jump: rule(35, "percent", "EMERGENCY_STOP"),
} as const satisfies Readonly<Record<string, Rule>>;
export type InterlockRule = keyof typeof INTERLOCKS;
export const INTERLOCK_RULES = Object.keys(INTERLOCKS) as readonly InterlockRule[];
export const isInterlockRule = (word: string): word is InterlockRule => Object.hasOwn(INTERLOCKS, word);

export type Thresholds = Readonly<Record<InterlockRule, number>>;
/** Null: it cannot be read now; what cannot be read is counted by `observation_unknown`. */
export type Readings = Readonly<Record<InterlockRule, number | null>>;

export const INTERLOCK_LIMITS = {
  /** Between two samples; nudges that come closer share one. */
  sample_every_ms: 1_000,
  /** Of the rates per second. */
  rate_window_ms: 10_000,
  window_ms: 60_000,
  /** How long nobody has to have heard of an instance. */
  silence_ms: 60_000,
} as const;

export const DEFAULT_THRESHOLDS: Thresholds = Object.fromEntries(
  INTERLOCK_RULES.map((name) => [name, INTERLOCKS[name].threshold]),
) as Thresholds;

/** The product's thresholds with the stricter ones of this home in their place. */
export function thresholdsOf(stricter: Readonly<Record<string, number>>): Result<Thresholds, Failure> {
  const refused = (problem: string) => err(failure("RUMI-SYS-002", { name: "RUMI_INTERLOCKS", problem }));
  const made: Record<InterlockRule, number> = { ...DEFAULT_THRESHOLDS };
  for (const [name, value] of Object.entries(stricter)) {
    if (!isInterlockRule(name)) return refused(`there is no rule ${name}`);
    const { threshold, trips } = INTERLOCKS[name];
    if (trips === "at_least" ? value > threshold || value <= 0 : value < threshold || value > 100)
      return refused(`${name} can only be made stricter than ${threshold}`);
    made[name] = value;
  }
  return ok(made);
}

export function hasTripped(name: InterlockRule, reading: number | null, thresholds: Thresholds): boolean {
  if (reading === null) return false;
  return INTERLOCKS[name].trips === "at_least" ? reading >= thresholds[name] : reading <= thresholds[name];
}

export function trippedBy(readings: Readings, thresholds: Thresholds): readonly InterlockRule[] {
  return INTERLOCK_RULES.filter((name) => hasTripped(name, readings[name], thresholds));
}

/** For the reason of the safety mode, the log and the console. */
export function wordOf(name: InterlockRule, reading: number, thresholds: Thresholds): string {
  const { unit, trips } = INTERLOCKS[name];
  const value = Math.round(reading * 100) / 100;
  return `interlock ${name}: ${value} is ${trips.replace("_", " ")} ${thresholds[name]} ${unit}`;
}
