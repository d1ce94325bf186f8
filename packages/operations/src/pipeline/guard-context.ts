/** How the stages ask registered rules. */
import type { Guard, GuardContext } from "../guards.ts";
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
    input,
    facts,
    now: context.now(),
    fence: (write) => void run.fences.push(write),
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
