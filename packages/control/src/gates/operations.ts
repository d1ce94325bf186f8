/** Reporting gates, requiring them, and taking the requirement away, which only an open break-glass session may do. */
import { err, failure, ok, type Failure } from "@rumi/kernel";
import { defineOperation, defineQuery, type DecideContext, type Declaration, type EventDraft } from "@rumi/operations";
import { write, type Reader, type Write } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { RISK_PHRASE } from "../challenges/model.ts";
import { CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { feed, type Sql } from "../shared/sql.ts";
import { GATE_LIMITS, gateResult, stateOf } from "./model.ts";
import { gatesChanged, readGates, type GateRow, type GateTables } from "./tables.ts";
import { GateAnswer, GatesAnswer } from "./answers.ts";

const GateField = Type.String({ pattern: "^[a-z][a-z0-9_.-]{0,63}$" });
const base = { command_id: Type.Optional(CommandIdField), gate: GateField, reason: ReasonField } as const;
const target = ({ gate }: { readonly gate: string }) => ({ resource_type: "gate", resource_id: gate });
const always = ["NORMAL", "SAFE", "EMERGENCY_STOP"] as const;

export const gateDeclarations = (): readonly Declaration[] => [listGates, reportGate, requireGate, disableGate];

const listGates = defineQuery({
  name: "gates.list",
  summary: "Every gate with its newest report; one whose report has ended is UNKNOWN",
  http: { method: "GET", path: "/api/gates" },
  input: Type.Object({}, CLOSED),
  output: GatesAnswer,
  permission: EVERYONE,
  read: async (reader, _input, { store, now }) =>
    ok({
      gates: (await readGates(reader, store)).map((row) => ({
        ...gateResult(row, now),
        required: row.required === 1,
        reported_by: row.reported_by,
      })),
    }),
});

type Facts = { readonly row: GateRow | undefined; readonly known: number };
const load = async (reader: Reader, { gate }: { readonly gate: string }, { store }: { readonly store: Sql }) => {
  const rows = await readGates(reader, store);
  return { row: rows.find((one) => one.gate === gate), known: rows.length };
};

const reportGate: Declaration = defineOperation({
  name: "gates.report",
  summary: "Report a gate's state for a time; past it the state is UNKNOWN",
  http: { method: "POST", path: "/api/gates/{gate}/report" },
  input: Type.Object(
    {
      command_id: Type.Optional(CommandIdField),
      gate: GateField,
      state: Type.Union([Type.Literal("PASS"), Type.Literal("FAIL"), Type.Literal("UNKNOWN")]),
      rules: Type.Array(
        Type.Object(
          {
            rule_id: Type.String({ minLength: 1, maxLength: 128 }),
            passed: Type.Boolean(),
            message: Type.Optional(Type.String({ maxLength: 512 })),
          },
          CLOSED,
        ),
        { maxItems: GATE_LIMITS.rules },
      ),
      ttl_seconds: Type.Integer({ minimum: 1, maximum: GATE_LIMITS.ttl_seconds }),
      reason: Type.Optional(ReasonField),
    },
    CLOSED,
  ),
  output: GateAnswer,
  key: "either",
  permission: ["operator", "admin"],
  // Evidence passes every mode and freeze: without it nobody could see that it is well again.
  risk: () => "tighten",
  above_policies: ({ state }) => state !== "PASS",
  danger: noDanger,
  target,
  gates: [],
  load,
  decide: ({ row, known }: Facts, { gate, state, rules, ttl_seconds }, context) => {
    if (state === "PASS" && rules.some(({ passed }) => !passed))
      return err(failure("RUMI-VAL-002", { field: "$.state", problem: "a rule of it failed, so it does not pass" }));
    const full = isFull(row, known);
    if (full !== undefined) return err(full);
    const { now, newId, principal, store } = context;
    const next: GateRow = {
      gate,
      required: row?.required ?? 0,
      state,
      rules: JSON.stringify(rules),
      run_id: newId(),
      evaluated_at: now,
      expires_at: now + ttl_seconds * 1_000_000,
      reported_by: principal.id,
      row_version: (row?.row_version ?? 0) + 1,
    };
    const previous = row === undefined ? null : stateOf(row, now);
    const details = { gate, state, previous, rules };
    return ok(changed(row, next, context, { action: "gate.reported", details }, store));
  },
});

const requireGate: Declaration = defineOperation({
  name: "gates.require",
  summary: "From now on risk grows only while this gate passes",
  http: { method: "POST", path: "/api/gates/{gate}/require" },
  input: Type.Object(base, CLOSED),
  output: GateAnswer,
  key: "either",
  permission: ["operator", "admin"],
  risk: () => "tighten",
  above_policies: () => true,
  danger: noDanger,
  target,
  gates: [],
  load,
  decide: ({ row, known }: Facts, { gate }, context) => {
    if (row?.required === 1) return ok(unchanged(row, context));
    const full = isFull(row, known);
    if (full !== undefined) return err(full);
    const next = { ...(row ?? unreported(gate, context)), required: 1, row_version: (row?.row_version ?? 0) + 1 };
    return ok(changed(row, next, context, { action: "gate.required", details: { gate } }, context.store));
  },
});

const disableGate: Declaration = defineOperation({
  name: "gates.disable",
  summary: "Risk may grow without this gate; only inside an open break-glass session",
  http: { method: "POST", path: "/api/gates/{gate}/disable" },
  input: Type.Object(base, CLOSED),
  output: GateAnswer,
  key: "either",
  permission: ["break_glass"],
  safety: always,
  risk: () => "increase",
  danger: (_input, { row }: Facts) =>
    row?.required === 1
      ? {
          kind: "confirm",
          requires: ["phrase"],
          phrase: RISK_PHRASE,
          base: { gate: row.gate, required: 1 },
          roles: ["break_glass"],
          strong: true,
        }
      : { kind: "none" },
  target,
  gates: [],
  load,
  preview: ({ row }, { gate }) => ({ gate, required: row?.required === 1 }),
  decide: ({ row }: Facts, { gate }, context) => {
    if (row === undefined) return err(failure("RUMI-SYS-011", { what: "gate", id: gate }));
    if (row.required !== 1) return ok(unchanged(row, context));
    const next = { ...row, required: 0, row_version: row.row_version + 1 };
    return ok(changed(row, next, context, { action: "gate.disabled", details: { gate } }, context.store));
  },
});

const unreported = (gate: string, { newId }: DecideContext): GateRow => ({
  gate,
  required: 1,
  state: "UNKNOWN",
  rules: "[]",
  run_id: newId(),
  evaluated_at: 0,
  expires_at: 0,
  reported_by: "nobody",
  row_version: 0,
});

function isFull(row: GateRow | undefined, known: number): Failure | undefined {
  return row === undefined && known >= GATE_LIMITS.gates
    ? failure("RUMI-CMD-028", { limit: GATE_LIMITS.gates }, { reasonCode: "G.GATE.FULL" })
    : undefined;
}

function changed(
  before: GateRow | undefined,
  next: GateRow,
  { now }: DecideContext,
  { action, details }: Pick<EventDraft, "action" | "details">,
  sql: Sql,
) {
  const db = sql.builder<GateTables>();
  const put: Write =
    before === undefined
      ? write(db.insertInto("gate").values(next), 1)
      : write(
          db.updateTable("gate").set(next).where("gate", "=", next.gate).where("row_version", "=", before.row_version),
          1,
        );
  const data = { ...gateResult(next, now), required: next.required === 1 };
  return {
    writes: [
      // A PASS of what passed already holds nobody up.
      ...(next.required === 1 && (next.state !== "PASS" || before?.required !== 1) ? [gatesChanged(sql)] : []),
      put,
      feed(sql, "gate", next.gate, data, now),
    ],
    events: [{ action, resource_type: "gate", resource_id: next.gate, outcome: "SUCCESS" as const, details }],
    outbox: [],
    data,
  };
}

const unchanged = (row: GateRow, { now }: DecideContext) => ({
  writes: [],
  events: [],
  outbox: [],
  data: { ...gateResult(row, now), required: row.required === 1, changed: false },
});
