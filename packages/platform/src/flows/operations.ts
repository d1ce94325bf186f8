/** What an operator may do with flows: see them, run one and hear what came of it, see its runs. */
import { err, failure, failureText, ok, sha256Hex, type Failure, type JsonObject, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { approvalDeclarations } from "./approval-operations.ts";
import type { Computed } from "./at-once.ts";
import { FlowRunAnswer, FlowRunsAnswer, FlowsAnswer } from "./answers.ts";
import { findFlow, type FlowEntry } from "./catalogue.ts";
import { detailDeclarations, flowView } from "./detail.ts";
import { unavailable, type Admitted, type FlowAnswer, type FlowEngine } from "./engine.ts";
import { RUN_OPERATION } from "./events.ts";
import { inputsOf } from "./evaluate.ts";
import type { FlowDeps } from "./deps.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { listModifiers } from "./modifiers/operations.ts";
import { listSchedules } from "./schedule/operations.ts";
import { FLOW_ID_PATTERN } from "./schema.ts";
import type { FlowSources } from "./sources.ts";
import { stopDeclaration } from "./stop.ts";
import { targetDeclarations } from "./steps/targets.ts";
import { admitRun, countRunning, insertEnded, instantOf, readRuns, readSteps, type AskedRun } from "./tables.ts";

const closed = { additionalProperties: false } as const;
const FlowIdField = Type.String({ pattern: FLOW_ID_PATTERN });
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const READERS = ["view_only", "operator", "admin"] as const;

export function flowDeclarations(deps: FlowDeps): readonly Declaration[] {
  return [
    listFlows(deps),
    runFlow(deps),
    listRuns(),
    ...detailDeclarations(deps),
    stopDeclaration(deps),
    listSchedules(),
    listModifiers(deps.sources),
    ...approvalDeclarations(),
    ...targetDeclarations(),
  ];
}

const listFlows = ({ sources }: FlowDeps): Declaration =>
  defineQuery({
    name: "flows.list",
    summary: "Every flow of this home, and every flow file that was refused with its reason",
    http: { method: "GET", path: "/api/flows" },
    input: Type.Object({}, closed),
    output: FlowsAnswer,
    permission: READERS,
    read: async () => {
      const { entries, problems } = await sources.refresh();
      const flows = [...entries.values()].map(flowView).toSorted((a, b) => (a.flow_id < b.flow_id ? -1 : 1));
      const refused = problems.map(({ flow_id, source, path, failure: why }) => {
        const { text, next } = failureText(why, "en");
        return { flow_id, source, path, error_code: why.code, error: text, suggestion: next };
      });
      return ok({ flows, count: flows.length, problems: refused });
    },
  });

type Facts = {
  readonly found: Result<FlowEntry, Failure>;
  readonly running: number;
  /** What comes of it, where its steps only compute. */
  readonly computed: Computed | undefined;
};
/** What a decision leaves to the settling of this one answer. */
type Left = { readonly run_id: string; readonly computed?: Computed; readonly admitted?: Admitted };

const runFlow = ({ sources, engine, library, max_concurrent }: FlowDeps): Declaration =>
  defineOperation({
    name: RUN_OPERATION,
    summary: "Run a flow and wait for what comes of it",
    http: { method: "POST", path: "/api/flows/{flow_id}/run" },
    input: Type.Object(
      {
        flow_id: FlowIdField,
        inputs: Type.Optional(Type.Object({}, { additionalProperties: true })),
        timeout: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: FLOW_LIMITS.timeout_seconds,
            description: "Seconds; 300 where nothing is said.",
          }),
        ),
        reason: ReasonField,
      },
      closed,
    ),
    output: FlowRunAnswer,
    envelope: "flat",
    error_extras: ({ flow_id }) => (flow_id === undefined ? {} : { flow_id }),
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target: ({ flow_id }) => ({ resource_type: "flow", resource_id: flow_id }),
    turns: "none",
    // Nothing of a run is done before its row is durable.
    claimed: "with_outcome",
    gates: [],
    load: async (reader, input, { store }): Promise<Facts> => {
      const found = await present(input.flow_id, sources, engine, library);
      const running = await countRunning(reader, store);
      const isWell = found.ok && running < max_concurrent && inputsOf(found.value.flow, givenTo(input)).ok;
      const asked = { inputs: givenTo(input), timeout_seconds: timeoutOf(input) };
      const computed = isWell
        ? await engine.compute({ ...asked, closure: found.value.closure, flow_id: found.value.flow.flow_id })
        : undefined;
      return { found, running, computed };
    },
    decide: ({ found, running, computed }: Facts, input, context) => {
      if (!found.ok) return found;
      const { flow, closure } = found.value;
      const inputs = givenTo(input);
      const fitting = inputsOf(flow, inputs);
      if (!fitting.ok) return fitting;
      if (running >= max_concurrent) return err(failure("RUMI-FLOW-005", { limit: max_concurrent, seconds: 1 }));
      const run_id = context.newId();
      const run: AskedRun = {
        run_id,
        flow_id: flow.flow_id,
        definition: closure.digest,
        actor: context.principal.id,
        trace_id: context.trace_id,
        command_id: context.command_id,
        inputs,
        timeout_seconds: timeoutOf(input),
        requested_at: computed?.requested_at ?? context.now,
      };
      const data = { flow_id: flow.flow_id, result: {}, execution_time: 0, run_id };
      if (computed === undefined)
        return ok({
          writes: admitRun(context.store, run, closure, max_concurrent),
          events: [],
          outbox: [],
          data,
          once: { admitted: { run, closure } },
        });
      const event = {
        ...computed.event,
        resource_type: "flow",
        resource_id: flow.flow_id,
        run_id,
        untold: true as const,
      };
      return ok({
        writes: insertEnded(context.store, run, closure, computed),
        events: [event],
        outbox: [],
        data,
        once: { computed },
      });
    },
    settle: async (data): Promise<Result<FlowAnswer, Failure>> => {
      const { run_id, computed, admitted } = data as Left;
      return computed === undefined ? engine.carry(run_id, admitted) : engine.told(computed);
    },
    success: [200, 202],
    settled_status: (answer) => ((answer as FlowAnswer).state === "waiting" ? 202 : 200),
  });

const givenTo = ({ inputs }: { readonly inputs?: object }): JsonObject => (inputs ?? {}) as JsonObject;
const timeoutOf = ({ timeout }: { readonly timeout?: number }): number =>
  timeout ?? FLOW_LIMITS.default_timeout_seconds;

/** The flow as it is now; one that came with a pack only while that is as it was approved. */
async function present(
  flow_id: string,
  sources: FlowSources,
  engine: FlowEngine,
  library: FlowDeps["library"],
): Promise<Result<FlowEntry, Failure>> {
  if (!engine.isOpen()) return err(unavailable("the program stops"));
  if (sources.current() === undefined) return err(unavailable("flows are being read"));
  const found = findFlow(await sources.recent(), flow_id);
  const again = !found.ok && found.error.code === "RUMI-FLOW-001" ? findFlow(await sources.refresh(), flow_id) : found;
  if (!again.ok) return again;
  if (again.value.owner_pack !== null) {
    const pack = await library.verify(again.value.owner_pack);
    if (!pack.ok) return pack;
  }
  return (await areModifiersWell(again.value, library)) ? again : findFlow(await sources.refresh(), flow_id);
}

/** A pack that is not as it was approved changes no flow: it is modified from then on, and the flows are read again. */
async function areModifiersWell({ modifiers }: FlowEntry, library: FlowDeps["library"]): Promise<boolean> {
  const packs = new Set(modifiers.flatMap(({ owner_pack }) => owner_pack ?? []));
  const verified = await Promise.all([...packs].map((pack_id) => library.verify(pack_id)));
  return verified.every(({ ok: isWell }) => isWell);
}

const listRuns = (): Declaration =>
  defineQuery({
    name: "flows.runs",
    summary: "The newest runs of a flow, and which of its blocks are done",
    http: { method: "GET", path: "/api/flows/{flow_id}/runs" },
    input: Type.Object({ flow_id: FlowIdField }, closed),
    output: FlowRunsAnswer,
    permission: READERS,
    read: async (reader, { flow_id }, { store }) => {
      const runs = await readRuns(reader, store, flow_id);
      const steps = await readSteps(
        reader,
        store,
        runs.map(({ run_id }) => run_id),
      );
      const views = runs.map((run) => ({
        run_id: run.run_id,
        flow_id,
        state: run.state,
        actor: run.actor,
        command_id: run.command_id,
        trace_id: run.trace_id,
        requested_at: instantOf(run.requested_at),
        finished_at: run.finished_at === null ? null : instantOf(run.finished_at),
        timeout_seconds: run.timeout_seconds,
        error_code: run.answer?.kind === "failed" ? run.answer.failure.code : null,
        blocks: steps
          .filter((step) => step.run_id === run.run_id)
          .map(({ path, output, error, duration_us }) => ({
            path,
            output_sha256: error === null ? sha256Hex(JSON.stringify(output)) : null,
            error,
            duration_ms: duration_us / 1_000,
          })),
      }));
      return ok({ runs: views, count: views.length });
    },
  });
