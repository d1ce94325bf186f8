/**
 * Health of one instance: violations go warn → degrade → halt, each step with its reason (M-5.3.1).
 *
 * Pure. Faults (the strategy broke a callback) weigh most; discarded intents and bad output lead there more slowly.
 * A degraded instance may only reduce risk; a halted one gets no more events. Clean events forgive.
 */
import type { JsonObject } from "@rumi/kernel";
import type { Restriction } from "../gate/gate.ts";
import type { HealthState } from "../protocol.ts";
import type { StrategyFault } from "../strategy/strategy.ts";
import { struckOut } from "./struck-out.ts";

export const HEALTH_LIMITS = {
  /** Faults since the last forgiveness: the first warns, the second degrades, the third halts. */
  faults_degrade: 2,
  faults_halt: 3,
  /** Discarded intents and malformed records since the last forgiveness. */
  violations_warn: 100,
  violations_degrade: 1_000,
  violations_halt: 10_000,
  /** Clean feed events after which everything is forgiven and a degraded instance is healthy again. */
  forgiven_after_events: 100_000,
} as const;

export type Health = {
  readonly state: HealthState;
  readonly reason_code: string | null;
  readonly faults: number;
  readonly violations: number;
  /** Feed cursor of the newest violation. */ readonly at: number;
};

/** The newest fault of a strategy, kept until its health is forgiven. */
export type FaultNote = {
  readonly callback: string;
  readonly fault: string;
  readonly reason_code: string;
  readonly detail: string;
  readonly evidence: string | null;
};

export const noteOf = (fault: StrategyFault, callback: string, config: JsonObject): FaultNote => ({
  callback,
  fault: fault.kind,
  reason_code: fault.reason_code,
  detail: struckOut(fault.detail, config),
  evidence: fault.evidence === undefined ? null : struckOut(fault.evidence, config),
});

export const HEALTHY: Health = { state: "healthy", reason_code: null, faults: 0, violations: 0, at: 0 };

/** What each state lets out. */
export const RESTRICTION_OF: Readonly<Record<HealthState, Restriction>> = {
  healthy: "none",
  degraded: "reduce_only",
  halted: "no_trade",
};

export function afterFault(health: Health, reason: string, cursor: number): Health {
  const faults = health.faults + 1;
  const state: HealthState =
    faults >= HEALTH_LIMITS.faults_halt ? "halted" : faults >= HEALTH_LIMITS.faults_degrade ? "degraded" : health.state;
  return { ...health, state, reason_code: reason, faults, at: cursor };
}

export function afterViolation(health: Health, reason: string, cursor: number): Health {
  const violations = health.violations + 1;
  const state: HealthState =
    violations >= HEALTH_LIMITS.violations_halt
      ? "halted"
      : violations >= HEALTH_LIMITS.violations_degrade && health.state === "healthy"
        ? "degraded"
        : health.state;
  const told = violations === HEALTH_LIMITS.violations_warn || state !== health.state ? reason : health.reason_code;
  return { ...health, state, reason_code: told, violations, at: cursor };
}

/** Called at long intervals of the cursor, never per event. */
export function afterCalm(health: Health, cursor: number): Health {
  if (health.state === "halted" || (health.faults === 0 && health.violations === 0)) return health;
  return cursor - health.at >= HEALTH_LIMITS.forgiven_after_events ? { ...HEALTHY, at: cursor } : health;
}

export const sameHealth = (a: Health, b: Health): boolean => a.state === b.state && a.reason_code === b.reason_code;

/** Its own health, or what restrains it where that is worse. */
export function worse(own: Health, from: { readonly state: HealthState; readonly reason_code: string | null }): Health {
  const rank = { healthy: 0, degraded: 1, halted: 2 };
  return rank[from.state] > rank[own.state] ? { ...own, state: from.state, reason_code: from.reason_code } : own;
}
