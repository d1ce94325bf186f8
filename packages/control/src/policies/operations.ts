/**
 * Reading, trying and changing the policies. A change is dangerous: whoever confirms it has seen every recorded command
 * whose answer would be another.
 */
import { digestOf, err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { CONFIRMATION_FACTORS, defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { write, type Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { iso, RISK_PHRASE } from "../challenges/model.ts";
import { CLOSED, CommandIdField, noDanger, ReasonField } from "../shared/fields.ts";
import { jsonOf, type Sql } from "../shared/sql.ts";
import { compilePolicies, tooDeep, type CompiledPolicies } from "./cedar.ts";
import { isSpoilt, triedPolicyEngine } from "./engine.ts";
import { POLICY_LIMITS } from "./limits.ts";
import type { PolicySchema } from "./schema.ts";
import { recordedCommands, simulate, type Simulation } from "./simulate.ts";
import { readPolicy, type AddedConfirmation, type PolicyRow, type PolicyTables } from "./tables.ts";
import { PoliciesAnswer, PolicyAnswer, SimulationAnswer } from "./answers.ts";

export type PolicyDeps = { readonly environment: string; readonly schema: () => PolicySchema };

export function policyDeclarations(deps: PolicyDeps): readonly Declaration[] {
  return [showPolicy, listPolicies, simulatePolicy(deps), setPolicy(deps)];
}

const CedarField = Type.String({
  maxLength: POLICY_LIMITS.text_characters,
  description: 'Cedar policies, each with an @id("…"); empty: roles decide alone.',
});
const ConfirmationsField = Type.Array(
  Type.Object(
    {
      operation: Type.String({ pattern: "^(\\*|[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)+)$" }),
      requires: Type.Array(Type.Union(CONFIRMATION_FACTORS.map((factor) => Type.Literal(factor))), {
        minItems: 1,
        maxItems: CONFIRMATION_FACTORS.length,
        uniqueItems: true,
      }),
    },
    CLOSED,
  ),
  { maxItems: 200, default: [], description: "Factors that dangerous operations take beyond those they declare." },
);
const target = () => ({ resource_type: "policy", resource_id: "all" });

function policyView(row: PolicyRow | undefined) {
  if (row === undefined) return { version: 0, cedar: "", confirmations: [], digest: digestOf("") };
  const { created_at, confirmations, ...rest } = row;
  return { ...rest, confirmations: jsonOf<readonly AddedConfirmation[]>(confirmations), created_at: iso(created_at) };
}

const showPolicy: Declaration = defineQuery({
  name: "policies.show",
  summary: "The policies in force",
  http: { method: "GET", path: "/api/policies" },
  input: Type.Object({}, CLOSED),
  output: PolicyAnswer,
  permission: ["operator", "admin", "break_glass"],
  read: async (reader, _input, { store }) => ok(policyView(await readPolicy(reader, store))),
});

const listPolicies: Declaration = defineQuery({
  name: "policies.list",
  summary: "Every version of the policies, newest first",
  http: { method: "GET", path: "/api/policies/versions" },
  input: Type.Object(
    {
      before_version: Type.Optional(Type.Integer({ minimum: 1 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    },
    CLOSED,
  ),
  output: PoliciesAnswer,
  permission: ["operator", "admin", "break_glass"],
  read: async (reader, { before_version, limit = 50 }, { store }) => {
    let query = store
      .builder<PolicyTables>()
      .selectFrom("policy_version")
      .selectAll()
      .orderBy("version", "desc")
      .limit(limit);
    if (before_version !== undefined) query = query.where("version", "<", before_version);
    const versions = (await reader.rows<PolicyRow>(query)).map(policyView);
    return ok({ versions, count: versions.length });
  },
});

type Facts = {
  readonly current: PolicyRow | undefined;
  readonly proposed: Result<CompiledPolicies | null, Failure>;
  readonly simulation: Simulation | null;
};

/** Compiles what is proposed beside what is in force, and replays the recorded commands over both. */
async function load(deps: PolicyDeps, reader: Reader, sql: Sql, cedar: string): Promise<Facts> {
  const schema = deps.schema();
  const current = await readPolicy(reader, sql);
  const recorded = await recordedCommands(reader, sql, (name) => schema.actions.includes(name));
  const engine = triedPolicyEngine();
  // Nothing is awaited from here on: the engine's slots are used while they hold what was put there.
  const compile = (text: string, slot: string): Result<CompiledPolicies | null, Failure> =>
    text === "" ? ok(null) : compilePolicies(engine, text, schema, slot);
  const proposed = compile(cedar, "proposed");
  if (!proposed.ok) return { current, proposed, simulation: null };
  const before = compile(current?.cedar ?? "", "compared");
  // What is in force and broken denies everything: every recorded command is compared with that.
  const simulation = simulate(recorded, before.ok ? before.value : BROKEN, proposed.value);
  return isSpoilt(engine) ? { current, proposed: tooDeep(), simulation: null } : { current, proposed, simulation };
}
const BROKEN: CompiledPolicies = {
  digest: "",
  ids: [],
  looksAtResource: false,
  decide: () => ({ kind: "error", problem: "the policies in force cannot be compiled" }),
};

const simulatePolicy = (deps: PolicyDeps): Declaration =>
  defineOperation({
    name: "policies.simulate",
    summary: "Try other policies on the recorded commands; nothing changes",
    http: { method: "POST", path: "/api/policies/simulate" },
    input: Type.Object({ cedar: CedarField }, CLOSED),
    output: SimulationAnswer,
    key: "header",
    permission: ["operator", "admin", "break_glass"],
    // It only looks.
    risk: () => "tighten",
    danger: noDanger,
    target,
    gates: [],
    load: (reader, { cedar }, { store }) => load(deps, reader, store, cedar),
    decide: ({ current, proposed, simulation }: Facts) =>
      proposed.ok
        ? ok({
            writes: [],
            events: [],
            outbox: [],
            data: { base_version: current?.version ?? 0, policies: proposed.value?.ids ?? [], ...simulation },
          })
        : proposed,
  });

const setPolicy = (deps: PolicyDeps): Declaration =>
  defineOperation({
    name: "policies.set",
    summary: "Put other policies in force; dangerous, so it is confirmed",
    http: { method: "POST", path: "/api/policies/set" },
    input: Type.Object(
      { command_id: CommandIdField, cedar: CedarField, confirmations: ConfirmationsField, reason: ReasonField },
      CLOSED,
    ),
    output: PolicyAnswer,
    key: "command_id",
    permission: ["admin"],
    safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
    risk: () => "neutral",
    danger: (_input, { current, proposed }: Facts) =>
      // What cannot be compiled is refused as it stands.
      proposed.ok
        ? { kind: "confirm", requires: ["phrase"], phrase: RISK_PHRASE, base: { version: current?.version ?? 0 } }
        : { kind: "none" },
    target,
    gates: [],
    load: (reader, { cedar }, { store }) => load(deps, reader, store, cedar),
    preview: ({ current, proposed, simulation }) => ({
      from_version: current?.version ?? 0,
      policies: proposed.ok ? (proposed.value?.ids ?? []) : null,
      ...simulation,
    }),
    decide: ({ current, proposed }, { cedar, confirmations, reason }, { now, principal, store }) => {
      if (!proposed.ok) return proposed;
      const known = deps.schema().actions;
      const unknown = confirmations.find(({ operation }) => operation !== "*" && !known.includes(operation));
      if (unknown !== undefined)
        return err(failure("RUMI-AUTH-013", { problem: `there is no operation ${unknown.operation}` }));
      const row: PolicyRow = {
        version: (current?.version ?? 0) + 1,
        environment: deps.environment,
        cedar,
        confirmations: JSON.stringify(confirmations),
        digest: digestOf(cedar),
        reason,
        created_at: now,
        created_by: principal.id,
      };
      const { version, digest } = row;
      return ok({
        writes: [write(store.builder<PolicyTables>().insertInto("policy_version").values(row), 1)],
        events: [
          {
            action: "policy.activated",
            ...target(),
            outcome: "SUCCESS",
            details: {
              version,
              digest,
              from_version: current?.version ?? 0,
              policies: [...(proposed.value?.ids ?? [])],
            },
          },
        ],
        outbox: [],
        data: policyView(row),
      });
    },
  });
