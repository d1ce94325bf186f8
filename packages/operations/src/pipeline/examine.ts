/**
 * Judges a command that somebody proposes, without doing it: whether it is exactly a request of its operation, whether its
 * principal may ask for it, what it stands on, and what it would do and meet now.
 *
 * A command that holds a secret is not kept, and one that confirms another is asked for directly.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import type { Examined, FieldChange, Passage, StoredCommand } from "../operation.ts";
import { NO_INPUT } from "../validate/raw-input.ts";
import { newRun } from "./new-run.ts";
import { outlookRun } from "./outlook.ts";
import type { PipelineContext, Run } from "./run.ts";
import { permissionRefusal } from "./stages/authorise.ts";
import { takeInput } from "./stages/validate.ts";
import { standing } from "./standing.ts";

/** What is proposed is read and approved by somebody else before it comes. */
const AS_A_CHANGE: Passage = { kind: "change", two_people: true };

const refusedField = (field: string, problem: string): Result<never, Failure> =>
  err(failure("RUMI-VAL-002", { field, problem }));

export async function examine(
  reader: Reader,
  { operation: name, command_id, principal, input: sent }: StoredCommand,
  context: PipelineContext,
): Promise<Result<Examined, Failure>> {
  const operation = context.registry.operations.get(name);
  if (operation === undefined) return refusedField("$.operation", "there is no operation of this name");
  const { definition } = operation;
  if (definition.redeems === true || (definition.secret_fields ?? []).length > 0)
    return refusedField("$.operation", "it is asked for directly and cannot be proposed");
  if (Object.hasOwn(sent, "dry_run")) return refusedField("$.input.dry_run", "what is proposed is not a dry run");
  const wish = newRun(operation, {
    raw: NO_INPUT,
    principal,
    idempotencyKey: command_id,
    trace_id: "",
    remote: "proposal",
  });
  const end = takeInput(wish, structuredClone(sent), context);
  if (end?.kind === "turn_away") return err(insideInput(end.failure));
  const { input, target } = wish;
  const forbidden = await permissionRefusal(definition, principal, target, context);
  if (forbidden !== undefined) return err(forbidden);
  const { run, outlook } = await outlookRun(reader, { operation, command_id, principal, input }, AS_A_CHANGE, context);
  const danger = definition.danger(input, run.facts);
  return ok({
    ...outlook,
    input,
    target,
    danger,
    roles: danger.kind === "none" ? definition.permission : (danger.roles ?? ["admin"]),
    base: await standing(run, danger, context),
    diff: definition.diff?.(run.facts, input) ?? askedFor(run),
  });
}

/** What is asked for, where the operation does not say what stands there now. */
function askedFor({ input }: Run): readonly FieldChange[] {
  return Object.entries(input)
    .filter(([field]) => field !== "command_id" && field !== "reason")
    .map(([field, after]) => ({ field, before: null, after }));
}

function insideInput(why: Failure): Failure {
  const { field } = why.params;
  return typeof field === "string"
    ? { ...why, params: { ...why.params, field: field.replace(/^\$/, "$.input") } }
    : why;
}
