/**
 * Training: for a while whatever these people ask for goes the whole way and is not done (L-32). What it makes of a command is
 * the pipeline's (operations/src/pipeline/rehearsal.ts); here is who is in it.
 *
 * Leaving is always possible, and is real: nobody is kept from acting who says so. Sending others in takes an administrator.
 *
 * Invariants: packages/rumi/test/training.test.ts.
 */
import { err, failure, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type DecideContext } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { iso } from "../challenges/model.ts";
import { CountField, InstantField, nullable, OPEN, UuidField } from "../shared/answers.ts";
import { CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import type { Sql } from "../shared/sql.ts";
import { rolesNow } from "../users/tables.ts";
import { endTraining, insertTraining, readTraining, readTrainings, type TrainingRow } from "./tables.ts";

export const TRAINING_LIMITS = {
  people: 100,
  min_seconds: 60,
  default_seconds: 3_600,
  /** A working day: whoever trains longer begins again. */
  max_seconds: 28_800,
} as const;

export const trainingDeclarations = (): readonly Declaration[] => [listTraining, startTraining, endTrainingOperation];

const viewOf = (row: TrainingRow) => ({
  session_id: row.session_id,
  principal: row.principal,
  reason: row.reason,
  started_by: row.started_by,
  started_at: iso(row.started_at),
  ends_at: iso(row.ends_at),
  ended_at: row.ended_at === null ? null : iso(row.ended_at),
  ended_by: row.ended_by,
});
const PersonAnswer = Type.Object(
  {
    session_id: UuidField,
    principal: Type.String(),
    reason: Type.String(),
    started_by: Type.String(),
    started_at: InstantField,
    ends_at: InstantField,
    ended_at: nullable(InstantField),
    ended_by: nullable(Type.String()),
  },
  OPEN,
);
const PeopleAnswer = Type.Object({ people: Type.Array(PersonAnswer), count: CountField }, OPEN);

const listTraining: Declaration = defineQuery({
  name: "training.list",
  summary: "Who is in training now, and whether you are",
  http: { method: "GET", path: "/api/training" },
  input: Type.Object(
    {
      state: Type.Optional(Type.Union([Type.Literal("OPEN"), Type.Literal("ALL")])),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    },
    CLOSED,
  ),
  output: Type.Object({ ...PeopleAnswer.properties, in_training: Type.Boolean() }, OPEN),
  permission: EVERYONE,
  read: async (reader, { state = "OPEN", limit = 100 }, { store, now, principal }) => {
    const rows = await readTrainings(reader, store, { open_at: state === "OPEN" ? now : null, limit });
    const own = await readTraining(reader, store, principal.id, now);
    return ok({ in_training: own !== undefined, people: rows.map(viewOf), count: rows.length });
  },
});

const PeopleField = Type.Optional(
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    minItems: 1,
    maxItems: TRAINING_LIMITS.people,
    uniqueItems: true,
    description: "Their ids; you alone, where nobody is named. Others take an administrator.",
  }),
);
type Facts = {
  readonly people: readonly {
    readonly principal: string;
    readonly isKnown: boolean;
    readonly open: TrainingRow | undefined;
  }[];
};

async function load(
  reader: Reader,
  { principals }: { readonly principals?: readonly string[] },
  { store, now, principal }: { readonly store: Sql } & Pick<DecideContext, "now" | "principal">,
): Promise<Facts> {
  const people: Facts["people"][number][] = [];
  for (const one of principals ?? [principal.id]) {
    const isKnown = (await rolesNow(reader, store, one)).length > 0;
    people.push({ principal: one, isKnown, open: await readTraining(reader, store, one, now) });
  }
  return { people };
}

/** Nobody but an administrator says that somebody else's commands are rehearsals, or real again. */
function judgeOthers(operation: string, { people }: Facts, { principal }: Pick<DecideContext, "principal">) {
  const others = people.some((one) => one.principal !== principal.id);
  if (!others || principal.roles.includes("admin")) return ok(null);
  const params = { principal: principal.id, action: `${operation} (of others)` };
  return err(failure("RUMI-AUTH-003", params, { reasonCode: "PERMISSION_DENIED" }));
}

const target = () => ({ resource_type: "training", resource_id: "session" });

const startTraining: Declaration = defineOperation({
  name: "training.start",
  summary: "Begin a training: until it ends, whatever these people ask for is judged to the end and not done",
  http: { method: "POST", path: "/api/training/start" },
  input: Type.Object(
    {
      command_id: Type.Optional(CommandIdField),
      principals: PeopleField,
      valid_for_seconds: Type.Integer({
        minimum: TRAINING_LIMITS.min_seconds,
        maximum: TRAINING_LIMITS.max_seconds,
        default: TRAINING_LIMITS.default_seconds,
        description: "It ends by itself.",
      }),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: Type.Object({ ...PeopleAnswer.properties, session_id: UuidField, ends_at: InstantField }, OPEN),
  success: [201],
  key: "either",
  permission: ["operator", "admin", "break_glass"],
  safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
  risk: () => "neutral",
  rehearsal: "real",
  danger: noDanger,
  target,
  gates: [],
  load,
  decide: (facts: Facts, { valid_for_seconds, reason }, context) => {
    const allowed = judgeOthers("training.start", facts, context);
    if (!allowed.ok) return allowed;
    const { now, principal, store, newId } = context;
    const stranger = facts.people.find(({ isKnown }) => !isKnown);
    if (stranger !== undefined)
      return err(
        failure("RUMI-VAL-002", { field: "$.principals", problem: `nobody who is let in is ${stranger.principal}` }),
      );
    const busy = facts.people.find(({ open }) => open !== undefined);
    if (busy?.open !== undefined)
      return err(
        failure(
          "RUMI-CMD-035",
          { principal: busy.principal, until: iso(busy.open.ends_at) },
          { reasonCode: "L.TRAINING.OPEN" },
        ),
      );
    const session_id = newId();
    const ends_at = now + valid_for_seconds * 1_000_000;
    const rows = facts.people.map((one): TrainingRow => ({
      session_id,
      principal: one.principal,
      reason,
      started_by: principal.id,
      started_at: now,
      ends_at,
      ended_at: null,
      ended_by: null,
    }));
    return ok({
      writes: rows.map((row) => insertTraining(store, row)),
      events: [
        {
          action: "training.started",
          ...target(),
          outcome: "SUCCESS",
          details: { session_id, principals: rows.map((row) => row.principal), ends_at: iso(ends_at) },
        },
      ],
      outbox: [],
      status: 201,
      data: { session_id, ends_at: iso(ends_at), people: rows.map(viewOf), count: rows.length },
    });
  },
});

const endTrainingOperation: Declaration = defineOperation({
  name: "training.end",
  summary: "End your training, or as an administrator that of others: what they ask for is real from then on",
  http: { method: "POST", path: "/api/training/end" },
  input: Type.Object(
    { command_id: Type.Optional(CommandIdField), principals: PeopleField, reason: ReasonField },
    CLOSED,
  ),
  output: Type.Object({ ...PeopleAnswer.properties, changed: Type.Boolean() }, OPEN),
  key: "either",
  permission: ["operator", "admin", "break_glass"],
  // By it somebody can act again, also to stop: nothing holds it up.
  risk: () => "tighten",
  rehearsal: "real",
  above_policies: () => true,
  danger: noDanger,
  target,
  gates: [],
  load,
  decide: (facts: Facts, _input, context) => {
    const allowed = judgeOthers("training.end", facts, context);
    if (!allowed.ok) return allowed;
    const { now, principal, store } = context;
    const open = facts.people.flatMap((one) => one.open ?? []);
    const people = open.map((row) => viewOf({ ...row, ended_at: now, ended_by: principal.id }));
    const data = { people, count: people.length, changed: people.length > 0 };
    if (open.length === 0) return ok({ writes: [], events: [], outbox: [], data });
    return ok({
      writes: open.map((row) => endTraining(store, row.principal, principal.id, now)),
      events: [
        {
          action: "training.ended",
          ...target(),
          outcome: "SUCCESS",
          details: { principals: open.map((row) => row.principal) },
        },
      ],
      outbox: [],
      data,
    });
  },
});
