/** Opening, closing and reviewing break-glass sessions. Opening is itself dangerous and always takes a second person. */
import { err, failure, invariant, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { write } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readEvents } from "../audit/events.ts";
import { CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import type { TwoPeople } from "../two-people/judge.ts";
import {
  BREAK_GLASS_MAX_SECONDS,
  BREAK_GLASS_MAX_VERBS,
  BREAK_GLASS_PHRASE,
  judgeRehearsal,
  reviewPending,
  sessionView,
  stateOf,
} from "./model.ts";
import { readSession, readUnreviewed, updateSession, verbsOf, type SessionRow, type SessionTables } from "./tables.ts";
import { ClosedSessionAnswer, SessionAnswer, SessionsAnswer, WholeSessionAnswer } from "./answers.ts";

export type BreakGlassDeps = {
  readonly environment: string;
  /** Names of all operations of the program. */
  readonly operations: () => readonly string[];
  readonly twoPeople: TwoPeople;
};

export function breakGlassDeclarations(deps: BreakGlassDeps): readonly Declaration[] {
  return [openSession(deps), closeSession, reviewSession(deps), listSessions, showSession];
}

const allModes = ["NORMAL", "SAFE", "EMERGENCY_STOP"] as const;
const resource = (session_id: string) =>
  ({ resource_type: "break_glass", resource_id: session_id, outcome: "SUCCESS" }) as const;

const openSession = ({ environment, operations }: BreakGlassDeps): Declaration =>
  defineOperation({
    name: "break_glass.open",
    summary: "Open a break-glass session for listed operations; takes a second person and ends by itself",
    http: { method: "POST", path: "/api/break_glass" },
    input: Type.Object(
      {
        command_id: Type.Optional(CommandIdField),
        verbs: Type.Array(Type.String({ minLength: 3, maxLength: 128 }), {
          minItems: 1,
          maxItems: BREAK_GLASS_MAX_VERBS,
          uniqueItems: true,
          description: "Operations that it is for, by their names.",
        }),
        valid_for_seconds: Type.Integer({ minimum: 60, maximum: BREAK_GLASS_MAX_SECONDS, default: 900 }),
        reason: ReasonField,
      },
      CLOSED,
    ),
    output: SessionAnswer,
    success: [201],
    key: "either",
    permission: ["break_glass"],
    safety: allModes,
    // It changes nothing by itself; what is done under it meets the guards of its own.
    risk: () => "neutral",
    rehearsal: "kept",
    danger: (_input, pending: SessionRow | undefined) =>
      pending === undefined
        ? {
            kind: "confirm",
            requires: ["phrase", "second_person"],
            phrase: BREAK_GLASS_PHRASE,
            base: { open_session: null },
            roles: ["break_glass"],
          }
        : { kind: "none" },
    target: () => ({ resource_type: "break_glass", resource_id: "session" }),
    gates: [],
    load: (reader, _input, { store, training }) => readUnreviewed(reader, store, training),
    preview: (_pending, { verbs, valid_for_seconds }) => ({ verbs, valid_for_seconds }),
    decide: (
      pending,
      { verbs, valid_for_seconds, reason },
      { approval_id, newId, now, principal, store, training },
    ) => {
      if (pending !== undefined) return reviewPending(pending);
      const unknown = verbs.find((verb) => !operations().includes(verb));
      if (unknown !== undefined)
        return err(failure("RUMI-VAL-002", { field: "$.verbs", problem: `there is no operation ${unknown}` }));
      invariant(approval_id !== null, "a break-glass session was opened without a confirmed challenge");
      const row: SessionRow = {
        session_id: newId(),
        environment,
        holder: principal.id,
        approval_id,
        verbs: JSON.stringify(verbs),
        reason,
        opened_at: now,
        ends_at: now + valid_for_seconds * 1_000_000,
        closed_at: null,
        reviewed_at: null,
        reviewed_by: null,
        review: null,
        training: training ? 1 : 0,
        row_version: 1,
      };
      const view = sessionView(row, now);
      return ok({
        writes: [write(store.builder<SessionTables>().insertInto("break_glass_session").values(row), 1)],
        events: [
          {
            action: "break_glass.opened",
            ...resource(row.session_id),
            details: { session_id: row.session_id, verbs, ends_at: view.ends_at },
          },
        ],
        outbox: [],
        status: 201,
        data: view,
      });
    },
  });

const SessionInput = Type.Object(
  { command_id: Type.Optional(CommandIdField), session_id: CommandIdField, reason: ReasonField },
  CLOSED,
);
const target = ({ session_id }: { readonly session_id: string }) => ({
  resource_type: "break_glass",
  resource_id: session_id,
});

const closeSession: Declaration = defineOperation({
  name: "break_glass.close",
  summary: "End a break-glass session before its time; its review is due",
  http: { method: "POST", path: "/api/break_glass/{session_id}/close" },
  input: SessionInput,
  output: ClosedSessionAnswer,
  key: "either",
  permission: ["admin", "break_glass"],
  risk: () => "tighten",
  rehearsal: "kept",
  above_policies: () => true,
  danger: noDanger,
  target,
  gates: [],
  load: (reader, { session_id }, { store }) => readSession(reader, store, session_id),
  decide: (row: SessionRow | undefined, { session_id }, { now, store, training }) => {
    if (row === undefined) return err(failure("RUMI-CMD-024", { session_id }));
    const rehearsal = judgeRehearsal(row, training);
    if (!rehearsal.ok) return rehearsal;
    if (stateOf(row, now) !== "OPEN")
      return ok({ writes: [], events: [], outbox: [], data: { ...sessionView(row, now), changed: false } });
    const change = { closed_at: now };
    return ok({
      writes: [updateSession(store, row, change)],
      events: [{ action: "break_glass.ended", ...resource(session_id), details: { session_id } }],
      outbox: [],
      data: { ...sessionView({ ...row, ...change }, now), changed: true },
    });
  },
});

const reviewSession = ({ twoPeople }: BreakGlassDeps): Declaration =>
  defineOperation({
    name: "break_glass.review",
    summary: "Review what was done under an ended session, as somebody else than its holder",
    http: { method: "POST", path: "/api/break_glass/{session_id}/review" },
    input: SessionInput,
    output: SessionAnswer,
    key: "either",
    permission: ["admin"],
    safety: allModes,
    risk: () => "neutral",
    rehearsal: "kept",
    danger: noDanger,
    target,
    gates: [],
    load: async (reader, { session_id }, { store, now, principal }) => {
      const row = await readSession(reader, store, session_id);
      return { row, two: row === undefined ? ok(null) : await twoPeople(reader, [row.holder, principal.id], now) };
    },
    decide: ({ row, two }, { session_id, reason }, { now, principal, store, training }) => {
      if (row === undefined) return err(failure("RUMI-CMD-024", { session_id }));
      const rehearsal = judgeRehearsal(row, training);
      if (!rehearsal.ok) return rehearsal;
      if (row.holder === principal.id)
        return err(
          failure(
            "RUMI-CMD-018",
            { challenge_id: session_id, principal: principal.id },
            { reasonCode: "SECOND_PERSON_REQUIRED" },
          ),
        );
      if (!two.ok) return two;
      const state = stateOf(row, now);
      if (state !== "REVIEW_PENDING") return err(failure("RUMI-CMD-025", { session_id, state }));
      const change = { reviewed_at: now, reviewed_by: principal.id, review: reason };
      return ok({
        writes: [updateSession(store, row, change)],
        events: [
          { action: "break_glass.reviewed", ...resource(session_id), details: { session_id, holder: row.holder } },
        ],
        outbox: [],
        data: sessionView({ ...row, ...change }, now),
      });
    },
  });

const listSessions: Declaration = defineQuery({
  name: "break_glass.list",
  summary: "Break-glass sessions, newest first",
  http: { method: "GET", path: "/api/break_glass" },
  input: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) }, CLOSED),
  output: SessionsAnswer,
  permission: EVERYONE,
  read: async (reader, { limit = 50 }, { store, now }) => {
    const rows = await reader.rows<SessionRow>(
      store
        .builder<SessionTables>()
        .selectFrom("break_glass_session")
        .selectAll()
        .orderBy("opened_at", "desc")
        .orderBy("session_id", "desc")
        .limit(limit),
    );
    return ok({ sessions: rows.map((row) => sessionView(row, now)), count: rows.length });
  },
});

/** Commands of a session that its view shows. */
const SHOWN_COMMANDS = 200;

const showSession: Declaration = defineQuery({
  name: "break_glass.show",
  summary: "One session with every command that its holder sent while it was open",
  http: { method: "GET", path: "/api/break_glass/{session_id}" },
  input: Type.Object({ session_id: CommandIdField }, CLOSED),
  output: WholeSessionAnswer,
  permission: EVERYONE,
  read: async (reader, { session_id }, { store, now }) => {
    const row = await readSession(reader, store, session_id);
    if (row === undefined) return err(failure("RUMI-CMD-024", { session_id }));
    const events = await readEvents(reader, store, {
      actor: row.holder,
      action: "controlplane.command.requested",
      from: micros(row.opened_at),
      to: micros(row.closed_at ?? row.ends_at),
      limit: SHOWN_COMMANDS,
    });
    const verbs = verbsOf(row);
    return ok({
      ...sessionView(row, now),
      commands: events.map(({ occurred_at, resource_type, resource_id, details }) => ({
        operation: details["operation"] ?? null,
        command_id: details["request_id"] ?? null,
        occurred_at,
        resource_type,
        resource_id,
        under_session: typeof details["operation"] === "string" && verbs.includes(details["operation"]),
      })),
    });
  },
});
