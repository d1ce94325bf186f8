/**
 * Calls what a step names: a Python block, a script, a function of a pack, a capability, or the program itself.
 *
 * Invariants
 * - What is disabled is not called (packages/rumi/test/steps.e2e.test.ts).
 * - A step acts as its own pack or a child of it (packages/platform/src/flows/model.test.ts).
 */
import {
  failureText,
  isoFromMicros,
  type Clock,
  type Failure,
  type Json,
  type JsonObject,
  type Result,
} from "@rumi/kernel";
import type { Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { CallCapability } from "../../capabilities/call.ts";
import type { PackLibrary } from "../../packs/library.ts";
import type { BlockCall, Blocks } from "../blocks.ts";
import type { BlockOutcome, StepPlace } from "../run.ts";
import { targetOf, type CallStep, type FunctionStep } from "./model.ts";
import { isInside, SCRIPT_ENDINGS } from "./parse.ts";
import { readDisabledTarget } from "./targets.ts";

/** A handler of the program itself, as one of the run's actor's own wishes. */
export type KernelCall = {
  readonly name: string;
  readonly args: JsonObject;
  readonly actor: string;
  readonly trace_id: string;
  /** The same act is not done twice under it. */
  readonly key: string;
};
export type CallKernel = (call: KernelCall) => Promise<Result<Json, Failure>>;

export type StepCallDeps = {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  readonly blocks: Pick<Blocks, "call">;
  /** JavaScript and TypeScript, with the same contract. */
  readonly scripts: Pick<Blocks, "call">;
  readonly library: Pick<PackLibrary, "verify">;
  readonly capability: CallCapability;
  readonly kernel: CallKernel;
};
export type RunFacts = { readonly run_id: string; readonly trace_id: string; readonly actor: string };
export type StepCall = {
  readonly step: CallStep;
  readonly input: Json;
  readonly place: StepPlace;
  readonly run: RunFacts;
  readonly signal: AbortSignal;
};
export type CallStepOf = (call: StepCall) => Promise<BlockOutcome>;

export function createStepCalls(deps: StepCallDeps): CallStepOf {
  return async (call) => {
    const disabled = await readDisabledTarget(deps.store, deps.store, targetOf(call.step));
    if (disabled !== undefined)
      return problem(
        `${disabled.target} was disabled by the step ${disabled.step_id} of the flow ${disabled.flow_id}: ${disabled.problem}`,
      );
    return carryOut(call, deps);
  };
}

async function carryOut(call: StepCall, deps: StepCallDeps): Promise<BlockOutcome> {
  const { step, input } = call;
  switch (step.type) {
    case "python_file_call":
      return deps.blocks.call(blockCall(call, step, { file: step.file }, deps));
    case "script":
      return deps.scripts.call(blockCall(call, step, { file: step.file }, deps));
    case "function":
      return callFunction(call, step, deps);
    case "handler":
      return "kernel" in step ? callKernel(call, step.kernel, deps) : callCapability(call, step, input, deps);
  }
}

type Owned = Extract<CallStep, { readonly owner_pack: string }>;

function blockCall(
  { input, place, signal }: StepCall,
  step: Owned,
  what: Pick<BlockCall, "file" | "function">,
  { clock }: StepCallDeps,
): BlockCall {
  const { owner_pack, principal_id } = step;
  const context = {
    flow_id: place.flow.flow_id,
    step_id: step.id,
    phase: step.phase,
    ts: isoFromMicros(clock.now()),
    owner_pack,
    inputs: place.inputs,
  };
  return { owner_pack, principal_id, ...what, input, context, timeout_ms: step.timeout_seconds * 1_000, signal };
}

export const FUNCTION_FORM = Type.Object(
  {
    file: Type.String({ minLength: 1, maxLength: 512 }),
    function: Type.Optional(Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" })),
    description: Type.Optional(Type.String({ maxLength: 1_024 })),
  },
  { additionalProperties: false },
);

/** `{file, function?}` of the approved manifest; Python or a script, by the file's ending. */
async function callFunction(call: StepCall, step: FunctionStep, deps: StepCallDeps): Promise<BlockOutcome> {
  const pack = await deps.library.verify(step.owner_pack);
  if (!pack.ok) return failed(pack.error);
  const { functions = {} } = pack.value.manifest;
  const declared = Object.hasOwn(functions, step.function) ? functions[step.function] : undefined;
  if (declared === undefined) return problem(`the pack ${step.owner_pack} has no function ${step.function}`);
  if (!Value.Check(FUNCTION_FORM, declared))
    return problem(`functions.${step.function} of the pack ${step.owner_pack} is not {file, function, description}`);
  const { file, function: name } = declared;
  const what = { file, ...(name === undefined ? {} : { function: name }) };
  const isScript = isInside(file, SCRIPT_ENDINGS);
  return (isScript ? deps.scripts : deps.blocks).call(blockCall(call, step, what, deps));
}

async function callCapability(
  { place, run, signal }: StepCall,
  step: Extract<CallStep, { readonly permission_id: string }>,
  args: Json,
  { capability }: StepCallDeps,
): Promise<BlockOutcome> {
  const answer = await capability({
    principal: step.principal_id,
    permission_id: step.permission_id,
    args: args as JsonObject,
    timeout_seconds: step.timeout_seconds,
    request_id: `${run.run_id}:${place.path}`,
    trail: { run_id: run.run_id, trace_id: run.trace_id },
    signal,
  });
  if (answer.success) return { kind: "output", output: answer.output };
  return { kind: "failed", problem: `${answer.error_type}: ${answer.error}`, error_code: answer.error_code };
}

async function callKernel(
  { input, place, run }: StepCall,
  name: string,
  { kernel }: StepCallDeps,
): Promise<BlockOutcome> {
  const { actor, trace_id, run_id } = run;
  const done = await kernel({ name, args: input as JsonObject, actor, trace_id, key: `${run_id}:${place.path}` });
  return done.ok ? { kind: "output", output: done.value } : failed(done.error);
}

const problem = (text: string): BlockOutcome => ({ kind: "failed", problem: text, error_code: null });

function failed(of: Failure): BlockOutcome {
  const { text, next } = failureText(of, "en");
  return { kind: "failed", problem: `${text} ${next}`, error_code: of.code };
}
