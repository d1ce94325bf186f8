/**
 * Granting an override, which takes two people, taking it back, and listing them. One of the supply chain's check is about
 * an artifact and a strong operation: only inside the requester's open break-glass session that lists it.
 */
import { err, failure, invariant, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import type { SupplyPolicy } from "@rumi/supply";
import { Type } from "@sinclair/typebox";
import { readBot, type BotRow } from "../bots/tables.ts";
import { BotIdField, CLOSED, CommandIdField, DigestField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { feed } from "../shared/sql.ts";
import { inForce } from "../supply-chain/policy.ts";
import { readSupplyPolicy, supplyChanged } from "../supply-chain/tables.ts";
import { ARTIFACT_OVERRIDABLE, OVERRIDABLE, type OverridableCheck } from "./checks.ts";
import { OVERRIDE_LIMITS, overrideEvent, overrideView, stateOf } from "./model.ts";
import { endOverride, insertOverride, readOpen, readOverride, readOverrides, type OverrideRow } from "./tables.ts";
import { OverrideAnswer, OverridesAnswer } from "./answers.ts";

export const overrideDeclarations: () => readonly Declaration[] = () => [listOverrides, grantOverride, revokeOverride];

const listOverrides: Declaration = defineQuery({
  name: "overrides.list",
  summary: "Overrides, newest first: of which check, for which bot or artifact, why, by whom, until when",
  http: { method: "GET", path: "/api/overrides" },
  input: Type.Object(
    {
      bot_id: Type.Optional(BotIdField),
      artifact_id: Type.Optional(DigestField),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    },
    CLOSED,
  ),
  output: OverridesAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id, artifact_id, limit = 50 }, { store, now }) => {
    const rows = await readOverrides(reader, store, { bot_id, artifact_id, limit });
    return ok({ overrides: rows.map((row) => overrideView(row, now)), count: rows.length });
  },
});

type GrantFacts = {
  readonly bot: BotRow | undefined;
  /** What the policy of the supply chain says of exceptions. */
  readonly exceptions: SupplyPolicy["exceptions"];
  readonly in_force: number;
};
type GrantInput = { readonly bot_id?: string; readonly artifact_id?: string; readonly check: OverridableCheck };

/** Of whom or what it is: a bot for most checks, an artifact for the supply chain's, and never both. */
function subjectOf({ bot_id, artifact_id, check }: GrantInput): Result<{ readonly artifact_id?: string }, Failure> {
  const isOfArtifact = ARTIFACT_OVERRIDABLE.some((one) => one === check);
  const [wanted, other] = isOfArtifact ? (["artifact_id", "bot_id"] as const) : (["bot_id", "artifact_id"] as const);
  const given = { bot_id, artifact_id };
  if (given[other] !== undefined)
    return err(failure("RUMI-VAL-002", { field: `$.${other}`, problem: `an override of ${check} has no ${other}` }));
  if (given[wanted] === undefined) return err(failure("RUMI-VAL-001", { field: `$.${wanted}` }));
  return ok(artifact_id === undefined ? {} : { artifact_id });
}

const grantOverride: Declaration = defineOperation({
  name: "overrides.grant",
  summary:
    "Let one bot start although one named check fails, or an artifact be used; two people, and it ends by itself",
  http: { method: "POST", path: "/api/overrides" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      bot_id: Type.Optional(BotIdField),
      artifact_id: Type.Optional(DigestField),
      check: Type.Union(
        [...OVERRIDABLE, ...ARTIFACT_OVERRIDABLE].map((check) => Type.Literal(check)),
        { description: "The item of the preflight; no other can be overridden. supply_chain is of an artifact." },
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
  danger: (input, { bot }: GrantFacts) => {
    const { bot_id, check } = input;
    const subject = subjectOf(input);
    const requires = ["phrase", "second_person"] as const;
    // What is not in order is refused as it stands.
    if (!subject.ok) return { kind: "none" };
    const { artifact_id } = subject.value;
    if (artifact_id !== undefined)
      return { kind: "confirm", requires, phrase: artifact_id, base: { check, artifact_id }, strong: true };
    return bot === undefined
      ? { kind: "none" }
      : { kind: "confirm", requires, phrase: bot_id ?? "", base: { check, generation: bot.generation } };
  },
  target: ({ bot_id, artifact_id }) =>
    artifact_id === undefined
      ? { resource_type: "bot", resource_id: bot_id ?? "" }
      : { resource_type: "artifact", resource_id: artifact_id },
  gates: [],
  load: async (reader, { bot_id }, { store, now }) => ({
    bot: bot_id === undefined ? undefined : await readBot(reader, store, bot_id),
    exceptions: inForce(await readSupplyPolicy(reader, store)).policy.exceptions,
    in_force: (await readOpen(reader, store)).filter((row) => stateOf(row, now) === "IN_FORCE").length,
  }),
  preview: (_facts, { bot_id, artifact_id, check, valid_for_seconds }) => ({
    ...(artifact_id === undefined ? { bot_id: bot_id ?? null } : { artifact_id }),
    check,
    valid_for_seconds,
  }),
  decide: ({ bot, exceptions, in_force }, input, context) => {
    const { check, valid_for_seconds, reason } = input;
    const { approval_id, newId, now, principal, store } = context;
    const subject = subjectOf(input);
    if (!subject.ok) return subject;
    const { artifact_id = null } = subject.value;
    if (artifact_id === null && bot === undefined) return err(failure("RUMI-BOT-001", { bot_id: input.bot_id ?? "" }));
    const allowed = exceptions.allowed ? exceptions.max_seconds : 0;
    if (artifact_id !== null && valid_for_seconds > allowed)
      return err(failure("RUMI-SUP-053", { seconds: valid_for_seconds, allowed }));
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
      bot_id: artifact_id === null ? (input.bot_id ?? null) : null,
      artifact_id,
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
    const { override_id } = data;
    return ok({
      writes: [insertOverride(store, row), feed(store, "override", override_id, data, now)],
      events: [overrideEvent("granted", row)],
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
    const data = overrideView({ ...row, ended_at: now, ended_by: principal.id }, now);
    return ok({
      writes: [
        endOverride(store, override_id, principal.id, now),
        ...(row.artifact_id === null ? [] : [supplyChanged(store)]),
        feed(store, "override", override_id, data, now),
      ],
      events: [overrideEvent("revoked", row)],
      outbox: [],
      data: { ...data, changed: true },
    });
  },
});
