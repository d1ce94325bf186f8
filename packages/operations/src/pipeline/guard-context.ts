/** How the stages ask registered rules. */
import { likenessOf } from "../fingerprint.ts";
import type { Guard, GuardContext, GuardrailContext } from "../guards.ts";
import type { Passage } from "../operation.ts";
import { type PipelineContext, type Run, type StageEnd, refuse } from "./run.ts";

/** The id of the command that acts: a confirmation acts under the id of what it confirms. */
export function actingId({ command_id, confirmation }: Run): string {
  return confirmation?.redeemed.command.command_id ?? command_id;
}

export function guardContext(run: Run, context: PipelineContext): GuardContext {
  const { operation, target, risk, principal, input, facts } = run;
  return {
    operation: operation.definition.name,
    command_id: actingId(run),
    target,
    bot_id: operation.definition.bot?.(input, facts) ?? null,
    risk,
    principal,
    training: run.training !== null,
    input,
    facts,
    now: context.now(),
    fence: (write) => void run.fences.push(write),
  };
}

const DIRECT: Passage = { kind: "direct", two_people: false };

export function guardrailContext(run: Run, context: PipelineContext): GuardrailContext {
  const { operation, input, facts, dry_run, judged_as, confirmation } = run;
  const { danger, preview } = operation.definition;
  return {
    ...guardContext(run, context),
    passage: judged_as ?? confirmation?.redeemed ?? DIRECT,
    judged: judged_as !== null ? "outlook" : dry_run ? "dry_run" : "to_do",
    danger: danger(input, facts).kind,
    // A rehearsed dry run is none of the real thing.
    likeness: () =>
      `${run.training === null ? "" : "training "}${likenessOf(context.fingerprintKey, operation, input)}`,
    impact: () => preview?.(facts, input) ?? {},
  };
}

/** Asks in the order of registration; the first refusal ends it. */
export async function firstRefusal(
  rules: readonly Guard[],
  run: Run,
  context: PipelineContext,
): Promise<StageEnd | undefined> {
  for (const rule of rules) {
    const verdict = await rule.check(run.reader, guardContext(run, context));
    if (!verdict.ok) return refuse(verdict.error);
  }
  return undefined;
}
