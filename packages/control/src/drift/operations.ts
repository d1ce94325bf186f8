/** Reading drift, setting its rules within their bounds, and letting through what the brake holds. */
import { err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { RISK_PHRASE } from "../challenges/model.ts";
import { BotIdField, CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { feed, type Sql } from "../shared/sql.ts";
import { DRIFT_CLASSES, DRIFT_LIMITS, DRIFT_RULES, type DriftClass } from "./model.ts";
import { putRule, readRules, readWaiting, releaseBraked, type DriftRow, type DriftTables } from "./tables.ts";
import { DriftAnswer, DriftReleasedAnswer, DriftRuleAnswer } from "./answers.ts";

export const driftDeclarations = (): readonly Declaration[] => [listDrift, setRule, release];

const listDrift: Declaration = defineQuery({
  name: "drift.list",
  summary: "What differs from what was decided, newest first; the rules, and what the brake holds",
  http: { method: "GET", path: "/api/drift" },
  input: Type.Object(
    {
      bot_id: Type.Optional(BotIdField),
      open: Type.Optional(Type.Boolean({ description: "Only what is not settled." })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    },
    CLOSED,
  ),
  output: DriftAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id, open, limit = 50 }, { store }) => {
    let query = store
      .builder<DriftTables>()
      .selectFrom("drift")
      .selectAll()
      .orderBy("detected_at", "desc")
      .orderBy("drift_key")
      .limit(limit);
    if (bot_id !== undefined) query = query.where("bot_id", "=", bot_id);
    if (open === true) query = query.where("state", "!=", "settled");
    const rows = await reader.rows<DriftRow>(query);
    const rules = await rulesNow(reader, store);
    return ok({ drift: rows.map(driftView), count: rows.length, rules, brake: await brakeNow(reader, store) });
  },
});

const RuleInput = Type.Object(
  {
    command_id: CommandIdField,
    drift_class: Type.Union(DRIFT_CLASSES.map((one) => Type.Literal(one))),
    action: Type.Union([Type.Literal("repair"), Type.Literal("quarantine")]),
    reason: ReasonField,
  },
  CLOSED,
);

const setRule: Declaration = defineOperation({
  name: "drift.rule_set",
  summary: "Say what a class of drift is met with, within the bounds of that class",
  http: { method: "POST", path: "/api/drift/rules" },
  input: RuleInput,
  output: DriftRuleAnswer,
  key: "command_id",
  permission: ["admin"],
  risk: ({ action }) => (action === "quarantine" ? "tighten" : "increase"),
  danger: noDanger,
  target: ({ drift_class }) => ({ resource_type: "drift_rule", resource_id: drift_class }),
  gates: [],
  load: (reader, _input, { store }) => rulesNow(reader, store),
  decide: (rules, { drift_class, action }, { store, principal, now }) => {
    const { may } = DRIFT_RULES[drift_class];
    if (!may.includes(action))
      return err(
        failure("RUMI-BOT-079", { drift_class, action, may: may.join(", ") }, { reasonCode: "L.DRIFT.RULE_FIXED" }),
      );
    const from = rules.find((one) => one.drift_class === drift_class)?.action ?? DRIFT_RULES[drift_class].usual;
    return ok({
      writes: [
        putRule(store, { drift_class, action, set_by: principal.id, set_at: now }),
        feed(store, "drift_rule", drift_class, { drift_class, action }, now),
      ],
      events: [
        {
          action: "drift.rule.set",
          resource_type: "drift_rule",
          resource_id: drift_class,
          outcome: "SUCCESS",
          details: { drift_class, from, to: action },
        },
      ],
      outbox: [],
      data: { drift_class, action, former: from, may },
    });
  },
});

const release: Declaration = defineOperation({
  name: "drift.release",
  summary: "Let through what the brake holds: so many bots are repaired or quarantined at once, as their rules say",
  http: { method: "POST", path: "/api/drift/release" },
  input: Type.Object({ command_id: CommandIdField, reason: ReasonField }, CLOSED),
  output: DriftReleasedAnswer,
  key: "command_id",
  permission: ["admin"],
  safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
  risk: () => "neutral",
  danger: (_input, held: readonly DriftRow[]) =>
    held.length === 0
      ? { kind: "none" }
      : {
          kind: "confirm",
          requires: ["phrase"],
          phrase: RISK_PHRASE,
          base: { rows: held.length, last: held.at(-1)?.drift_key ?? "" },
        },
  target: () => ({ resource_type: "drift", resource_id: "fleet" }),
  gates: [],
  load: async (reader, _input, { store }) =>
    (await readWaiting(reader, store)).filter(({ state }) => state === "braked"),
  preview: (held) => ({
    bots: [...new Set(held.map(({ bot_id }) => bot_id))],
    drift: held.slice(0, 200).map(driftView),
  }),
  decide: (held, _input, { store }) => {
    const bots = new Set(held.map(({ bot_id }) => bot_id)).size;
    if (held.length === 0) return ok({ writes: [], events: [], outbox: [], data: { released: 0, changed: false } });
    return ok({
      writes: [releaseBraked(store)],
      events: [
        {
          action: "drift.brake.released",
          resource_type: "drift",
          resource_id: "fleet",
          outcome: "SUCCESS",
          details: { bots, rows: held.length },
        },
      ],
      outbox: [],
      data: { released: held.length, bots, changed: true },
    });
  },
});

type Rule = { readonly drift_class: DriftClass; readonly action: string; readonly may: readonly string[] };

async function rulesNow(reader: Reader, sql: Sql): Promise<readonly Rule[]> {
  const set = await readRules(reader, sql);
  return DRIFT_CLASSES.map((drift_class) => ({
    drift_class,
    action: set.find((one) => one.drift_class === drift_class)?.action ?? DRIFT_RULES[drift_class].usual,
    may: DRIFT_RULES[drift_class].may,
  }));
}

async function brakeNow(reader: Reader, sql: Sql) {
  const held = (await readWaiting(reader, sql)).filter(({ state }) => state === "braked");
  return {
    share: DRIFT_LIMITS.brake_share,
    always: DRIFT_LIMITS.brake_bots,
    engaged: held.length > 0,
    bots: [...new Set(held.map(({ bot_id }) => bot_id))],
  };
}

function driftView(of: DriftRow) {
  const { row_version: _v, detected_at, not_before, settled_at, released, ...row } = of;
  const iso = (at: number): string => isoFromMicros(micros(at));
  return {
    ...row,
    released: released === 1,
    detected_at: iso(detected_at),
    next_attempt_at: row.state === "open" ? iso(not_before) : null,
    settled_at: settled_at === null ? null : iso(settled_at),
  };
}
