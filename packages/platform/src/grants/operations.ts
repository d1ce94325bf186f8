/** What an operator may do with capability grants, as the Operations Guide prints it. */
import { err, failure, failureText, isoFromMicros, micros, ok, type Failure, type Result } from "@rumi/kernel";
import {
  defineOperation,
  defineQuery,
  type Danger,
  type DecideContext,
  type Declaration,
  type EventDraft,
} from "@rumi/operations";
import type { Reader, Store, Write } from "@rumi/store";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { LiveBotsUsing } from "../packs/library.ts";
import type { PackState } from "../packs/model.ts";
import { readPacks } from "../packs/tables.ts";
import {
  effectiveGrant,
  grantEvent,
  GRANT_LIMITS,
  packOfPrincipal,
  PRINCIPAL_PATTERN,
  type CapabilityGrant,
} from "./model.ts";
import { parseGrantConfig, PERMISSION_PATTERN } from "./permissions.ts";
import { readGrants, removeGrant, saveGrant } from "./tables.ts";

const closed = { additionalProperties: false } as const;
const open = { additionalProperties: true } as const;
const Principal = Type.String({ pattern: PRINCIPAL_PATTERN, description: "A pack, or `parent__child` of one." });
const Permission = Type.String({ pattern: PERMISSION_PATTERN });
const Config = Type.Record(Type.String(), Type.Unknown(), {
  description: "Lists of texts, numbers, true and false; what it does not name is not allowed.",
});
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const wished = { principal_id: Principal, permission_id: Permission, config: Type.Optional(Config) };
const Wished = Type.Object(wished, closed);

const GrantAnswer = Type.Object(
  {
    principal_id: Type.String(),
    permission_id: Type.String(),
    config: Config,
    granted_at: Type.String({ description: "RFC 3339, UTC." }),
    granted_by: Type.String(),
  },
  open,
);
const ListedGrant = Type.Object(
  {
    ...GrantAnswer.properties,
    in_force: Type.Boolean(),
    why_not: Type.Union([Type.String(), Type.Null()]),
    effective_config: Type.Union([Config, Type.Null()], { description: "What is left of it under all ancestors." }),
  },
  open,
);
const GrantsAnswer = Type.Object({ grants: Type.Array(ListedGrant), count: Type.Integer({ minimum: 0 }) }, open);
const RevokedAnswer = Type.Object(
  { principal_id: Type.String(), permission_id: Type.String(), revoked: Type.Literal(true) },
  open,
);
const BatchAnswer = Type.Object(
  {
    total: Type.Integer({ minimum: 0 }),
    succeeded: Type.Integer({ minimum: 0 }),
    failed: Type.Integer({ minimum: 0 }),
    results: Type.Array(
      Type.Object(
        {
          principal_id: Type.Union([Type.String(), Type.Null()]),
          permission_id: Type.Union([Type.String(), Type.Null()]),
          success: Type.Boolean(),
          error_code: Type.Optional(Type.String()),
          error: Type.Optional(Type.String()),
        },
        open,
      ),
    ),
  },
  open,
);

export function grantDeclarations(liveBotsUsing: LiveBotsUsing): readonly Declaration[] {
  return [listGrants(), grantOne(liveBotsUsing), revokeOne(), grantBatch(liveBotsUsing)];
}

const listGrants = (): Declaration =>
  defineQuery({
    name: "grants.list",
    summary: "Capability grants, of one principal or of all, and what is left of each",
    http: { method: "GET", path: "/api/capability/grants" },
    input: Type.Object({ principal_id: Type.Optional(Principal) }, closed),
    output: GrantsAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, { principal_id }, { store }) => {
      const all = await readGrants(reader, store);
      const states = new Map((await readPacks(reader, store)).map(({ pack_id, state }) => [pack_id, state]));
      const grants = all
        .filter((one) => principal_id === undefined || one.principal_id === principal_id)
        .map((one) => ({ ...grantView(one), ...forceOf(one, all, states.get(packOfPrincipal(one.principal_id))) }));
      return ok({ grants, count: grants.length });
    },
  });

type Facts = { readonly grants: readonly CapabilityGrant[]; readonly live: readonly string[] };

const load =
  (liveBotsUsing: LiveBotsUsing) =>
  async (reader: Reader, principals: readonly string[], store: Pick<Store, "builder">): Promise<Facts> => {
    const live: string[] = [];
    for (const pack_id of new Set(principals.map(packOfPrincipal)))
      live.push(...(await liveBotsUsing(reader, pack_id)));
    return { grants: await readGrants(reader, store), live };
  };

/** More for a pack that a live bot runs is confirmed first. */
function dangerOf({ live }: Facts, phrase: string): Danger {
  return live.length === 0
    ? { kind: "none" }
    : { kind: "confirm", requires: ["phrase"], phrase, base: { bots: live.toSorted().join(",") } };
}

const grantOne = (liveBotsUsing: LiveBotsUsing): Declaration =>
  defineOperation({
    name: "grants.grant",
    summary: "Give a principal a permission, narrowed by a config",
    http: { method: "POST", path: "/api/capability/grants/grant" },
    input: Type.Object({ ...wished, reason: ReasonField }, closed),
    output: GrantAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "increase",
    danger: ({ principal_id }, facts: Facts) => dangerOf(facts, principal_id),
    target: ({ principal_id }) => ({ resource_type: "capability_grant", resource_id: principal_id }),
    gates: [],
    load: (reader, { principal_id }, { store }) => load(liveBotsUsing)(reader, [principal_id], store),
    decide: ({ grants }, input, context) => {
      const made = granted(grants, input, context);
      if (!made.ok) return made;
      const { grant, write, event } = made.value;
      return ok({ writes: [write], events: [event], outbox: [], data: grantView(grant) });
    },
  });

const revokeOne = (): Declaration =>
  defineOperation({
    name: "grants.revoke",
    summary: "Take a permission away from a principal, and with it from all below it",
    http: { method: "POST", path: "/api/capability/grants/revoke" },
    input: Type.Object({ principal_id: Principal, permission_id: Permission, reason: ReasonField }, closed),
    output: RevokedAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "tighten",
    danger: () => ({ kind: "none" }),
    target: ({ principal_id }) => ({ resource_type: "capability_grant", resource_id: principal_id }),
    gates: [],
    load: async (reader, _input, { store }) => ({ grants: await readGrants(reader, store) }),
    decide: ({ grants }: { readonly grants: readonly CapabilityGrant[] }, { principal_id, permission_id }, context) => {
      const grant = grants.find(isOf({ principal_id, permission_id }));
      if (grant === undefined) return err(failure("RUMI-CAP-009", { principal_id, permission_id }));
      return ok({
        writes: [removeGrant(context.store, grant)],
        events: [grantEvent("permission.revoked", grant)],
        outbox: [],
        data: { principal_id, permission_id, revoked: true, reason: context.reason },
      });
    },
  });

/** Judged one by one, so that a wrong one does not stop the others. */
const Item = Type.Object(
  {
    principal_id: Type.Optional(Type.Unknown()),
    permission_id: Type.Optional(Type.Unknown()),
    config: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: true, description: "As POST /api/capability/grants/grant takes it." },
);

const grantBatch = (liveBotsUsing: LiveBotsUsing): Declaration =>
  defineOperation({
    name: "grants.batch",
    summary: "Give many grants at once; each is judged by itself",
    http: { method: "POST", path: "/api/capability/grants/batch" },
    input: Type.Object(
      { grants: Type.Array(Item, { minItems: 1, maxItems: GRANT_LIMITS.batch }), reason: ReasonField },
      closed,
    ),
    output: BatchAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "increase",
    danger: (_input, facts: Facts) => dangerOf(facts, "grants"),
    target: () => ({ resource_type: "capability_grant", resource_id: "*" }),
    gates: [],
    load: (reader, { grants }, { store }) =>
      load(liveBotsUsing)(
        reader,
        grants.flatMap(({ principal_id }) => (typeof principal_id === "string" ? [principal_id] : [])),
        store,
      ),
    decide: (facts, { grants }, context) => {
      const made = new Map<string, Granted>();
      const results = grants.map((item) => {
        const one = Value.Check(Wished, item)
          ? granted(facts.grants, item, context)
          : err(failure("RUMI-VAL-002", { field: "grants", problem: problemOf(item) }));
        if (one.ok) made.set(JSON.stringify([one.value.grant.principal_id, one.value.grant.permission_id]), one.value);
        return resultOf(item, one);
      });
      const succeeded = results.filter(({ success }) => success).length;
      return ok({
        writes: [...made.values()].map(({ write }) => write),
        events: [...made.values()].map(({ event }) => event),
        outbox: [],
        data: { total: results.length, succeeded, failed: results.length - succeeded, results },
      });
    },
  });

type Granted = { readonly grant: CapabilityGrant; readonly write: Write; readonly event: EventDraft };

function granted(
  grants: readonly CapabilityGrant[],
  wish: Static<typeof Wished>,
  { store, now, principal }: Pick<DecideContext, "store" | "now" | "principal">,
): Result<Granted, Failure> {
  const { principal_id, permission_id } = wish;
  const config = parseGrantConfig(permission_id, wish.config ?? {});
  if (!config.ok) return err(failure("RUMI-CAP-008", { permission_id, problem: config.error }));
  const before = grants.find(isOf(wish));
  const grant: CapabilityGrant = {
    principal_id,
    permission_id,
    config: config.value,
    granted_by: principal.id,
    granted_at: now,
    generation: (before?.generation ?? 0) + 1,
  };
  return ok({ grant, write: saveGrant(store, grant, before), event: grantEvent("permission.granted", grant) });
}

const isOf =
  (wish: Pick<CapabilityGrant, "principal_id" | "permission_id">) =>
  (one: CapabilityGrant): boolean =>
    one.principal_id === wish.principal_id && one.permission_id === wish.permission_id;

function problemOf(item: unknown): string {
  const first = Value.Errors(Wished, item).First();
  return first === undefined ? "it is no grant" : `${first.path.slice(1) || "the item"}: ${first.message}`;
}

function resultOf(item: Static<typeof Item>, one: Result<Granted, Failure>) {
  const named = (value: unknown): string | null => (typeof value === "string" ? value.slice(0, 256) : null);
  const of = { principal_id: named(item.principal_id), permission_id: named(item.permission_id) };
  return one.ok
    ? { ...of, success: true }
    : { ...of, success: false, error_code: one.error.code, error: failureText(one.error, "en").text };
}

function grantView({ principal_id, permission_id, config, granted_at, granted_by }: CapabilityGrant) {
  return { principal_id, permission_id, config, granted_at: isoFromMicros(micros(granted_at)), granted_by };
}

function forceOf(grant: CapabilityGrant, all: readonly CapabilityGrant[], state: PackState | undefined) {
  const { permission_id } = grant;
  const effective = effectiveGrant(
    grant.principal_id,
    (principal_id) => all.find(isOf({ principal_id, permission_id }))?.config,
  );
  const why_not = !effective.held
    ? `${effective.missing} does not hold it`
    : state === "approved"
      ? null
      : `the pack is ${state ?? "not installed"}`;
  return { in_force: why_not === null, why_not, effective_config: effective.held ? effective.config : null };
}
