/**
 * What a step is to do with the variables as they are, and what a run answers at its end. Pure.
 *
 * Invariants (model.test.ts): the same variables give the same; a result never shows a name that begins with `_`, and
 * never exceeds its limit.
 */
import { err, failure, ok, type Failure, type Json, type JsonObject, type Result } from "@rumi/kernel";
import { holds, resolved, type Variables } from "./expression.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { isObject, type ApprovalStep, type CallStep, type Flow, type FlowStep, type Step } from "./model.ts";
import type { InputType } from "./schema.ts";

export type Next =
  | { readonly kind: "skip" }
  | { readonly kind: "write"; readonly values: JsonObject }
  | { readonly kind: "block"; readonly step: CallStep; readonly input: Json }
  | { readonly kind: "flow"; readonly step: FlowStep; readonly inputs: JsonObject }
  | { readonly kind: "approval"; readonly step: ApprovalStep; readonly question: string; readonly details: Json }
  | { readonly kind: "fail"; readonly problem: string };

const TOO_LARGE: Next = { kind: "fail", problem: `its value is larger than ${FLOW_LIMITS.context_bytes} bytes` };

export function nextOf(step: Step, ctx: Variables): Next {
  if (step.when !== null && !holds(step.when, ctx)) return { kind: "skip" };
  const resolvedOr = (value: Json, use: (made: Json) => Next): Next => {
    const made = resolved(value, ctx, FLOW_LIMITS.context_bytes);
    return made === undefined ? TOO_LARGE : use(made);
  };
  switch (step.type) {
    case "set":
      return resolvedOr(step.input, (values) => {
        if (step.output !== null) return { kind: "write", values: { [step.output]: values } };
        return isObject(values) ? { kind: "write", values } : { kind: "fail", problem: "its input is no mapping" };
      });
    case "if":
      return resolvedOr(holds(step.condition, ctx) ? step.then : step.otherwise, (value) => ({
        kind: "write",
        values: step.output === null ? {} : { [step.output]: value },
      }));
    case "flow":
      return resolvedOr(step.inputs, (inputs) =>
        isObject(inputs) ? { kind: "flow", step, inputs } : { kind: "fail", problem: "its inputs are no mapping" },
      );
    case "approval":
      return resolvedOr([step.question, step.details], (made) => {
        const [question = null, details = null] = made as readonly Json[];
        const text = typeof question === "string" ? question : JSON.stringify(question);
        return { kind: "approval", step, question: text, details };
      });
    case "python_file_call":
    case "script":
    case "function":
    case "handler":
      return resolvedOr(step.input, (input) => ({ kind: "block", step, input }));
  }
}

/** What a run begins with: inputs by their names, and all of them as `inputs`. */
export function inputsOf(flow: Flow, given: JsonObject): Result<JsonObject, Failure> {
  const wrong = (name: string, problem: string): Result<never, Failure> =>
    err(failure("RUMI-FLOW-012", { flow_id: flow.flow_id, field: name.slice(0, 128), problem }));
  if (flow.inputs === null)
    return Object.hasOwn(given, "inputs") ? wrong("inputs", "the name is the run's own") : ok(given);
  for (const name of Object.keys(given))
    if (!Object.hasOwn(flow.inputs, name)) return wrong(name, "the flow declares no such input");
  const taken: Record<string, Json> = {};
  for (const [name, declared] of Object.entries(flow.inputs)) {
    const isGiven = Object.hasOwn(given, name);
    if (!isGiven && declared.required) return wrong(name, "it is required");
    const value = isGiven ? (given[name] ?? null) : declared.default;
    if (isGiven && !isOfType(value, declared.type)) return wrong(name, `it is not of the type ${declared.type}`);
    taken[name] = value;
  }
  return ok(taken);
}

function isOfType(value: Json, type: InputType): boolean {
  switch (type) {
    case "any":
      return true;
    case "integer":
      return Number.isSafeInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
  }
}

/** The declared outputs, else what steps wrote; nothing whose name begins with `_`. */
export function resultOf(flow: Flow, ctx: Variables, written: ReadonlySet<string>): Result<JsonObject, Failure> {
  const wanted = flow.outputs ?? Object.fromEntries([...written].map((name) => [name, `\${ctx.${name}}`]));
  const result = resolved(wanted, ctx, FLOW_LIMITS.context_bytes);
  if (!isObject(result))
    return err(
      failure("RUMI-FLOW-002", {
        flow_id: flow.flow_id,
        problem: `its outputs are larger than ${FLOW_LIMITS.context_bytes} bytes`,
      }),
    );
  return ok(Object.fromEntries(Object.entries(result).filter(([name]) => !name.startsWith("_"))));
}

/**
 * As much of a result as fits: outputs in their order, a text that does not fit is cut, anything else that does not fit is
 * left out.
 */
export function cutTo(
  result: JsonObject,
  most_bytes: number,
): { readonly result: JsonObject; readonly truncated: boolean } {
  if (bytesOf(result) <= most_bytes) return { result, truncated: false };
  const kept: [string, Json][] = [];
  let left = most_bytes - 2;
  for (const [name, value] of Object.entries(result)) {
    const head = bytesOf(name) + 2;
    const shown =
      bytesOf(value) + head <= left ? value : typeof value === "string" ? cutText(value, left - head) : undefined;
    if (shown === undefined) continue;
    kept.push([name, shown]);
    left -= bytesOf(shown) + head;
  }
  return { result: Object.fromEntries(kept), truncated: true };
}

const bytesOf = (value: Json): number => Buffer.byteLength(JSON.stringify(value));

/** The longest beginning that fits with its quotes; undefined where not even an empty text does. */
function cutText(text: string, most_bytes: number): string | undefined {
  if (most_bytes < 2) return undefined;
  let [fits, tooMany] = [0, Math.min(text.length, most_bytes) + 1];
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (bytesOf(text.slice(0, middle)) <= most_bytes) fits = middle;
    else tooMany = middle;
  }
  const cut = text.slice(0, fits);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** A block that ends its flow says why. */
export function abortReason(output: Json): string | undefined {
  if (!isObject(output) || output["__flow_control"] !== "abort") return undefined;
  const { reason } = output as { readonly reason?: Json };
  return typeof reason === "string" && reason !== ""
    ? reason.slice(0, FLOW_LIMITS.error_characters)
    : "it gave no reason";
}
