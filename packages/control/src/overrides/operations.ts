/** Granting an override, which takes two people, taking it back, and listing them. */
import { err, failure, invariant, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { readBot, type BotRow } from "../bots/tables.ts";
import { BotIdField, CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { feed } from "../shared/sql.ts";
import { OVERRIDABLE } from "./checks.ts";
import { OVERRIDE_LIMITS, overrideView, stateOf } from "./model.ts";
import { endOverride, insertOverride, readOpen, readOverride, readOverrides, type OverrideRow } from "./tables.ts";
import { OverrideAnswer, OverridesAnswer } from "./answers.ts";

export const overrideDeclarations: () => readonly Declaration[] = () => [listOverrides, grantOverride, revokeOverride];

const resource = (override_id: string) =>
  ({ resource_type: "override", resource_id: override_id, outcome: "SUCCESS" }) as const;

const listOverrides: Declaration = defineQuery({
  name: "overrides.list",
  summary: "Overrides, newest first: of which check, for which bot, why, by whom, until when",
  http: { method: "GET", path: "/api/overrides" },
  input: Type.Object(
    { bot_id: Type.Optional(BotIdField), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) },
    CLOSED,
  ),
  output: OverridesAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id, limit = 50 }, { store, now }) => {
    const rows = await readOverrides(reader, store, { bot_id, limit });
    return ok({ overrides: rows.map((row) => overrideView(row, now)), count: rows.length });
  },
});

type GrantFacts = { readonly bot: BotRow | undefined; readonly in_force: number };

const grantOverride: Declaration = defineOperation({
  name: "overrides.grant",
  summary: "Let one bot start although one named check fails; takes a second person and ends by itself",
  http: { method: "POST", path: "/api/overrides" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      bot_id: BotIdField,
      check: Type.Union(
        OVERRIDABLE.map((check) => Type.Literal(check)),
        { description: "The item of the preflight; no other can be overridden." },
      ),
      valid_for_seconds: Type.Integer({ minimum: OVERRIDE_LIMITS.min_seconds, maximum: OVERRIDE_LIMITS.max_seconds }),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: OverrideAnswer,
  success: [201],
  key: "command_id",
  permission: ["admin"],
  risk: () => "increase",
  danger: ({ bot_id, check }, { bot }: GrantFacts) =>
    bot === undefined
      ? { kind: "none" }
      : {
          kind: "confirm",
          requires: ["phrase", "second_person"],
          phrase: bot_id,
          base: { check, generation: bot.generation },
        },
  target: ({ bot_id }) => ({ resource_type: "bot", resource_id: bot_id }),
  gates: [],
  load: async (reader, { bot_id }, { store, now }) => ({
    bot: await readBot(reader, store, bot_id),
    in_force: (await readOpen(reader, store)).filter((row) => stateOf(row, now) === "IN_FORCE").length,
  }),
  preview: (_facts, { bot_id, check, valid_for_seconds }) => ({ bot_id, check, valid_for_seconds }),
  decide: ({ bot, in_force }, { bot_id, check, valid_for_seconds, reason }, context) => {
    const { approval_id, newId, now, principal, store } = context;
    if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    if (in_force >= OVERRIDE_LIMITS.in_force)
      return err(
        failure(
          "RUMI-CMD-027",
          { what: "overrides", limit: OVERRIDE_LIMITS.in_force },
          { reasonCode: "L.OVERRIDE.FULL" },
        ),
      );
    invariant(approval_id !== null, "an override was granted without a confirmed challenge");
    const row: OverrideRow = {
      override_id: newId(),
      bot_id,
      check_name: check,
      reason,
      granted_by: principal.id,
      approval_id,
      granted_at: now,
      ends_at: now + valid_for_seconds * 1_000_000,
      ended_at: null,
      ended_by: null,
    };
    const data = overrideView(row, now);
    const { override_id, ends_at } = data;
    return ok({
      writes: [insertOverride(store, row), feed(store, "override", override_id, data, now)],
      events: [
        { action: "override.granted", ...resource(override_id), details: { override_id, bot_id, check, ends_at } },
      ],
      outbox: [],
      status: 201,
      data,
    });
  },
});

const revokeOverride: Declaration = defineOperation({
  name: "overrides.revoke",
  summary: "End an override before its time; the check counts again at the next start",
  http: { method: "POST", path: "/api/overrides/{override_id}/revoke" },
  input: Type.Object(
    { command_id: Type.Optional(CommandIdField), override_id: CommandIdField, reason: ReasonField },
    CLOSED,
  ),
  output: OverrideAnswer,
  key: "either",
  permission: ["operator", "admin"],
  risk: () => "tighten",
  danger: noDanger,
  target: ({ override_id }) => ({ resource_type: "override", resource_id: override_id }),
  gates: [],
  load: (reader, { override_id }, { store }) => readOverride(reader, store, override_id),
  decide: (row: OverrideRow | undefined, { override_id }, { now, principal, store }) => {
    if (row === undefined) return err(failure("RUMI-SYS-011", { what: "override", id: override_id }));
    if (stateOf(row, now) !== "IN_FORCE")
      return ok({ writes: [], events: [], outbox: [], data: { ...overrideView(row, now), changed: false } });
    const { bot_id, check_name: check } = row;
    const data = overrideView({ ...row, ended_at: now, ended_by: principal.id }, now);
    return ok({
      writes: [endOverride(store, override_id, principal.id, now), feed(store, "override", override_id, data, now)],
      events: [
        {
          action: "override.revoked",
          ...resource(override_id),
          details: { override_id, bot_id, check, ends_at: data.ends_at },
        },
      ],
      outbox: [],
      data: { ...data, changed: true },
    });
  },
});
