/** Adding a trust root, which takes two people; retiring and revoking one, which one person does at once; listing them. */
import { err, failure, invariant, microsFromIso, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField, UtcInstantField } from "../shared/fields.ts";
import { feed, type Sql } from "../shared/sql.ts";
import { TrustRootAnswer, TrustRootsAnswer } from "./answers.ts";
import { insertRoot, readRoot, readRoots, supplyChanged, updateRoot, type TrustRootRow } from "./tables.ts";
import { judgeNewRoot, rootState, rootView, type NewRoot } from "./trust-roots.ts";

export const rootDeclarations = (): readonly Declaration[] => [listRoots, addRoot, retireRoot, revokeRoot];

const KeyIdField = Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256 of the public key's DER form." });
const resource = (keyid: string) => ({ resource_type: "trust_root", resource_id: keyid, outcome: "SUCCESS" }) as const;
const tell = (sql: Sql, row: TrustRootRow, now: Parameters<typeof rootView>[1]) =>
  feed(sql, "trust_root", row.keyid, { keyid: row.keyid, name: row.name, state: rootState(row, now) }, now);

const listRoots: Declaration = defineQuery({
  name: "supply_chain.trust_roots",
  summary: "Public keys whose signatures of artifacts count, with their times, and those that count no more",
  http: { method: "GET", path: "/api/supply_chain/trust_roots" },
  input: Type.Object({}, CLOSED),
  output: TrustRootsAnswer,
  permission: EVERYONE,
  read: async (reader, _input, { store, now }) => {
    const rows = await readRoots(reader, store);
    return ok({ trust_roots: rows.map((row) => rootView(row, now)), count: rows.length });
  },
});

const addRoot: Declaration = defineOperation({
  name: "supply_chain.trust_root_add",
  summary: "Let signatures by a key count for a time; takes a second person",
  http: { method: "POST", path: "/api/supply_chain/trust_roots" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,63}$", description: "Whose key it is." }),
      public_key_pem: Type.String({
        minLength: 100,
        maxLength: 1_024,
        pattern: "^-----BEGIN PUBLIC KEY-----\\n[A-Za-z0-9+/=\\n]+\\n-----END PUBLIC KEY-----\\n?$",
        description: "P-256; never a private key.",
      }),
      valid_from: Type.Optional(UtcInstantField),
      valid_until: UtcInstantField,
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: TrustRootAnswer,
  success: [201],
  key: "command_id",
  permission: ["admin"],
  risk: () => "increase",
  danger: ({ name }, judged: Result<NewRoot, Failure>) =>
    // What is not taken is refused as it stands.
    judged.ok
      ? {
          kind: "confirm",
          requires: ["phrase", "second_person"],
          phrase: name,
          base: { keyid: judged.value.keyid, valid_until: judged.value.valid_until },
        }
      : { kind: "none" },
  target: ({ name }) => ({ resource_type: "trust_root", resource_id: name }),
  gates: [],
  load: async (reader, input, { store, now }) => judgeNewRoot(input, await readRoots(reader, store), now),
  preview: (judged, { name, valid_until }) => ({
    name,
    keyid: judged.ok ? judged.value.keyid : null,
    valid_until,
  }),
  decide: (judged, { reason }, { approval_id, now, principal, store }) => {
    if (!judged.ok) return judged;
    invariant(approval_id !== null, "a trust root was added without a confirmed challenge");
    const row: TrustRootRow = {
      ...judged.value,
      added_by: principal.id,
      approval_id,
      added_at: now,
      retired_by: null,
      revoked_at: null,
      revoked_by: null,
      reason,
      row_version: 1,
    };
    const data = rootView(row, now);
    const { keyid, name, valid_from, valid_until } = data;
    return ok({
      writes: [insertRoot(store, row), tell(store, row, now)],
      events: [
        {
          action: "supply_chain.trust_root.added",
          ...resource(keyid),
          details: { keyid, name, valid_from, valid_until },
        },
      ],
      outbox: [],
      status: 201,
      data,
    });
  },
});

const retireRoot: Declaration = defineOperation({
  name: "supply_chain.trust_root_retire",
  summary: "End a key's time, now or at an instant; what it signed counts until then",
  http: { method: "POST", path: "/api/supply_chain/trust_roots/{keyid}/retire" },
  input: Type.Object(
    {
      command_id: Type.Optional(CommandIdField),
      keyid: KeyIdField,
      at: Type.Optional(UtcInstantField),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: TrustRootAnswer,
  key: "either",
  permission: ["admin"],
  risk: () => "tighten",
  above_policies: () => true,
  danger: noDanger,
  target: ({ keyid }) => ({ resource_type: "trust_root", resource_id: keyid }),
  gates: [],
  load: (reader, { keyid }, { store }) => readRoot(reader, store, keyid),
  decide: (row: TrustRootRow | undefined, { keyid, at, reason }, { now, principal, store }) => {
    if (row === undefined) return err(failure("RUMI-SYS-011", { what: "trust root", id: keyid }));
    const end = at === undefined ? now : microsFromIso(at);
    if (end === undefined) return err(failure("RUMI-VAL-002", { field: "$.at", problem: "there is no such instant" }));
    const state = rootState(row, now);
    if (state === "RETIRED" || state === "REVOKED")
      return ok({ writes: [], events: [], outbox: [], data: { ...rootView(row, now), changed: false } });
    if (end < now || end > row.valid_until)
      return err(
        failure("RUMI-VAL-002", { field: "$.at", problem: "it is past, or later than the key's time ends anyway" }),
      );
    const change = { valid_until: end, retired_by: principal.id, reason };
    const next = { ...row, ...change };
    const data = rootView(next, now);
    return ok({
      writes: [updateRoot(store, row, change), supplyChanged(store), tell(store, next, now)],
      events: [
        {
          action: "supply_chain.trust_root.retired",
          ...resource(keyid),
          details: { keyid, name: row.name, valid_until: data.valid_until },
        },
      ],
      outbox: [],
      data: { ...data, changed: true },
    });
  },
});

const revokeRoot: Declaration = defineOperation({
  name: "supply_chain.trust_root_revoke",
  summary: "Let nothing count that this key ever signed; at once and for good",
  http: { method: "POST", path: "/api/supply_chain/trust_roots/{keyid}/revoke" },
  input: Type.Object({ command_id: Type.Optional(CommandIdField), keyid: KeyIdField, reason: ReasonField }, CLOSED),
  output: TrustRootAnswer,
  key: "either",
  permission: ["operator", "admin"],
  risk: () => "tighten",
  above_policies: () => true,
  danger: noDanger,
  target: ({ keyid }) => ({ resource_type: "trust_root", resource_id: keyid }),
  gates: [],
  load: (reader, { keyid }, { store }) => readRoot(reader, store, keyid),
  decide: (row: TrustRootRow | undefined, { keyid, reason }, { now, principal, store }) => {
    if (row === undefined) return err(failure("RUMI-SYS-011", { what: "trust root", id: keyid }));
    if (row.revoked_at !== null)
      return ok({ writes: [], events: [], outbox: [], data: { ...rootView(row, now), changed: false } });
    const change = { revoked_at: now, revoked_by: principal.id, reason };
    const next = { ...row, ...change };
    return ok({
      writes: [updateRoot(store, row, change), supplyChanged(store), tell(store, next, now)],
      events: [{ action: "supply_chain.trust_root.revoked", ...resource(keyid), details: { keyid, name: row.name } }],
      outbox: [],
      data: { ...rootView(next, now), changed: true },
    });
  },
});
