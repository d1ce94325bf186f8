/**
 * The pipeline's guardrail: asks the policy in force, when a command is asked for, when somebody looks at what it would
 * meet, and again at its confirmation or commit. What cannot be evaluated refuses.
 */
import { err, failure, type Failure, type Result } from "@rumi/kernel";
import { PASSES, type Guardrail, type GuardrailContext } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { iso } from "../challenges/model.ts";
import type { Sql } from "../shared/sql.ts";
import { problemOf } from "./conditions.ts";
import {
  FRICTION_CODES,
  frictionOf,
  GUARDRAIL_LIMITS,
  judgeFriction,
  missingFriction,
  warningsOf,
  type GuardrailPolicy,
  type Said,
} from "./model.ts";
import { sceneOf } from "./scene.ts";
import { guardrailFence, keepDryRun, policyOf, readDryRun, readGuardrails } from "./tables.ts";

export function guardrailGuard(sql: Sql): Guardrail {
  return {
    name: "human_error",
    check: async (reader, context) => {
      if (context.risk === "tighten") return PASSES;
      const inForce = await readGuardrails(reader, sql);
      context.fence(guardrailFence(sql, inForce));
      const policy = policyOf(inForce);
      if (!policy.high_risk_actions.includes(context.operation)) return PASSES;
      const free = await judgeBlocks(reader, sql, policy, context);
      return free.ok ? judgeFriction(context, await saidOf(reader, sql, policy, context)) : free;
    },
    dryRan: async (reader, context, refusals) => {
      const policy = policyOf(await readGuardrails(reader, sql));
      if (!policy.high_risk_actions.includes(context.operation)) return null;
      const said = await saidOf(reader, sql, policy, context);
      const { now, principal, operation } = context;
      const counts = said.friction.includes("dry_run") && refusals.every(({ error_code }) => isStep(error_code));
      const ends_at = now + GUARDRAIL_LIMITS.dry_run_within_seconds * 1_000_000;
      const row = { principal: principal.id, likeness: context.likeness(), operation, made_at: now, ends_at };
      return {
        told: { guardrail: { ...said, dry_run_counts_until: counts ? iso(ends_at) : null } },
        writes: counts ? keepDryRun(sql, row, GUARDRAIL_LIMITS.dry_runs_of_a_person) : [],
      };
    },
  };
}

/** Refusals that only say which steps are still to come: the wish itself passed. */
const STEPS: readonly string[] = ["RUMI-CMD-004", ...Object.values(FRICTION_CODES)];
const isStep = (error_code: string): boolean => STEPS.includes(error_code);

async function saidOf(reader: Reader, sql: Sql, policy: GuardrailPolicy, context: GuardrailContext): Promise<Said> {
  const { operation, principal, now } = context;
  const friction = frictionOf(policy, operation);
  const made = friction.includes("dry_run")
    ? await readDryRun(reader, sql, { principal: principal.id, likeness: context.likeness() })
    : undefined;
  const isMade = made !== undefined && made.ends_at > now && made.made_at <= now;
  return {
    friction,
    missing: missingFriction(friction, context, isMade),
    warnings: warningsOf(policy, operation),
  };
}

async function judgeBlocks(
  reader: Reader,
  sql: Sql,
  policy: GuardrailPolicy,
  context: GuardrailContext,
): Promise<Result<void, Failure>> {
  const { operation } = context;
  const blocks = policy.hard_block_conditions.filter(({ actions }) => actions.includes(operation));
  if (blocks.length === 0) return PASSES;
  const refused = (rule: string, problem: string, more: { readonly cause?: unknown } = {}): Result<never, Failure> =>
    err(
      failure(
        "RUMI-CMD-008",
        { rule, problem },
        {
          ...more,
          reasonCode: "L.GUARDRAIL.BLOCKED",
          details: {
            guardrail: {
              action: operation,
              condition: rule,
              problem,
              warnings: warningsOf(policy, operation),
              impact: context.impact(),
            },
          },
        },
      ),
    );
  try {
    const scene = await sceneOf(reader, sql, context, blocks);
    for (const block of blocks) {
      const problem = problemOf(block, scene);
      if (problem !== undefined) return refused(block.condition, problem);
    }
    return PASSES;
  } catch (error) {
    // No evidence is no permission.
    const [first] = blocks;
    return refused(first?.condition ?? "hard_block", "it could not be evaluated", { cause: error });
  }
}
