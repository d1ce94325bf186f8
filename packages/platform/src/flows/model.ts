/**
 * What a flow is: its file read strictly, its steps in the order in which they run. Pure.
 *
 * How to think: everything that can be said of a flow without running it is said here, when it is loaded; a run only meets
 * what depends on values. A form that this version does not carry out is refused by name, never passed over.
 *
 * Invariants (model.test.ts): an unknown field, a wrong type, a cycle and a step type without a builder each have a code;
 * the same file always has the same order.
 */
import { err, failure, ok, sha256Hex, type Failure, type Json, type JsonObject, type Result } from "@rumi/kernel";
import { Value } from "@sinclair/typebox/value";
import { parseCondition } from "./expression.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { ordered } from "./plan.ts";
import { parseSchedule, type Schedule } from "./schedule/cron.ts";
import { FLOW_SCHEMA, type FlowFile, type InputType, type StepFile } from "./schema.ts";
import type { Common, Step } from "./steps/model.ts";
import { blockStep, functionStep, handlerStep, scriptStep, type Wrong } from "./steps/parse.ts";
import { readYaml } from "./yaml.ts";

export type { ApprovalStep, BlockStep, CallStep, FlowStep, IfStep, SetStep, Step } from "./steps/model.ts";

export type FlowInput = { readonly type: InputType; readonly required: boolean; readonly default: Json };
export type Flow = {
  readonly flow_id: string;
  /** Undeclared: whatever is given is taken. */
  readonly inputs: Readonly<Record<string, FlowInput>> | null;
  /** Undeclared: whatever steps wrote. The value is what an output is made from. */
  readonly outputs: Readonly<Record<string, Json>> | null;
  readonly phases: readonly string[];
  /** In the order in which they run. */
  readonly steps: readonly Step[];
};

/** Where a file lies: the pack that it came with, null for the operator's own. */
export type FlowOrigin = { readonly path: string; readonly owner_pack: string | null };
export type ParsedFlow = {
  readonly flow: Flow;
  /** When it runs by itself. */
  readonly schedule: Schedule | null;
  readonly digest: string;
  readonly warnings: readonly string[];
};
/** The id is known where the file could be read so far: it is then nobody else's either. */
export type RefusedFlow = { readonly flow_id: string | null; readonly failure: Failure };

const ID = /^[A-Za-z0-9_.-]{1,128}$/;

export function parseFlow(text: string, origin: FlowOrigin): Result<ParsedFlow, RefusedFlow> {
  const refused = (flow_id: string | null, failed: Failure): Result<never, RefusedFlow> =>
    err({ flow_id, failure: failed });
  const yaml = readYaml(text);
  if (!yaml.ok) return refused(null, failure("RUMI-FLOW-008", { path: origin.path, problem: yaml.error }));
  const { value, warnings } = yaml.value;
  const claimed = (value as { readonly flow_id?: unknown } | null)?.flow_id;
  const flow_id = typeof claimed === "string" && ID.test(claimed) ? claimed : null;
  const first = Value.Errors(FLOW_SCHEMA, value).First();
  if (first !== undefined) {
    const field = first.path === "" ? "(file)" : first.path.slice(1).replaceAll("/", ".");
    return refused(
      flow_id,
      invalid(origin, field, first.message === "Unexpected property" ? "there is no such field" : first.message),
    );
  }
  const file = value as FlowFile;
  const steps: Step[] = [];
  for (const [index, raw] of file.steps.entries()) {
    const step = stepOf(raw, { at: `steps.${index}`, fail_soft: file.defaults?.fail_soft ?? true }, origin);
    if (!step.ok) return refused(flow_id, step.error);
    steps.push(step.value);
  }
  const schedule = file.schedule === undefined ? ok(null) : scheduleOf(file, origin);
  if (!schedule.ok) return refused(flow_id, schedule.error);
  const plan = ordered(steps, file.phases, file.defaults?.on_missing_step ?? "skip");
  if (!plan.ok)
    return refused(
      flow_id,
      plan.error.kind === "cycle"
        ? failure("RUMI-FLOW-009", { path: origin.path, steps: plan.error.steps.join(" → ") })
        : invalid(origin, plan.error.field, plan.error.problem),
    );
  const flow: Flow = {
    flow_id: file.flow_id,
    inputs: file.inputs === undefined ? null : mapped(file.inputs, inputOf),
    outputs: file.outputs === undefined ? null : mapped(file.outputs, outputOf),
    phases: file.phases,
    steps: plan.value.steps,
  };
  const digest = `sha256:${sha256Hex(text)}`;
  return ok({ flow, schedule: schedule.value, digest, warnings: [...warnings, ...plan.value.warnings] });
}

/** A run that nobody asks for has no inputs but their defaults. */
function scheduleOf({ schedule, inputs = {} }: FlowFile, origin: FlowOrigin): Result<Schedule, Failure> {
  const parsed = parseSchedule(schedule);
  if (!parsed.ok) return err(invalid(origin, parsed.error.field, parsed.error.problem));
  const needed = Object.entries(inputs).find(([, field]) => typeof field === "object" && field.required === true);
  return needed === undefined
    ? parsed
    : err(invalid(origin, "schedule", `the input ${needed[0]} is required, and a schedule gives none`));
}

/** One step as a file says it; `at` is where it stands there. */
export function stepOf(
  raw: StepFile,
  { at: place, fail_soft }: { readonly at: string; readonly fail_soft: boolean },
  origin: FlowOrigin,
): Result<Step, Failure> {
  const at = (field: string): string => `${place}.${field}`;
  const wrong = (field: string, problem: string): Result<never, Failure> => err(invalid(origin, at(field), problem));
  if (raw.output === "inputs") return wrong("output", "the variable inputs is the run's own");
  const condition = raw.when === undefined ? undefined : parseCondition(raw.when);
  if (condition?.ok === false) return wrong("when", condition.error);
  const isSoft = raw.optional === true && fail_soft;
  const common: Common = {
    id: raw.id,
    phase: raw.phase,
    priority: raw.priority ?? 100,
    when: condition?.value ?? null,
    output: raw.output ?? null,
    depends_on: raw.depends_on ?? [],
    on_error:
      raw.on_error?.action === "disable_target"
        ? "disable_target"
        : raw.on_error?.action === "continue" || isSoft
          ? "continue"
          : "abort",
  };
  const foreign = (["owner_pack", "file", "principal_id", "timeout_seconds", "runtime"] as const).find(
    (field) => raw[field] !== undefined && !CALLING.has(raw.type),
  );
  if (foreign !== undefined) return wrong(foreign, `a step of the type ${raw.type} has no such field`);
  if (common.on_error === "disable_target" && !CALLING.has(raw.type))
    return wrong("on_error.action", `a step of the type ${raw.type} calls nothing that could be disabled`);
  const input = (raw.input ?? null) as Json;
  const reading = { common, raw, input, flow_pack: origin.owner_pack, wrong };
  switch (raw.type) {
    case "set":
      if (raw.input === undefined) return wrong("input", "it is missing: what is to be set");
      if (raw.output === undefined && !isVariables(input))
        return wrong("input", "without output it must be a mapping of variables and their values");
      return ok({ ...common, type: "set", input });
    case "if":
      return ifStep(common, input, wrong);
    case "flow":
      return flowStep(common, input, wrong);
    case "python_file_call":
      return blockStep(reading);
    case "approval":
      return approvalStep(common, input, wrong);
    case "handler":
      return handlerStep(reading);
    case "function":
      return functionStep(reading);
    case "script":
      return scriptStep(reading);
  }
}

/** Types of steps that call something outside their flow. */
const CALLING: ReadonlySet<string> = new Set(["python_file_call", "handler", "function", "script"]);

function ifStep(common: Common, input: Json, wrong: Wrong): Result<Step, Failure> {
  const unknown = strangeMember(input, ["condition", "then", "else"]);
  if (unknown !== undefined || !isObject(input)) return wrong("input", unknown ?? "it must be {condition, then, else}");
  if (common.output === null) return wrong("output", "it is missing: where what was chosen goes");
  const condition = parseCondition(input["condition"] ?? null);
  if (!condition.ok) return wrong("input.condition", condition.error);
  const { then = null, else: otherwise = null } = input as { readonly then?: Json; readonly else?: Json };
  return ok({ ...common, type: "if", condition: condition.value, then, otherwise });
}

function flowStep(common: Common, input: Json, wrong: Wrong): Result<Step, Failure> {
  const unknown = strangeMember(input, ["flow_id", "inputs"]);
  if (unknown !== undefined || !isObject(input)) return wrong("input", unknown ?? "it must be {flow_id, inputs}");
  const { flow_id, inputs = {} } = input as { readonly flow_id?: Json; readonly inputs?: Json };
  if (typeof flow_id !== "string" || !ID.test(flow_id))
    return wrong("input.flow_id", "it must be the id of a flow, written out");
  if (!isObject(inputs)) return wrong("input.inputs", "it must be a mapping");
  return ok({ ...common, type: "flow", flow_id, inputs });
}

function approvalStep(common: Common, input: Json, wrong: Wrong): Result<Step, Failure> {
  const unknown = strangeMember(input, ["question", "details", "expires_seconds", "second_person"]);
  if (unknown !== undefined || !isObject(input))
    return wrong("input", unknown ?? "it must be {question, details, expires_seconds, second_person}");
  const {
    question,
    details = null,
    expires_seconds = FLOW_LIMITS.default_approval_seconds,
    second_person = false,
  } = input as Readonly<Record<string, Json | undefined>>;
  if (typeof question !== "string" || question === "")
    return wrong("input.question", "it is missing: what a person is asked");
  const [least, most] = [FLOW_LIMITS.least_approval_seconds, FLOW_LIMITS.approval_seconds];
  const isWhole = typeof expires_seconds === "number" && Number.isInteger(expires_seconds);
  if (!isWhole || expires_seconds < least || expires_seconds > most)
    return wrong("input.expires_seconds", `it must be a whole number from ${least} to ${most}`);
  if (typeof second_person !== "boolean") return wrong("input.second_person", "it must be true or false");
  return ok({ ...common, type: "approval", question, details, expires_seconds, second_person });
}

function inputOf(field: NonNullable<FlowFile["inputs"]>[string]): FlowInput {
  if (typeof field === "string") return { type: field, required: false, default: null };
  return { type: field.type, required: field.required ?? false, default: (field.default ?? null) as Json };
}

/** An output is the variable of its own name, unless it says what it is made from. */
function outputOf(field: NonNullable<FlowFile["outputs"]>[string], name: string): Json {
  return typeof field === "object" && field.from !== undefined ? (field.from as Json) : `\${ctx.${name}}`;
}

function mapped<From, To>(
  of: Readonly<Record<string, From>>,
  make: (from: From, name: string) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(of).map(([name, from]) => [name, make(from, name)]));
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isVariables(input: Json): boolean {
  return (
    isObject(input) &&
    Object.keys(input).every((name) => /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/.test(name) && name !== "inputs")
  );
}

function strangeMember(input: Json, known: readonly string[]): string | undefined {
  if (!isObject(input)) return undefined;
  const strange = Object.keys(input).find((name) => !known.includes(name));
  return strange === undefined ? undefined : `it has no member ${strange}; it has ${known.join(", ")}`;
}

export const invalid = ({ path }: FlowOrigin, field: string, problem: string): Failure =>
  failure("RUMI-FLOW-007", { path, field, problem });
