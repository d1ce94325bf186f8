/** How the stages ask registered rules. */
import type { Guard, GuardContext } from "../guards.ts";
import { type PipelineContext, type Run, type StageEnd, refuse } from "./run.ts";

export function guardContext(run: Run, context: PipelineContext): GuardContext {
  const { operation, command_id, target, risk, principal, input, facts } = run;
  return {
    operation: operation.definition.name,
    command_id,
    target,
    risk,
    principal,
    input,
    facts,
    now: context.now(),
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
