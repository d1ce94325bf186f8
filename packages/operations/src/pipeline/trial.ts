/** Walks stages to see who would refuse, and goes on past every refusal; nothing of it is kept. */
import { failureText } from "@rumi/kernel";
import type { Outlook } from "../operation.ts";
import type { PipelineContext, Run, Stage } from "./run.ts";

export async function trial(
  stages: readonly Stage[],
  run: Run,
  context: PipelineContext,
): Promise<Outlook["refusals"]> {
  const refusals: Outlook["refusals"][number][] = [];
  for (const stage of stages) {
    context.onStage?.(stage.name, null);
    const end = await stage.run(run, context);
    if (end?.kind !== "refuse") continue;
    const { code, reasonCode } = end.failure;
    const { text, next } = failureText(end.failure, "en");
    refusals.push({
      stage: stage.name,
      error_code: code,
      reason_code: reasonCode ?? null,
      error: text,
      suggestion: next,
    });
  }
  return refusals;
}
