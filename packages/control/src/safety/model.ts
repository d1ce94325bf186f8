/**
 * The safety mode: one row that everything asks. Tightening is always allowed; loosening is not.
 *
 * Invariant (commands.test.ts): from any mode to a stricter one always succeeds; back only as an administrator's
 * confirmed act.
 */
import { invariant } from "@rumi/kernel";
import type { SafetyMode } from "@rumi/operations";

/** The operation that changes it. */
export const SAFETY_SET = "safety.set";
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

export function judgeSafetyChange(
  from: SafetyMode,
  to: SafetyMode,
  approval_id: string | null,
): "unchanged" | "tightened" | "loosened" {
  if (from === to) return "unchanged";
  if (isTightening(from, to)) return "tightened";
  invariant(approval_id !== null, "safety was loosened without a confirmed challenge");
  return "loosened";
}
