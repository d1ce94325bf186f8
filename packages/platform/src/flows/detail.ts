/** One flow with its steps as they depend on each other, and one run of it with what each step came to. */
import { err, failure, failureText, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { approvalsOfRun } from "./approvals.ts";
import { FlowDefinitionAnswer, FlowRunDetailAnswer } from "./answers.ts";
import { findFlow, type FlowEntry } from "./catalogue.ts";
import type { FlowDeps } from "./deps.ts";
import { scheduleText } from "./schedule/cron.ts";
import { FLOW_ID_PATTERN } from "./schema.ts";
import { calledBy } from "./steps/model.ts";
import { instantOf, readDefinition, readRun, readSteps } from "./tables.ts";
import { approvalView } from "./waiting.ts";

const closed = { additionalProperties: false } as const;
const READERS = ["view_only", "operator", "admin"] as const;

export const detailDeclarations = (deps: FlowDeps): readonly Declaration[] => [showDefinition(deps), showRun(deps)];

export function flowView({
  flow,
  source,
  path,
  owner_pack,
  digest,
  warnings,
  modifiers,
  closure,
  schedule,
}: FlowEntry) {
  return {
    flow_id: flow.flow_id,
    source,
    path,
    owner_pack,
    digest,
    phases: flow.phases,
    steps: flow.steps.map(({ id, phase, type }) => ({ id, phase, type })),
    inputs: flow.inputs,
    outputs: flow.outputs === null ? null : Object.keys(flow.outputs),
    schedule: schedule === null ? null : scheduleText(schedule),
    warnings,
    modifiers: modifiers.map(({ modifier }) => modifier.modifier_id),
    definition: closure.digest,
  };
}

const showDefinition = ({ sources }: FlowDeps): Declaration =>
  defineQuery({
    name: "flows.definition",
    summary: "One flow: its inputs, and its steps in their order with what each depends on and calls",
    http: { method: "GET", path: "/api/flows/{flow_id}/definition" },
    input: Type.Object({ flow_id: Type.String({ pattern: FLOW_ID_PATTERN }) }, closed),
    output: FlowDefinitionAnswer,
    permission: READERS,
    read: async (_reader, { flow_id }) => {
      const found = findFlow(await sources.refresh(), flow_id);
      if (!found.ok) return found;
      const steps = found.value.flow.steps.map((step) => ({
        id: step.id,
        phase: step.phase,
        type: step.type,
        priority: step.priority,
        depends_on: step.depends_on,
        conditional: step.when !== null,
        on_error: step.on_error,
        output: step.output,
        calls: calledBy(step),
      }));
      return ok({ ...flowView(found.value), steps });
    },
  });

const showRun = ({ engine }: FlowDeps): Declaration =>
  defineQuery({
    name: "flows.run_show",
    summary: "One run of a flow: its inputs, what each step came to, what it waits for, its result or why it failed",
    http: { method: "GET", path: "/api/flow-runs/{run_id}" },
    input: Type.Object({ run_id: Type.String({ minLength: 1, maxLength: 64 }) }, closed),
    output: FlowRunDetailAnswer,
    permission: READERS,
    read: async (reader, { run_id }, { store }) => {
      const run = await readRun(reader, store, run_id);
      if (run === undefined) return err(failure("RUMI-SYS-011", { what: "run of a flow", id: run_id }));
      const closure = await readDefinition(reader, store, run.definition);
      const records = await readSteps(reader, store, [run_id]);
      const traced = closure === undefined ? { steps: [], truncated: true } : await engine.trace(run, closure, records);
      const { answer } = run;
      const told = answer?.kind === "failed" ? failureText(answer.failure, "en") : null;
      return ok({
        run_id,
        flow_id: run.flow_id,
        state: run.state,
        actor: run.actor,
        command_id: run.command_id,
        trace_id: run.trace_id,
        requested_at: instantOf(run.requested_at),
        finished_at: run.finished_at === null ? null : instantOf(run.finished_at),
        timeout_seconds: run.timeout_seconds,
        definition: run.definition,
        inputs: run.inputs,
        result: answer?.kind === "done" ? answer.result : null,
        truncated: answer?.kind === "done" && answer.truncated,
        execution_time: answer?.kind === "done" ? answer.execution_time : null,
        failure:
          answer?.kind === "failed" && told !== null
            ? { error_code: answer.failure.code, error: told.text, suggestion: told.next }
            : null,
        steps: traced.steps.map(({ path, state, error, duration_us }) => ({
          path,
          state,
          error,
          duration_ms: duration_us === null ? null : duration_us / 1_000,
        })),
        steps_truncated: traced.truncated,
        approvals: (await approvalsOfRun(reader, store, run_id)).map(approvalView),
      });
    },
  });
