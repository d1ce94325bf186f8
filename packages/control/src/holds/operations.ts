/** Setting and lifting freezes, incidents and locks. */
import { err, failure, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { RISK_PHRASE } from "../challenges/model.ts";
import { ScopeField, scopeOf, scopeText } from "../kill-switch/model.ts";
import { isKnown } from "../kill-switch/operations.ts";
import { CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { feed } from "../shared/sql.ts";
import { LIFT } from "./guard.ts";
import { HOLD_LIMITS, holdView } from "./model.ts";
import { HOLD_KINDS, holdsChanged, insertHold, liftHold, readHold, readHolds, type HoldRow } from "./tables.ts";
import { HoldAnswer, HoldsAnswer } from "./answers.ts";

export const holdDeclarations = (): readonly Declaration[] => [listHolds, setHold, lift];

const listHolds = defineQuery({
  name: "holds.list",
  summary: "Freezes, incidents and locks in force; one whose time is over waits for a review and holds",
  http: { method: "GET", path: "/api/holds" },
  input: Type.Object({}, CLOSED),
  output: HoldsAnswer,
  permission: EVERYONE,
  read: async (reader, _input, { store, now }) =>
    ok({ holds: (await readHolds(reader, store)).map((row) => holdView(row, now)) }),
});

const setHold: Declaration = defineOperation({
  name: "holds.set",
  summary: "Freeze, declare an incident, or lock: nothing lets risk grow in its scope, and a lock ends what runs",
  http: { method: "POST", path: "/api/holds" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      kind: Type.Union(HOLD_KINDS.map((kind) => Type.Literal(kind))),
      scope: ScopeField,
      valid_for_seconds: Type.Optional(
        Type.Integer({
          minimum: 60,
          maximum: HOLD_LIMITS.valid_for_seconds,
          description: "Then it waits for a review, and holds until it is lifted.",
        }),
      ),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: HoldAnswer,
  success: [200, 201],
  key: "command_id",
  permission: ["operator", "admin"],
  risk: () => "tighten",
  above_policies: () => true,
  danger: noDanger,
  target: ({ scope }) => ({ resource_type: "hold", resource_id: scopeText(scopeOf(scope)) }),
  gates: [],
  load: async (reader, { kind, scope }, { store }) => {
    const rows = await readHolds(reader, store);
    const [known, count] = [await isKnown(reader, store, scope), rows.length];
    return { known, count, all: rows.find((row) => row.kind === kind && row.scope === "all") };
  },
  decide: ({ known, count, all }, { kind, scope, valid_for_seconds, reason }, { now, newId, principal, store }) => {
    if (!known.ok) return known;
    const isFull = count >= HOLD_LIMITS.holds;
    // What holds everybody is never refused for want of room: one of each kind is enough, and it stands until lifted.
    if (isFull && scope.all === true && all !== undefined)
      return ok({ writes: [], events: [], outbox: [], data: { ...holdView(all, now), changed: false } });
    if (isFull && scope.all !== true)
      return err(failure("RUMI-CMD-027", { what: "holds", limit: HOLD_LIMITS.holds }, { reasonCode: "G.HOLD.FULL" }));
    const row: HoldRow = {
      hold_id: newId(),
      kind,
      ...scopeOf(scope),
      reason,
      set_by: principal.id,
      set_at: now,
      ends_at: valid_for_seconds === undefined ? null : now + valid_for_seconds * 1_000_000,
      lifted_at: null,
      lifted_by: null,
    };
    const data = holdView(row, now);
    return ok({
      writes: [holdsChanged(store), insertHold(store, row), feed(store, "hold", row.hold_id, data, now)],
      events: [
        {
          action: ON[kind],
          resource_type: "hold",
          resource_id: row.hold_id,
          outcome: "SUCCESS",
          details: { hold_id: row.hold_id, scope, ends_at: data.ends_at },
        },
      ],
      outbox: [],
      status: 201,
      data,
    });
  },
});

const lift: Declaration = defineOperation({
  name: LIFT,
  summary: "Lift a freeze, an incident or a lock; what it ended stays ended",
  http: { method: "POST", path: "/api/holds/{hold_id}/lift" },
  input: Type.Object(
    { command_id: Type.Optional(CommandIdField), hold_id: CommandIdField, reason: ReasonField },
    CLOSED,
  ),
  output: HoldAnswer,
  key: "either",
  permission: ["admin"],
  safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
  risk: () => "increase",
  danger: (_input, row: HoldRow | undefined) =>
    row === undefined || row.lifted_at !== null
      ? { kind: "none" }
      : { kind: "confirm", requires: ["phrase"], phrase: RISK_PHRASE, base: { hold_id: row.hold_id, lifted: 0 } },
  target: ({ hold_id }) => ({ resource_type: "hold", resource_id: hold_id }),
  gates: [],
  load: (reader, { hold_id }, { store }) => readHold(reader, store, hold_id),
  preview: (row, { hold_id }) => ({
    hold_id,
    kind: row?.kind ?? null,
    scope: row === undefined ? null : scopeText(row),
  }),
  decide: (row, { hold_id }, { now, principal, store }) => {
    if (row === undefined) return err(failure("RUMI-SYS-011", { what: "hold", id: hold_id }));
    if (row.lifted_at !== null)
      return ok({ writes: [], events: [], outbox: [], data: { ...holdView(row, now), changed: false } });
    const data = holdView({ ...row, lifted_at: now, lifted_by: principal.id }, now);
    return ok({
      writes: [liftHold(store, hold_id, principal.id, now), feed(store, "hold", hold_id, data, now)],
      events: [
        {
          action: OFF[row.kind],
          resource_type: "hold",
          resource_id: hold_id,
          outcome: "SUCCESS",
          details: { hold_id, scope: data.scope, ends_at: data.ends_at },
        },
      ],
      outbox: [],
      data,
    });
  },
});

const ON = { freeze: "freeze.set", incident: "incident.enabled", lock: "lock.set" } as const;
const OFF = { freeze: "freeze.lifted", incident: "incident.disabled", lock: "lock.lifted" } as const;
