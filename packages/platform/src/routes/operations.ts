/** What an operator may do with packs' routes: see them, have them read again, and call one, which is how the server serves them. */
import { err, failure, failureText, invariant, ok, type Failure, type Result } from "@rumi/kernel";
import {
  defineOperation,
  defineQuery,
  type Declaration,
  type LoadContext,
  type OperationDefinition,
} from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type, type Static } from "@sinclair/typebox";
import { findFlow } from "../flows/catalogue.ts";
import type { FlowSources } from "../flows/sources.ts";
import type { PackLibrary } from "../packs/library.ts";
import { ROUTE_METHODS, routeInputs, type PackRoute, type RouteTable } from "./model.ts";
import type { PackRoutes } from "./table.ts";

export type RouteDeps = {
  readonly routes: PackRoutes;
  readonly library: Pick<PackLibrary, "verify">;
  readonly sources: FlowSources;
};

const closed = { additionalProperties: false } as const;
const OPEN = { additionalProperties: true } as const;
const Count = Type.Integer({ minimum: 0 });
const Method = Type.Union(ROUTE_METHODS.map((method) => Type.Literal(method)));
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const nullable = <T extends ReturnType<typeof Type.String>>(of: T) => Type.Union([of, Type.Null()]);

const RoutesAnswer = Type.Object(
  {
    routes: Type.Array(
      Type.Object(
        {
          pack_id: Type.String(),
          method: Method,
          path: Type.String(),
          flow_id: Type.String(),
          description: Type.String(),
          timeout: Type.Integer(),
        },
        OPEN,
      ),
    ),
    count: Count,
    problems: Type.Array(
      Type.Object(
        {
          pack_id: Type.String(),
          method: nullable(Type.String()),
          path: nullable(Type.String()),
          error_code: Type.String(),
          error: Type.String(),
          suggestion: Type.String(),
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);
const CallInput = Type.Object(
  {
    method: Method,
    path: Type.String({ pattern: "^/", maxLength: 2_048, description: "As it would be sent, without a query." }),
    headers: Type.Optional(Type.Record(Type.String({ maxLength: 256 }), Type.String({ maxLength: 16_384 }))),
    raw_body: Type.Optional(Type.String()),
    reason: ReasonField,
  },
  closed,
);

/** What runs a flow is the operation that runs one, judged and carried out as that. */
type RunOperation = OperationDefinition;

export function routeDeclarations(deps: RouteDeps, flows: readonly Declaration[]): readonly Declaration[] {
  const found = flows.find(({ name }) => name === "flows.run");
  invariant(found?.kind === "operation", "flows.run is an operation");
  const run = found as RunOperation;
  return [listRoutes(deps), reloadRoutes(deps), callRoute(deps, run)];
}

const listRoutes = ({ routes }: RouteDeps): Declaration =>
  defineQuery({
    name: "routes.list",
    summary: "The HTTP routes of packs, and those that were refused with their reasons",
    http: { method: "GET", path: "/api/routes" },
    input: Type.Object({}, closed),
    output: RoutesAnswer,
    permission: ["view_only", "operator", "admin"],
    read: () => Promise.resolve(ok(tableView(routes.current()))),
  });

const reloadRoutes = ({ routes }: RouteDeps): Declaration =>
  defineOperation({
    name: "routes.reload",
    summary: "Read the routes of all approved packs again",
    http: { method: "POST", path: "/api/routes/reload" },
    input: Type.Object({ reason: ReasonField }, closed),
    output: RoutesAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target: () => ({ resource_type: "pack_route", resource_id: "*" }),
    gates: [],
    load: () => routes.reload(),
    decide: (table) => ok({ writes: [], events: [], outbox: [], data: tableView(table) }),
  });

function tableView({ routes, problems }: RouteTable) {
  return {
    routes: routes.map(({ timeout_seconds, ...route }) => ({ ...route, timeout: timeout_seconds })),
    count: routes.length,
    problems: problems.map(({ pack_id, method, path, failure: why }) => {
      const { text, next } = failureText(why, "en");
      return { pack_id, method, path, error_code: why.code, error: text, suggestion: next };
    }),
  };
}

type RunInput = { readonly flow_id: string; readonly inputs: object; readonly timeout: number };
type CallFacts = Result<{ readonly input: RunInput; readonly facts: unknown }, Failure>;

const callRoute = (deps: RouteDeps, run: RunOperation): Declaration =>
  defineOperation({
    name: "routes.call",
    summary: "Call a pack's route as a request to its own path would",
    http: { method: "POST", path: "/api/routes/call" },
    input: CallInput,
    output: run.output,
    envelope: "flat",
    key: "header",
    permission: run.permission,
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target: ({ method, path }) => ({ resource_type: "pack_route", resource_id: `${method} ${path}`.slice(0, 256) }),
    turns: "none",
    ...(run.claimed === undefined ? {} : { claimed: run.claimed }),
    gates: [],
    load: (reader, input, context): Promise<CallFacts> => prepared(reader, input, context, deps, run),
    decide: (found: CallFacts, _input, context) =>
      found.ok ? run.decide(found.value.facts, found.value.input, context) : found,
    ...(run.settle === undefined ? {} : { settle: run.settle }),
  });

async function prepared(
  reader: Reader,
  call: Static<typeof CallInput>,
  context: LoadContext,
  deps: RouteDeps,
  run: RunOperation,
): Promise<CallFacts> {
  const { method, path } = call;
  const found = deps.routes.match(method, path);
  if (found.kind === "none") return err(failure("RUMI-SYS-004", { method, path: path.slice(0, 200) }));
  if (found.kind === "methods")
    return err(failure("RUMI-SYS-013", { method, path: path.slice(0, 200), allowed: found.allowed.join(", ") }));
  const own = await ownFlow(found.route, deps);
  if (!own.ok) return own;
  const inputs = routeInputs(call, found.params, own.value.inputs);
  if (!inputs.ok) return inputs;
  const { flow_id, timeout_seconds } = found.route;
  const input: RunInput = { flow_id, inputs: inputs.value, timeout: timeout_seconds };
  return ok({ input, facts: await run.load(reader, input, context) });
}

/** The pack is as it was approved, and the flow is one that it brought. */
async function ownFlow({ pack_id, flow_id, method, path }: PackRoute, { library, sources }: RouteDeps) {
  const verified = await library.verify(pack_id);
  if (!verified.ok) return verified;
  const known = findFlow(await sources.recent(), flow_id);
  // A route that is served has its flow: where that is not known yet, the pack was approved only just now.
  const flow = known.ok ? known : findFlow(await sources.refresh(), flow_id);
  if (flow.ok && flow.value.owner_pack !== pack_id)
    return err(failure("RUMI-PACK-031", { pack_id, method, path, flow_id }));
  return flow.ok ? ok(flow.value.flow) : flow;
}
