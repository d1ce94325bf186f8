/** What an operator may do with network grants, as the Operations Guide prints it. */
import { err, failure, ID_PATTERNS, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Danger, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import type { LiveBotsUsing } from "../packs/library.ts";
import type { PackState } from "../packs/model.ts";
import { readApproval, readPacks } from "../packs/tables.ts";
import {
  decideEgress,
  EGRESS_CHECKS,
  EGRESS_PROTOCOLS,
  granted,
  NETWORK_LIMITS,
  permissionEvent,
  standingOf,
  type EgressDecision,
  type NetworkGrant,
} from "./model.ts";
import { readStanding } from "./standing.ts";
import { readNetworkGrant, readNetworkGrants, removeNetworkGrant, saveNetworkGrant } from "./tables.ts";

/** What the network of this machine says, as far as it is asked. */
export type NetworkPorts = {
  /** Every address of a name, or null where none is known in time. */
  readonly resolve: (domain: string) => Promise<readonly string[] | null>;
  /** Requests of a pack within the last minute. */
  readonly recent: (pack_id: string) => number;
};

export const UNASKED_NETWORK: NetworkPorts = {
  resolve: () => Promise.resolve(null),
  recent: () => 0,
};

const closed = { additionalProperties: false } as const;
const open = { additionalProperties: true } as const;
const PackIdField = Type.String({ pattern: ID_PATTERNS.pack });
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const DomainField = Type.String({ minLength: 1, maxLength: 255 });
const PortField = Type.Integer({ minimum: 1, maximum: 65_535 });
const target = ({ pack_id }: { readonly pack_id: string }) => ({
  resource_type: "network_grant",
  resource_id: pack_id,
});

const grantFields = {
  pack_id: Type.String(),
  allowed_domains: Type.Array(Type.String()),
  allowed_ports: Type.Array(PortField),
  granted_at: Type.String({ description: "RFC 3339, UTC." }),
  granted_by: Type.String(),
  in_force: Type.Boolean({ description: "Whether the grant counts now: only while its pack is approved." }),
  why_not: Type.Union([Type.String(), Type.Null()]),
} as const;
const GrantAnswer = Type.Object(grantFields, open);
const GrantsAnswer = Type.Object({ grants: Type.Array(GrantAnswer), count: Type.Integer({ minimum: 0 }) }, open);
const RevokedAnswer = Type.Object({ pack_id: Type.String(), revoked: Type.Literal(true) }, open);
const CheckAnswer = Type.Object(
  {
    pack_id: Type.String(),
    domain: Type.String(),
    port: PortField,
    protocol: Type.String(),
    allowed: Type.Boolean(),
    denied_by: Type.Union([...EGRESS_CHECKS.map((one) => Type.Literal(one)), Type.Null()]),
    reason: Type.Union([Type.String(), Type.Null()]),
    resolved: Type.Boolean({ description: "Whether the addresses of the name are known and were judged." }),
  },
  open,
);

export function networkDeclarations(ports: NetworkPorts, liveBotsUsing: LiveBotsUsing): readonly Declaration[] {
  return [listGrants(), grantNetwork(liveBotsUsing), revokeNetwork(), checkNetwork(ports)];
}

const listGrants = (): Declaration =>
  defineQuery({
    name: "network.list",
    summary: "Every network grant, and whether it is in force",
    http: { method: "GET", path: "/api/network/list" },
    input: Type.Object({}, closed),
    output: GrantsAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, _input, { store }) => {
      const states = new Map((await readPacks(reader, store)).map(({ pack_id, state }) => [pack_id, state]));
      const grants = (await readNetworkGrants(reader, store)).map((one) => grantView(one, states.get(one.pack_id)));
      return ok({ grants, count: grants.length });
    },
  });

type GrantFacts = {
  readonly before: NetworkGrant | undefined;
  readonly state: PackState | undefined;
  readonly live: readonly string[];
};

const grantNetwork = (liveBotsUsing: LiveBotsUsing): Declaration =>
  defineOperation({
    name: "network.grant",
    summary: "Let a pack reach these domains on these ports, and no others",
    http: { method: "POST", path: "/api/network/grant" },
    input: Type.Object(
      {
        pack_id: PackIdField,
        allowed_domains: Type.Array(DomainField, { maxItems: NETWORK_LIMITS.domains }),
        allowed_ports: Type.Array(PortField, { maxItems: NETWORK_LIMITS.ports }),
        reason: ReasonField,
      },
      closed,
    ),
    output: GrantAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "increase",
    danger: ({ pack_id }, { live, before }: GrantFacts): Danger =>
      live.length === 0
        ? { kind: "none" }
        : { kind: "confirm", requires: ["phrase"], phrase: pack_id, base: { generation: before?.generation ?? 0 } },
    target,
    gates: [],
    load: async (reader, { pack_id }, { store }): Promise<GrantFacts> => ({
      before: await readNetworkGrant(reader, store, pack_id),
      state: (await readApproval(reader, store, pack_id))?.state,
      live: await liveBotsUsing(reader, pack_id),
    }),
    decide: ({ before, state }, input, context) => {
      const grant = granted(input, before, context.principal.id, context.now);
      if (!grant.ok) return grant;
      return ok({
        writes: [saveNetworkGrant(context.store, grant.value, before)],
        events: [permissionEvent("permission.granted", grant.value)],
        outbox: [],
        data: grantView(grant.value, state),
      });
    },
  });

const revokeNetwork = (): Declaration =>
  defineOperation({
    name: "network.revoke",
    summary: "Take a pack's network grant away, from its next request on",
    http: { method: "POST", path: "/api/network/revoke" },
    input: Type.Object({ pack_id: PackIdField, reason: ReasonField }, closed),
    output: RevokedAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "tighten",
    danger: () => ({ kind: "none" }),
    target,
    gates: [],
    load: async (reader, { pack_id }, { store }) => ({ grant: await readNetworkGrant(reader, store, pack_id) }),
    decide: ({ grant }: { readonly grant: NetworkGrant | undefined }, { pack_id }, context) =>
      grant === undefined
        ? err(failure("RUMI-NET-005", { pack_id }))
        : ok({
            writes: [removeNetworkGrant(context.store, grant)],
            events: [permissionEvent("permission.revoked", grant)],
            outbox: [],
            data: { pack_id, revoked: true, reason: context.reason },
          }),
  });

type CheckFacts = { readonly decision: EgressDecision; readonly resolved: boolean };

const checkNetwork = (ports: NetworkPorts): Declaration =>
  defineOperation({
    name: "network.check",
    summary: "Whether a request of a pack would be let through now, and if not, by what it is held",
    http: { method: "POST", path: "/api/network/check" },
    input: Type.Object(
      {
        pack_id: PackIdField,
        domain: DomainField,
        port: PortField,
        protocol: Type.Optional(Type.Union(EGRESS_PROTOCOLS.map((one) => Type.Literal(one)))),
        reason: ReasonField,
      },
      closed,
    ),
    output: CheckAnswer,
    key: "header",
    permission: ["view_only", "operator", "admin"],
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target,
    gates: [],
    load: async (reader, { pack_id, domain, port, protocol = "https" }, { store }): Promise<CheckFacts> => {
      const standing = await readStanding(reader, store, pack_id);
      const asked = { protocol, domain, port, recent: ports.recent(pack_id) };
      const unseen = decideEgress(standing, { ...asked, addresses: null });
      // A name is looked up only where the grant names it: asking for it tells its servers something.
      if (!unseen.allowed) return { decision: unseen, resolved: false };
      const addresses = await ports.resolve(domain);
      return { decision: decideEgress(standing, { ...asked, addresses }), resolved: addresses !== null };
    },
    decide: ({ decision, resolved }: CheckFacts, { pack_id, domain, port, protocol = "https" }) =>
      ok({
        writes: [],
        events: [],
        outbox: [],
        data: { pack_id, domain, port, protocol, resolved, denied_by: null, reason: null, ...decision },
      }),
  });

function grantView(grant: NetworkGrant, state: PackState | undefined) {
  const { pack_id, allowed_domains, allowed_ports, granted_by } = grant;
  const standing = standingOf(grant, state);
  return {
    pack_id,
    allowed_domains,
    allowed_ports,
    granted_at: isoFromMicros(micros(grant.granted_at)),
    granted_by,
    in_force: standing.kind === "in_force",
    why_not: standing.kind === "none" ? standing.why : null,
  };
}
