/**
 * The safety mode: one row that everything asks. Tightening is always allowed; loosening is not.
 *
 * Invariant (safety.test.ts): from any mode to a stricter one always succeeds; back only as an
 * administrator's explicit act, and only while nothing is live.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { SafetyMode } from "@rumi/operations";

export const SAFETY_MODES: readonly SafetyMode[] = ["NORMAL", "SAFE", "EMERGENCY_STOP"];

/** The `safety_state` contract, schema_version 1. */
export type SafetyState = {
  readonly schema_version: 1;
  readonly state_id: string;
  readonly mode: SafetyMode;
  readonly reason: string;
  readonly activated_by?: string;
  readonly activated_at: string;
  readonly resolved_at?: string;
};

export function strictness(mode: SafetyMode): number {
  return SAFETY_MODES.indexOf(mode);
}

export function isTightening(from: SafetyMode, to: SafetyMode): boolean {
  return strictness(to) >= strictness(from);
}

export type SafetyFacts = { readonly mode: SafetyMode; readonly live_bots: number; readonly is_admin: boolean };

export function judgeSafetyChange(
  facts: SafetyFacts,
  to: SafetyMode,
): Result<"unchanged" | "tightened" | "loosened", Failure> {
  if (facts.mode === to) return ok("unchanged");
  if (isTightening(facts.mode, to)) return ok("tightened");
  const refuse = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-BOT-022", { from: facts.mode, to, problem }));
  if (!facts.is_admin) return refuse("only an administrator may");
  if (facts.live_bots > 0) return refuse(`${facts.live_bots} bots are live, which makes it a dangerous operation`);
  return ok("loosened");
}
