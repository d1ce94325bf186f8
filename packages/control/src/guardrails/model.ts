/**
 * Guardrails against human error: what slows a hand down before a high-risk action, and what keeps it off (L-52). Pure.
 *
 * How to think: an action is an operation by its name. Friction asks for steps before it (a dry run, a staged change, a second
 * person); a hard block refuses it while something is so (conditions.ts); warnings are words that everybody sees who comes near.
 * Nothing here grants anything, and tightening passes all of it. A home without a policy asks for nothing more than the
 * operations declare.
 *
 * Invariants (packages/rumi/test/guardrails.test.ts)
 * - A step that is skipped refuses with what is missing, the warnings and the impact; each step done as it should be passes.
 * - Whoever makes the policy milder in any respect needs a second person; whoever only makes it stricter needs nobody.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { ConfirmationFactor, GuardrailContext } from "@rumi/operations";
import { coversCondition, type HardBlock } from "./conditions.ts";

export const GUARDRAIL_LIMITS = {
  /** High-risk actions, and conditions, of a policy. */
  actions: 200,
  conditions: 100,
  warnings_of_an_action: 5,
  warning_characters: 512,
  /** How long a dry run counts. */
  dry_run_within_seconds: 900,
  /** Dry runs of one person that are remembered; the newest. */
  dry_runs_of_a_person: 64,
} as const;

/** In the order in which they are asked for: a change is a dry run and two people at once. */
export const FRICTIONS = ["staging", "two_person", "dry_run"] as const;
export type Friction = (typeof FRICTIONS)[number];

export type GuardrailPolicy = {
  readonly high_risk_actions: readonly string[];
  readonly friction_level_by_action: Readonly<Record<string, readonly Friction[]>>;
  readonly contextual_warnings: Readonly<Record<string, readonly string[]>>;
  readonly hard_block_conditions: readonly HardBlock[];
};
export const NO_POLICY: GuardrailPolicy = {
  high_risk_actions: [],
  friction_level_by_action: {},
  contextual_warnings: {},
  hard_block_conditions: [],
};
/** One revision, as it is told. */
export type Revision = GuardrailPolicy & {
  readonly version: number;
  readonly guardrail_id: string | null;
};

export const frictionOf = (policy: GuardrailPolicy, action: string): readonly Friction[] =>
  FRICTIONS.filter((one) => own(policy.friction_level_by_action, action).includes(one));
export const warningsOf = (policy: GuardrailPolicy, action: string): readonly string[] =>
  own(policy.contextual_warnings, action);

function own<T>(by: Readonly<Record<string, readonly T[]>>, action: string): readonly T[] {
  return Object.hasOwn(by, action) ? (by[action] ?? []) : [];
}

/** What its friction adds to a challenge, where the action asks for one by itself. */
export function factorsOf(policy: GuardrailPolicy, action: string): readonly ConfirmationFactor[] {
  return frictionOf(policy, action).includes("two_person") ? ["second_person"] : [];
}

/** Everything in which `after` asks for less than `before`, in words; none: it is only stricter, or the same. */
export function loosened(before: GuardrailPolicy, after: GuardrailPolicy): readonly string[] {
  const actions = before.high_risk_actions.flatMap((action) => [
    ...(after.high_risk_actions.includes(action) ? [] : [`${action} is no high-risk action any more`]),
    ...missing(frictionOf(before, action), frictionOf(after, action)).map((one) => `${action} without ${one}`),
    ...missing(warningsOf(before, action), warningsOf(after, action)).map(() => `${action} with a warning less`),
  ]);
  const conditions = before.hard_block_conditions.flatMap((one) =>
    one.actions
      .filter((action) => !after.hard_block_conditions.some((other) => coversCondition(other, one, action)))
      .map((action) => `${action} without the hard block ${one.condition}, or with a milder one`),
  );
  return [...actions, ...conditions];
}

const missing = <T>(before: readonly T[], after: readonly T[]): readonly T[] =>
  before.filter((one) => !after.includes(one));

/** Steps that have not been taken; `dryRun` says whether this person has made one of this very request. */
export function missingFriction(
  friction: readonly Friction[],
  { passage, danger, judged }: Pick<GuardrailContext, "passage" | "danger" | "judged">,
  dryRun: boolean,
): readonly Friction[] {
  const taken: Readonly<Record<Friction, boolean>> = {
    staging: passage.kind === "change",
    // Whatever asks for a challenge asks for a second person in it (factorsOf).
    two_person: passage.two_people || (passage.kind === "direct" && danger === "confirm"),
    // Challenge and change have shown the impact to whoever asked, and did nothing before they were asked again.
    dry_run: judged !== "to_do" || passage.kind !== "direct" || dryRun,
  };
  return friction.filter((one) => !taken[one]);
}

export const FRICTION_CODES = {
  staging: "RUMI-CMD-031",
  two_person: "RUMI-CMD-032",
  dry_run: "RUMI-CMD-030",
} as const satisfies Readonly<Record<Friction, string>>;

export type Said = {
  readonly friction: readonly Friction[];
  readonly missing: readonly Friction[];
  readonly warnings: readonly string[];
};

export function judgeFriction(
  { operation, impact }: Pick<GuardrailContext, "operation" | "impact">,
  said: Said,
): Result<void, Failure> {
  const [first] = said.missing;
  if (first === undefined) return ok(undefined);
  const params = {
    operation,
    command: commandLine(operation),
    minutes: GUARDRAIL_LIMITS.dry_run_within_seconds / 60,
  };
  return err(
    failure(FRICTION_CODES[first], params, {
      reasonCode: "L.GUARDRAIL.BLOCKED",
      details: { guardrail: { action: operation, ...said, impact: impact() } },
    }),
  );
}

/** `bots.config_apply` → `rumi bots config-apply`. */
export function commandLine(operation: string): string {
  const [noun = "", ...verb] = operation.split(".");
  return `rumi ${noun} ${verb.join("-").replaceAll("_", "-")}`;
}
