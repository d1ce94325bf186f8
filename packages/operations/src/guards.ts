/**
 * What may refuse a command besides its own decision: locks and freezes, the safety mode, gates, guardrails,
 * challenges. Each is a port; who owns the rule registers it. All of them read the same snapshot as the
 * decision, so that they judge the facts the decision is made from.
 */
import { type Failure, type Micros, type Result, ok } from "@rumi/kernel";
import type { Reader, Write } from "@rumi/store";
import type { Danger, Principal, RiskDirection, SafetyMode } from "./operation.ts";

export type GuardContext = {
  readonly operation: string;
  readonly command_id: string;
  readonly target: { readonly resource_type: string; readonly resource_id: string };
  readonly risk: RiskDirection;
  readonly principal: Principal;
  readonly input: Readonly<Record<string, unknown>>;
  readonly facts: unknown;
  readonly now: Micros;
};

/** One rule; ok passes, a failure refuses. A rule that throws refuses too: no evidence is no permission. */
export interface Guard {
  readonly name: string;
  check(reader: Reader, context: GuardContext): Promise<Result<void, Failure>>;
}

export type SafetyReading = {
  readonly mode: SafetyMode;
  /** A write that changes nothing and fits only while the mode is the one read; closes the gap to the commit. */
  readonly fence: Write | null;
};
/** Reads the real safety row; its owner is the safety part of the control package. */
export interface SafetyReader {
  read(reader: Reader): Promise<SafetyReading>;
}

/** Decides whether a dangerous command has been confirmed; absent in versions without challenges. */
export interface ChallengePort {
  /** The approval that covers this command, or the refusal that asks for it (RUMI-CMD-004). */
  check(
    reader: Reader,
    context: GuardContext & {
      readonly danger: Danger & { readonly kind: "confirm" };
      readonly fingerprint: string;
    },
  ): Promise<Result<{ readonly approval_id: string }, Failure>>;
}

export type Guards = {
  readonly locks: readonly Guard[];
  readonly safety: SafetyReader;
  /** By the names that operations declare; a name without a rule is UNKNOWN and refuses. */
  readonly gates: ReadonlyMap<string, Guard>;
  readonly guardrails: readonly Guard[];
  readonly challenge: ChallengePort | null;
};

/** For programs that have no safety part yet, and for tests: always this mode. */
export function fixedSafety(mode: SafetyMode): SafetyReader {
  return { read: () => Promise.resolve({ mode, fence: null }) };
}

export function guards(of: Partial<Guards> & Pick<Guards, "safety">): Guards {
  return { locks: [], gates: new Map(), guardrails: [], challenge: null, ...of };
}

export const PASSES: Result<void, never> = ok(undefined);
