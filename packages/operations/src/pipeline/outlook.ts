/**
 * What a stored command would meet if it were carried out now: for whoever has to approve it.
 *
 * Every guard and the decision are asked; only whether it is confirmed is not, since that is the question.
 */
import type { Reader } from "@rumi/store";
import { NO_INPUT } from "../validate/raw-input.ts";
import type { Outlook, Passage, StoredCommand } from "../operation.ts";
import type { RegisteredOperation } from "../registry.ts";
import { newRun } from "./new-run.ts";
import { JUDGEMENT } from "./order.ts";
import type { PipelineContext, Run } from "./run.ts";
import { decide } from "./stages/decide.ts";
import { trial } from "./trial.ts";

const ASKED = [...JUDGEMENT.filter(({ name }) => name !== "redeem" && name !== "challenge"), decide];

export async function outlookOn(
  reader: Reader,
  { operation: name, command_id, principal, input }: StoredCommand,
  passage: Passage,
  context: PipelineContext,
): Promise<Outlook | null> {
  const operation = context.registry.operations.get(name);
  if (operation === undefined || !operation.validate(structuredClone(input)).ok) return null;
  return (await outlookRun(reader, { operation, command_id, principal, input }, passage, context)).outlook;
}

/** Beside the outlook the run that found it out, with its facts; the input is valid already. */
export async function outlookRun(
  reader: Reader,
  {
    operation,
    command_id,
    principal,
    input,
  }: Omit<StoredCommand, "operation"> & { readonly operation: RegisteredOperation },
  passage: Passage,
  context: PipelineContext,
): Promise<{ readonly run: Run; readonly outlook: Outlook }> {
  const request = { raw: NO_INPUT, principal, idempotencyKey: command_id, trace_id: "", remote: "outlook" };
  const run: Run = {
    ...newRun(operation, request),
    input,
    command_id,
    dry_run: true,
    judged_as: passage,
    target: operation.definition.target(input),
    reader,
  };
  const refusals = await trial(ASKED, run, { ...context, onStage: () => undefined });
  return { run, outlook: { refusals, preview: operation.definition.preview?.(run.facts, run.input) ?? {} } };
}
