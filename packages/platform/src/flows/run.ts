/**
 * Walks one run's steps to their end. What it does outside arrives as ports.
 *
 * How to think: the walk is a function of the definitions, the inputs and what blocks gave. What they gave is durable before
 * anything else is called, so a walk that died is walked again from the start, takes from the record what is there, and calls
 * only what is not.
 *
 * Invariants (engine.test.ts "[R-14.1]"): a block whose outcome is recorded is never called again; a step that failed and
 * may not be passed over ends the run as failed.
 */
import { failure, failureText, type ErrorCode, type Failure, type Json, type JsonObject } from "@rumi/kernel";
import type { FlowClosure } from "./closure.ts";
import { abortReason, inputsOf, nextOf, resultOf, type Next } from "./evaluate.ts";
import { sizeOf } from "./expression.ts";
import { FLOW_LIMITS } from "./limits.ts";
import type { ApprovalStep, CallStep, Flow, Step } from "./model.ts";
import { ownerOf } from "./steps/model.ts";
import type { RecordedStep } from "./tables.ts";

/** What a block gave, or why it did not. */
export type BlockOutcome =
  | { readonly kind: "output"; readonly output: Json }
  | {
      readonly kind: "failed";
      readonly problem: string;
      readonly error_code: ErrorCode | null;
      /** Where it is one of these. */
      readonly why?: "timeout" | "too_large";
    };

export type RunPorts = {
  readonly recorded: (path: string) => RecordedStep | undefined;
  /** Durable before the next call, before others have the thread, and before the run's end. */
  readonly record: (step: CallStep, recorded: RecordedStep) => void;
  readonly call: (step: CallStep, input: Json, of: StepPlace) => Promise<BlockOutcome>;
  /** Asks a person, durably, and the run waits; a text says why that cannot be. */
  readonly ask: (step: ApprovalStep, path: string, question: string, details: Json) => Promise<string | null>;
  /** Another way to end: the run's time is up, or the program stops. */
  readonly stopped: () => Failure | "interrupted" | undefined;
  /** Lets others have the thread. */
  readonly breathe: () => Promise<void>;
  readonly counted: (step: Step, ended: "success" | "error") => void;
  readonly now_us: () => number;
  /** What each step came to, for whoever watches a walk. */
  readonly came?: (path: string, end: { readonly kind: StepEnd["kind"]; readonly problem: string | null }) => void;
};

/** Where in its run a step stands. */
export type StepPlace = { readonly flow: Flow; readonly inputs: JsonObject; readonly path: string };

export type RunEnd =
  | { readonly kind: "done"; readonly result: JsonObject; readonly steps: number }
  | { readonly kind: "failed"; readonly failure: Failure; readonly steps: number; readonly at: Place | null }
  /** Neither: the program stops, and the next one goes on. */
  | { readonly kind: "interrupted" }
  /** Neither: a person was asked. */
  | { readonly kind: "waiting" };
/** The step that ended it. */
export type Place = { readonly step_id: string; readonly phase: string; readonly owner_pack: string | null };

export async function walkRun(
  closure: FlowClosure,
  flow_id: string,
  inputs: JsonObject,
  ports: RunPorts,
): Promise<RunEnd> {
  const flow = closure.flows[flow_id];
  if (flow === undefined) return { kind: "failed", failure: failure("RUMI-FLOW-001", { flow_id }), steps: 0, at: null };
  const counts = { steps: 0 };
  const walked = await new Walk(closure, ports, counts).flow(flow, inputs, "");
  if (walked.kind === "done") return { ...walked, steps: counts.steps };
  return walked.kind === "failed" ? { ...walked, steps: counts.steps } : walked;
}

type Walked =
  | { readonly kind: "done"; readonly result: JsonObject }
  | { readonly kind: "failed"; readonly failure: Failure; readonly at: Place | null }
  | { readonly kind: "interrupted" }
  | { readonly kind: "waiting" };
type StepEnd =
  | { readonly kind: "written"; readonly values: JsonObject }
  | { readonly kind: "skipped" }
  /** The step's own failure, which its flow may pass over. */
  | { readonly kind: "failed"; readonly failure: Failure }
  /** Of the whole run. */
  | { readonly kind: "ended"; readonly walked: Walked };

const WAITING: StepEnd = { kind: "ended", walked: { kind: "waiting" } };
const SKIPPED: StepEnd = { kind: "skipped" };

class Walk {
  readonly #closure: FlowClosure;
  readonly #ports: RunPorts;
  readonly #counts: { steps: number };

  constructor(closure: FlowClosure, ports: RunPorts, counts: { steps: number }) {
    this.#closure = closure;
    this.#ports = ports;
    this.#counts = counts;
  }

  async flow(flow: Flow, given: JsonObject, above: string): Promise<Walked> {
    const inputs = inputsOf(flow, given);
    if (!inputs.ok) return { kind: "failed", failure: inputs.error, at: null };
    const ctx: Record<string, Json> = Object.assign(Object.create(null) as object, inputs.value, {
      inputs: inputs.value,
    });
    const written = new Set<string>();
    const sizes = new Map<string, number>();
    let size = 0;
    for (const step of flow.steps) {
      const stopped = this.#ports.stopped();
      if (stopped !== undefined)
        return stopped === "interrupted"
          ? { kind: "interrupted" }
          : { kind: "failed", failure: stopped, at: placeOf(step) };
      let end = await this.#step(step, ctx, flow, inputs.value, above);
      if (end.kind === "written")
        for (const [name, value] of Object.entries(end.values)) {
          const own = sizeOf(value, FLOW_LIMITS.context_bytes);
          size += own - (sizes.get(name) ?? 0);
          if (size > FLOW_LIMITS.context_bytes) {
            const problem = `the variables of its flow are larger than ${FLOW_LIMITS.context_bytes} bytes together`;
            end = {
              kind: "ended",
              walked: { kind: "failed", failure: stepFailure(flow, step, problem), at: placeOf(step) },
            };
            break;
          }
          sizes.set(name, own);
          ctx[name] = value;
          written.add(name);
        }
      this.#count(step, end);
      this.#ports.came?.(`${above}${step.id}`, { kind: end.kind, problem: problemOf(end) });
      if (end.kind === "ended") return end.walked;
      if (end.kind === "failed" && step.on_error === "abort")
        return { kind: "failed", failure: end.failure, at: placeOf(step) };
    }
    const result = resultOf(flow, ctx, written);
    return result.ok ? { kind: "done", result: result.value } : { kind: "failed", failure: result.error, at: null };
  }

  #count(step: Step, end: StepEnd): void {
    if (end.kind === "skipped" || end === WAITING) return;
    this.#counts.steps += 1;
    this.#ports.counted(step, end.kind === "written" ? "success" : "error");
  }

  async #step(step: Step, ctx: JsonObject, flow: Flow, inputs: JsonObject, above: string): Promise<StepEnd> {
    const next = nextOf(step, ctx);
    const path = `${above}${step.id}`;
    switch (next.kind) {
      case "skip":
        return SKIPPED;
      case "fail":
        return { kind: "failed", failure: stepFailure(flow, step, next.problem) };
      case "write":
        if (this.#counts.steps % FLOW_LIMITS.steps_at_once === FLOW_LIMITS.steps_at_once - 1)
          await this.#ports.breathe();
        return { kind: "written", values: next.values };
      case "flow":
        return this.#subflow(next.step.flow_id, next.inputs, step, flow, `${path}/`);
      case "block":
        return this.#block(next.step, next.input, flow, inputs, path);
      case "approval":
        return this.#approval(next, flow, path);
    }
  }

  async #subflow(flow_id: string, inputs: JsonObject, step: Step, caller: Flow, path: string): Promise<StepEnd> {
    const flow = this.#closure.flows[flow_id];
    if (flow === undefined)
      return { kind: "failed", failure: stepFailure(caller, step, `there is no flow ${flow_id}`) };
    const walked = await this.flow(flow, inputs, path);
    if (walked.kind === "done")
      return { kind: "written", values: step.output === null ? {} : { [step.output]: walked.result } };
    // What ends the whole run is nothing that a step may pass over.
    if (walked.kind === "waiting") return WAITING;
    if (walked.kind === "interrupted" || walked.failure.code === "RUMI-FLOW-004") return { kind: "ended", walked };
    return {
      kind: "failed",
      failure: stepFailure(caller, step, failureText(walked.failure, "en").text, walked.failure.code),
    };
  }

  /** What a person decided; where nobody was asked yet, somebody is now. */
  async #approval(
    { step, question, details }: Extract<Next, { readonly kind: "approval" }>,
    flow: Flow,
    path: string,
  ): Promise<StepEnd> {
    const decided = this.#ports.recorded(path);
    if (decided === undefined) {
      const asked = await this.#ports.ask(step, path, question, details);
      return asked === null ? WAITING : { kind: "failed", failure: stepFailure(flow, step, asked) };
    }
    if (decided.error !== null) return { kind: "failed", failure: stepFailure(flow, step, decided.error) };
    return { kind: "written", values: step.output === null ? {} : { [step.output]: decided.output } };
  }

  async #block(step: CallStep, input: Json, flow: Flow, inputs: JsonObject, path: string): Promise<StepEnd> {
    const recorded = this.#ports.recorded(path) ?? (await this.#call(step, input, flow, inputs, path));
    if ("kind" in recorded) return recorded;
    if (recorded.error !== null) return { kind: "failed", failure: stepFailure(flow, step, recorded.error) };
    const reason = abortReason(recorded.output);
    if (reason !== undefined) {
      const aborted = failure("RUMI-FLOW-014", { flow_id: flow.flow_id, step_id: step.id, reason });
      return { kind: "ended", walked: { kind: "failed", failure: aborted, at: placeOf(step) } };
    }
    return { kind: "written", values: step.output === null ? {} : { [step.output]: recorded.output } };
  }

  /** Calls it and records what came of it; a failure that ends the run is told with the run's end. */
  async #call(
    step: CallStep,
    input: Json,
    flow: Flow,
    inputs: JsonObject,
    path: string,
  ): Promise<RecordedStep | StepEnd> {
    const began = this.#ports.now_us();
    const outcome = await this.#ports.call(step, input, { flow, inputs, path });
    const duration_us = Math.max(0, Math.round(this.#ports.now_us() - began));
    const stopped = this.#ports.stopped();
    if (outcome.kind === "failed" && stopped !== undefined) {
      const walked: Walked =
        stopped === "interrupted" ? { kind: "interrupted" } : { kind: "failed", failure: stopped, at: placeOf(step) };
      return { kind: "ended", walked };
    }
    if (outcome.kind === "failed" && step.on_error === "abort")
      return { kind: "failed", failure: stepFailure(flow, step, outcome.problem, outcome.error_code) };
    const recorded: RecordedStep =
      outcome.kind === "output"
        ? { path, output: outcome.output, error: null, duration_us }
        : { path, output: null, error: outcome.problem, duration_us };
    this.#ports.record(step, recorded);
    return recorded;
  }
}

function problemOf(end: StepEnd): string | null {
  const failed =
    end.kind === "failed"
      ? end.failure
      : end.kind === "ended" && end.walked.kind === "failed"
        ? end.walked.failure
        : null;
  return failed === null ? null : failureText(failed, "en").text;
}

function placeOf(step: Step): Place {
  return { step_id: step.id, phase: step.phase, owner_pack: ownerOf(step) };
}

function stepFailure({ flow_id }: Flow, { id }: Step, problem: string, caused_by: ErrorCode | null = null): Failure {
  const text = problem.slice(0, FLOW_LIMITS.error_characters);
  return failure(
    "RUMI-FLOW-003",
    { flow_id, step_id: id, problem: text },
    caused_by === null ? {} : { details: { caused_by } },
  );
}
