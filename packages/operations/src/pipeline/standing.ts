/**
 * What a change stands on: the generations of what it names, what the operation adds, and how dangerous it is.
 *
 * How to think: whoever approves it has seen it as it was proposed. Whatever of this is another value at the commit makes
 * the plan stale, also that it has become dangerous meanwhile or asks for more.
 */
import type { Base, Danger } from "../operation.ts";
import type { PipelineContext, Run } from "./run.ts";

export async function standing(run: Run, danger: Danger, { guards }: PipelineContext): Promise<Base> {
  const { operation, target, input, facts } = run;
  const { bot, base } = operation.definition;
  const found = await guards.standing?.read(run.reader, { target, bot_id: bot?.(input, facts) ?? null });
  run.fences.push(...(found?.fences ?? []));
  return {
    ...found?.base,
    ...base?.(facts, input),
    ...(danger.kind === "none"
      ? { danger: "none" }
      : { ...danger.base, danger: ["confirm", ...danger.requires].join(" ") }),
  };
}
