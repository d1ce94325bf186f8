/**
 * Wishes of flows and packs that are commands of the one pipeline, as a person's are: judged, audited, done once.
 *
 * The pipeline is made of declarations, some of which need these; so it is attached once it is there.
 */
import { err, failure, sha256Hex, type Failure, type Json, type JsonObject, type Result } from "@rumi/kernel";
import type { Answer, Pipeline, Principal, Registry } from "@rumi/operations";
import type { CallKernel, ImportProposal, RunDue, RunFlow } from "@rumi/platform";

export type InnerCommands = {
  readonly attach: (pipeline: Pipeline, registry: Registry) => void;
  readonly kernel: CallKernel;
  readonly runFlow: RunFlow;
  readonly runDue: RunDue;
  readonly importProposal: ImportProposal;
};
type Wish = {
  readonly name: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  readonly principal: Principal;
  readonly trace_id: string;
  readonly key: string | null;
};

/** Name of a handler → the operation or query that answers. */
const KERNEL: Readonly<Record<string, string>> = { "lib.list_records": "lib.records", "lib.clear_record": "lib.clear" };

export function innerCommands(newId: () => string): InnerCommands {
  let attached: { readonly pipeline: Pipeline; readonly registry: Registry } | undefined;
  const ask = async ({ name, params = {}, body, principal, trace_id, key }: Wish): Promise<Result<Json, Failure>> => {
    if (attached === undefined) return err(failure("RUMI-FLOW-006", { problem: "the program begins" }));
    const { pipeline, registry } = attached;
    const operation = registry.operations.get(name);
    const query = registry.queries.get(name);
    if (operation !== undefined)
      return outcomeOf(
        await pipeline.execute(operation, {
          raw: { params, query: {}, body },
          principal,
          idempotencyKey: key === null ? null : sha256Hex(key).slice(0, 32),
          trace_id,
          remote: "inside",
        }),
      );
    if (query === undefined) return err(failure("RUMI-SYS-011", { what: "operation", id: name }));
    const texts = Object.fromEntries(
      Object.entries(body).map(([member, value]) => [
        member,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    );
    return outcomeOf(
      await pipeline.query(query, { raw: { params, query: texts, body: undefined }, principal, trace_id }),
    );
  };
  return {
    attach: (pipeline, registry) => void (attached = { pipeline, registry }),
    // Whoever ran the flow was an operator then, and a kernel's handler asks for no more.
    kernel: ({ name, args, actor, trace_id, key }) =>
      ask({ name: KERNEL[name] ?? name, body: args, principal: { id: actor, roles: ["operator"] }, trace_id, key }),
    runDue: ({ flow_id, reason, key }) =>
      ask({
        name: "flows.run",
        params: { flow_id },
        body: { reason },
        principal: { id: "system:scheduler", roles: ["operator"] },
        trace_id: newId(),
        key,
      }),
    // What the grant of proposing lets a pack do is an import; nothing of it is used before people apply and approve it.
    importProposal: ({ principal, path, reason, trace_id }) =>
      ask({
        name: "packs.import",
        body: { path, reason },
        principal: { id: `pack:${principal}`, roles: ["admin"] },
        trace_id: trace_id ?? newId(),
        key: null,
      }),
    // The grant of flow.run is what lets the pack; it names each flow.
    runFlow: ({ principal, flow_id, inputs, timeout, trace_id, key }) =>
      ask({
        name: "flows.run",
        params: { flow_id },
        body: { inputs, timeout },
        principal: { id: `pack:${principal}`, roles: ["operator"] },
        trace_id: trace_id ?? newId(),
        key,
      }),
  };
}

function outcomeOf(answer: Answer): Result<Json, Failure> {
  return answer.kind === "refused" ? err(answer.failure) : { ok: true, value: answer.data as Json };
}
