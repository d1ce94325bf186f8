/** What an operator may do with privileges, as the Operations Guide prints it. */
import {
  err,
  failure,
  ID_PATTERNS,
  isoFromMicros,
  micros,
  ok,
  unreachable,
  type Failure,
  type Result,
} from "@rumi/kernel";
import {
  defineOperation,
  defineQuery,
  type Danger,
  type DecideContext,
  type Declaration,
  type Decision,
  type LoadContext,
  type OperationDefinition,
} from "@rumi/operations";
import type { Reader, Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { printable } from "../packs/digest.ts";
import type { PackState } from "../packs/model.ts";
import { readApproval } from "../packs/tables.ts";
import {
  parsePrivilege,
  privilegeEvent,
  PRIVILEGE_IDS,
  PRIVILEGES,
  type PrivilegeGrant,
  type PrivilegeId,
} from "./model.ts";
import { RESTART_KIND } from "./reconciler.ts";
import { readPrivilege, readPrivileges, removePrivilege, savePrivilege } from "./tables.ts";

export type PrivilegePorts = {
  /** What a person who looks for a fault wants to know of this program; no secrets. */
  readonly diagnostics: () => Promise<Readonly<Record<string, unknown>>>;
  /** Bots that trade with real money now: a restart stops them. */
  readonly liveBots: (reader: Reader) => Promise<number>;
};

/** Where nothing is given there is nothing to tell and nothing is live. */
export const UNASKED_PRIVILEGES: PrivilegePorts = {
  diagnostics: () => Promise.resolve({}),
  liveBots: () => Promise.resolve(0),
};

const closed = { additionalProperties: false } as const;
const open = { additionalProperties: true } as const;
const PackIdField = Type.String({ pattern: ID_PATTERNS.pack });
const PrivilegeField = Type.String({ minLength: 1, maxLength: 128 });
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const Args = Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 32 }));
const Instant = Type.String({ description: "RFC 3339, UTC." });
const named = { pack_id: PackIdField, privilege_id: PrivilegeField, reason: ReasonField } as const;
const NO_DANGER = (): Danger => ({ kind: "none" });
type Named = { readonly pack_id: string; readonly privilege_id: string };
const target = ({ pack_id, privilege_id }: Named) => ({
  resource_type: "privilege",
  resource_id: `${pack_id}:${privilege_id}`,
});

const ListAnswer = Type.Object(
  {
    privileges: Type.Array(
      Type.Object(
        { privilege_id: Type.String(), description: Type.String(), granted_packs: Type.Array(Type.String()) },
        open,
      ),
    ),
  },
  open,
);
const GrantAnswer = Type.Object({ pack_id: Type.String(), privilege_id: Type.String(), granted_at: Instant }, open);
const RevokedAnswer = Type.Object(
  { pack_id: Type.String(), privilege_id: Type.String(), revoked: Type.Literal(true) },
  open,
);
const ExecuteAnswer = Type.Object(
  {
    pack_id: Type.String(),
    privilege_id: Type.String(),
    result: Type.Object({ status: Type.String() }, open),
    executed_at: Instant,
  },
  open,
);

/** What `pack.update` does is the operation that applies a staged import, judged and carried out as that one. */
export type ApplyOperation = Pick<OperationDefinition, "load" | "decide" | "danger">;

export function privilegeDeclarations(ports: PrivilegePorts, apply: ApplyOperation): readonly Declaration[] {
  return [listPrivileges(), grantPrivilege(), revokePrivilege(), executePrivilege(ports, apply)];
}

const listPrivileges = (): Declaration =>
  defineQuery({
    name: "privileges.list",
    summary: "Every privilege, and the packs that hold it",
    http: { method: "GET", path: "/api/privileges" },
    input: Type.Object({}, closed),
    output: ListAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, _input, { store }) => {
      const held = await readPrivileges(reader, store);
      const privileges = PRIVILEGE_IDS.map((privilege_id) => ({
        privilege_id,
        description: PRIVILEGES[privilege_id],
        granted_packs: held.filter((one) => one.privilege_id === privilege_id).map(({ pack_id }) => pack_id),
      }));
      return ok({ privileges });
    },
  });

const heldBy = async (reader: Reader, { pack_id, privilege_id }: Named, store: Pick<Store, "builder">) => ({
  held: await readPrivilege(reader, store, pack_id, privilege_id),
});
type Held = Awaited<ReturnType<typeof heldBy>>;

const grantPrivilege = (): Declaration =>
  defineOperation({
    name: "privileges.grant",
    summary: "Allow a pack an act on the host",
    http: { method: "POST", path: "/api/privileges/{pack_id}/grant/{privilege_id}" },
    input: Type.Object(named, closed),
    output: GrantAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "increase",
    danger: NO_DANGER,
    target,
    gates: [],
    load: (reader, input, { store }) => heldBy(reader, input, store),
    decide: ({ held }: Held, { pack_id, privilege_id }, context) => {
      if (parsePrivilege(privilege_id) === undefined) return unknown(privilege_id);
      const grant: PrivilegeGrant = held ?? {
        pack_id,
        privilege_id,
        granted_by: context.principal.id,
        granted_at: context.now,
      };
      return ok({
        writes: held === undefined ? [savePrivilege(context.store, grant)] : [],
        events: held === undefined ? [privilegeEvent("permission.granted", grant)] : [],
        outbox: [],
        data: { pack_id, privilege_id, granted_at: isoFromMicros(micros(grant.granted_at)) },
      });
    },
  });

const revokePrivilege = (): Declaration =>
  defineOperation({
    name: "privileges.revoke",
    summary: "Take an act on the host away from a pack",
    http: { method: "POST", path: "/api/privileges/{pack_id}/revoke/{privilege_id}" },
    input: Type.Object(named, closed),
    output: RevokedAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "tighten",
    danger: NO_DANGER,
    target,
    gates: [],
    load: (reader, input, { store }) => heldBy(reader, input, store),
    decide: ({ held }: Held, { pack_id, privilege_id }, context) => {
      if (parsePrivilege(privilege_id) === undefined) return unknown(privilege_id);
      if (held === undefined) return err(failure("RUMI-CAP-012", { pack_id, privilege_id }));
      return ok({
        writes: [removePrivilege(context.store, held)],
        events: [privilegeEvent("permission.revoked", held)],
        outbox: [],
        data: { pack_id, privilege_id, revoked: true },
      });
    },
  });

/** What an act needs to know; read only where the pack may do it. */
type Act =
  | { readonly id: "pack.update"; readonly target_pack: string; readonly staging_id: string; readonly facts: unknown }
  | { readonly id: "system.restart"; readonly live: number }
  | { readonly id: "system.diagnostics"; readonly found: Readonly<Record<string, unknown>> };
type ExecuteFacts = Held & { readonly state: PackState | undefined; readonly act: Result<Act, Failure> | undefined };

const executePrivilege = (ports: PrivilegePorts, apply: ApplyOperation): Declaration =>
  defineOperation({
    name: "privileges.execute",
    summary: "Do what a pack holds the privilege for",
    http: { method: "POST", path: "/api/privileges/{pack_id}/execute/{privilege_id}" },
    input: Type.Object({ ...named, args: Args, params: Args }, closed),
    output: ExecuteAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "neutral",
    danger: (_input, { act }: ExecuteFacts): Danger =>
      act?.ok === true ? dangerOf(act.value, apply) : { kind: "none" },
    target,
    gates: [],
    load: async (reader, input, context): Promise<ExecuteFacts> => {
      const { store } = context;
      const { held } = await heldBy(reader, input, store);
      const state = (await readApproval(reader, store, input.pack_id))?.state;
      const id = parsePrivilege(input.privilege_id);
      if (held === undefined || state !== "approved" || id === undefined) return { held, state, act: undefined };
      if (input.args !== undefined && input.params !== undefined)
        return { held, state, act: wrong("params", "it is another name of args; give one of them") };
      return {
        held,
        state,
        act: await loadAct({ id, args: input.args ?? input.params ?? {}, reader, context, ports, apply }),
      };
    },
    decide: ({ held, state, act }, { pack_id, privilege_id }, context) => {
      if (parsePrivilege(privilege_id) === undefined) return unknown(privilege_id);
      if (held === undefined) return err(failure("RUMI-CAP-012", { pack_id, privilege_id }));
      if (act === undefined) return err(failure("RUMI-PACK-006", { pack_id, state: state ?? "not installed" }));
      if (!act.ok) return act;
      const decision = decideAct(act.value, context, apply);
      if (!decision.ok) return decision;
      return ok({
        ...decision.value,
        events: [...decision.value.events, privilegeEvent("privilege.executed", held)],
        data: { pack_id, privilege_id, result: decision.value.data, executed_at: isoFromMicros(context.now) },
      });
    },
  });

function dangerOf(act: Act, apply: ApplyOperation): Danger {
  if (act.id === "pack.update") return apply.danger({ staging_id: act.staging_id }, act.facts);
  return act.id === "system.restart" && act.live > 0
    ? { kind: "confirm", requires: ["phrase"], phrase: act.id, base: { live: act.live } }
    : { kind: "none" };
}

async function loadAct(of: {
  readonly id: PrivilegeId;
  readonly args: Readonly<Record<string, unknown>>;
  readonly reader: Reader;
  readonly context: LoadContext;
  readonly ports: PrivilegePorts;
  readonly apply: ApplyOperation;
}): Promise<Result<Act, Failure>> {
  const { id, args, reader, context, ports, apply } = of;
  const known = id === "pack.update" ? ["target_pack", "staging_id"] : [];
  const stray = Object.keys(args).find((name) => !known.includes(name));
  if (stray !== undefined) return err(failure("RUMI-VAL-008", { field: `args.${printable(stray)}` }));
  switch (id) {
    case "pack.update": {
      const { target_pack, staging_id } = args;
      if (typeof target_pack !== "string" || target_pack === "")
        return wrong("args.target_pack", "it must name a pack");
      if (typeof staging_id !== "string" || staging_id === "" || staging_id.length > 128)
        return wrong("args.staging_id", "it must be what an import answered");
      return ok({ id, target_pack, staging_id, facts: await apply.load(reader, { staging_id }, context) });
    }
    case "system.restart":
      return ok({ id, live: await ports.liveBots(reader) });
    case "system.diagnostics":
      return ok({ id, found: await ports.diagnostics() });
    default:
      return unreachable(id);
  }
}

function decideAct(act: Act, context: DecideContext, apply: ApplyOperation): Result<Decision, Failure> {
  switch (act.id) {
    case "pack.update": {
      const { target_pack, staging_id, facts } = act;
      const applied = apply.decide(facts, { staging_id }, context);
      if (!applied.ok) return applied;
      const { pack_id } = applied.value.data as { readonly pack_id: string };
      return pack_id === target_pack
        ? ok({ ...applied.value, data: { status: "applied", target_pack } })
        : err(failure("RUMI-PACK-003", { found: pack_id, expected: printable(target_pack) }));
    }
    case "system.restart": {
      const wish = { kind: RESTART_KIND, key: "program", payload: { command_id: context.command_id } };
      return ok({ writes: [], events: [], outbox: [wish], data: { status: "restarting" } });
    }
    case "system.diagnostics":
      return ok({ writes: [], events: [], outbox: [], data: { status: "ok", ...act.found } });
    default:
      return unreachable(act);
  }
}

function unknown(privilege_id: string): Result<never, Failure> {
  return err(failure("RUMI-CAP-011", { privilege_id: printable(privilege_id) }));
}

function wrong(field: string, problem: string): Result<never, Failure> {
  return err(failure("RUMI-VAL-002", { field, problem }));
}
