/** One wish for many bots: begun over a list that is resolved once, watched, paused, aborted, and retried for what failed. */
import { err, failure, ID_PATTERNS, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type DecideContext, type EventDraft } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import {
  bulkOf,
  bulkRow,
  BulkTransitionField,
  failuresOf,
  impactOf,
  isStartTo,
  judgeTargets,
  isMeant,
  leftOut,
  listDigest,
  MaxErrorsField,
  resolveBots,
  SelectorField,
  type Selector,
} from "./begin.ts";
import { beginBulk, due, follow, inFlight, isOver } from "./model.ts";
import { insertBulk, newestBulks, readBulk, updateBulk, type BulkRow } from "./tables.ts";
import { BulkAnswer, BulkBegunAnswer, BulksAnswer, BulkToldAnswer } from "./answers.ts";

export const bulkDeclarations = (): readonly Declaration[] => [
  startBulk,
  listBulks,
  showBulk,
  abortBulk,
  pauseBulk,
  resumeBulk,
  retryBulk,
];

const startBulk: Declaration = defineOperation({
  name: "bulk.start",
  summary: "Move many bots: the list is frozen now, waves of 1, 2, 4, …, and a limit of errors",
  http: { method: "POST", path: "/api/bulk" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      selector: SelectorField,
      requested_transition: BulkTransitionField,
      max_errors: MaxErrorsField,
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: BulkBegunAnswer,
  success: [202],
  key: "command_id",
  permission: ["operator", "admin"],
  // Each bot's own command is judged by every guard; a stop is held up by none.
  risk: ({ requested_transition: { to } }) => (isStartTo(to) ? "increase" : "tighten"),
  above_policies: () => true,
  danger: noDanger,
  target: ({ command_id }) => ({ resource_type: "bulk", resource_id: command_id }),
  gates: [],
  load: (reader, { selector }, { store }) => resolveBots(reader, store, selector as Selector),
  preview: ({ bots }, { requested_transition, max_errors }) => impactOf(bots, requested_transition, max_errors, 1),
  base: ({ bots }, { requested_transition: { from } }) => ({
    list: listDigest(bots.filter((bot) => isMeant(bot, from))),
  }),
  decide: (resolved, { command_id, requested_transition: { from, to }, max_errors, reason }, context) => {
    const targets = judgeTargets(resolved, from);
    if (!targets.ok) return targets;
    const { principal, trace_id, now, store } = context;
    const row = bulkRow({
      bulk_id: command_id,
      actor: principal.id,
      reason,
      trace_id,
      now,
      from,
      to,
      bulk: beginBulk(
        targets.value.map(({ bot_id }) => bot_id),
        max_errors,
      ),
      targets: targets.value,
      group: null,
    });
    return ok({
      writes: [insertBulk(store, row)],
      events: [bulkEvent("bulk.started", row)],
      outbox: [],
      status: 202,
      data: { ...bulkView(row), left_out: leftOut(resolved.bots, from) },
    });
  },
});

const listBulks: Declaration = defineQuery({
  name: "bulk.list",
  summary: "Bulks, newest first, each with how far it has come",
  http: { method: "GET", path: "/api/bulk" },
  input: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })) }, CLOSED),
  output: BulksAnswer,
  permission: EVERYONE,
  read: async (reader, { limit = 20 }, { store }) => {
    const rows = await newestBulks(reader, store, limit);
    return ok({ bulks: rows.map(bulkView), count: rows.length });
  },
});

const showBulk: Declaration = defineQuery({
  name: "bulk.show",
  summary: "How far a bulk has come: what waits, what is under way, what is done, what failed and why",
  http: { method: "GET", path: "/api/bulk/{bulk_id}" },
  input: Type.Object({ bulk_id: CommandIdField }, CLOSED),
  output: BulkAnswer,
  permission: EVERYONE,
  read: async (reader, { bulk_id }, { store }) => {
    const row = await readBulk(reader, store, bulk_id);
    return row === undefined ? err(noBulk(bulk_id)) : ok(bulkView(row));
  },
});

const WordInput = Type.Object(
  {
    command_id: Type.Optional(CommandIdField),
    bulk_id: Type.String({ pattern: ID_PATTERNS.uuid }),
    reason: ReasonField,
  },
  CLOSED,
);
const about = ({ bulk_id }: { readonly bulk_id: string }) => ({ resource_type: "bulk", resource_id: bulk_id });

/** What is said about a bulk that is there: its name is its verb, and what it does is the word's (model.ts). */
const wordOperation = (verb: string, word: BulkWord, summary: string): Declaration =>
  defineOperation({
    name: `bulk.${verb}`,
    summary,
    http: { method: "POST", path: `/api/bulk/{bulk_id}/${verb}` },
    input: WordInput,
    output: BulkToldAnswer,
    key: "either",
    permission: ["operator", "admin"],
    risk: (_input, row: BulkRow | undefined) => (word === "abort" || word === "pause" ? "tighten" : riskOfBulk(row)),
    above_policies: () => true,
    danger: noDanger,
    target: about,
    gates: [],
    load: (reader, { bulk_id }, { store }) => readBulk(reader, store, bulk_id),
    decide: (row: BulkRow | undefined, input, context) => said(row, input, word, context),
  });

const abortBulk = wordOperation("abort", "abort", "Begin nothing more of a bulk; the answer tells what is under way");
const pauseBulk = wordOperation(
  "pause",
  "pause",
  "Begin nothing more of a bulk until it is resumed; what is under way goes on",
);
const resumeBulk = wordOperation("resume", "resume", "Go on with a bulk that was paused, over the same frozen list");
const retryBulk = wordOperation(
  "retry",
  "retry_failed",
  "Try the failed ones of a bulk that is over once more, and nobody else",
);

export type BulkWord = "abort" | "pause" | "resume" | "retry_failed";
const SAID: Readonly<Record<BulkWord, string>> = {
  abort: "bulk.aborted",
  pause: "bulk.paused",
  resume: "bulk.resumed",
  retry_failed: "bulk.retried",
};

const riskOfBulk = (row: BulkRow | undefined): "increase" | "tighten" =>
  row !== undefined && isStartTo(row.to_state) ? "increase" : "tighten";

function said(
  row: BulkRow | undefined,
  { bulk_id, reason }: { readonly bulk_id: string; readonly reason: string },
  word: BulkWord,
  context: DecideContext,
) {
  if (row === undefined) return err(noBulk(bulk_id));
  const next = tell(row, word, reason, context);
  const { writes, events } = next;
  return ok({ writes, events, outbox: [], data: { ...bulkView(next.row), changed: writes.length > 0 } });
}

/** The bulk after a person's word; nothing to write where the word changes nothing. */
export function tell(row: BulkRow, word: BulkWord, reason: string, { store, principal }: DecideContext) {
  const before = bulkOf(row);
  const bulk = follow(before, { kind: word });
  if (bulk === before) return { row, writes: [], events: [] };
  const change = {
    bulk: JSON.stringify(bulk),
    state: isOver(bulk) ? ("over" as const) : ("running" as const),
    // Whoever retries answers for it: the commands of this try are theirs, with their roles and their reason.
    ...(word === "retry_failed" ? { tries: row.tries + 1, failures: "{}", actor: principal.id, reason } : {}),
  };
  const next = { ...row, ...change };
  return { row: next, writes: [updateBulk(store, row, change)], events: [bulkEvent(SAID[word], next)] };
}

export function bulkEvent(action: string, row: BulkRow): EventDraft {
  const { targets, errors, aborted } = bulkOf(row);
  return {
    action,
    resource_type: "bulk",
    resource_id: row.bulk_id,
    outcome: "SUCCESS",
    details: {
      digest: row.digest,
      from: row.from_state,
      to: row.to_state,
      targets: Object.keys(targets).length,
      in_flight: inFlight(bulkOf(row)).slice(0, 1_000),
      errors,
      aborted: aborted ? "yes" : "no",
      ...(row.group_id === null ? {} : { group_id: row.group_id, group_generation: row.group_generation }),
    },
  };
}

export function bulkView(row: BulkRow) {
  const bulk = bulkOf(row);
  const named = (state: string): readonly string[] =>
    Object.entries(bulk.targets).flatMap(([target, at]) => (at === state ? [target] : []));
  return {
    bulk_id: row.bulk_id,
    state: row.state,
    actor: row.actor,
    reason: row.reason,
    requested_transition: { from: row.from_state, to: row.to_state },
    digest: row.digest,
    group_id: row.group_id,
    group_generation: row.group_generation,
    wave: bulk.wave,
    next: due(bulk),
    waiting: named("waiting"),
    in_flight: inFlight(bulk),
    done: named("done"),
    failed: named("failed").map((bot_id) => ({ bot_id, ...failuresOf(row)[bot_id] })),
    errors: bulk.errors,
    max_errors: bulk.max_errors,
    aborted: bulk.aborted,
    paused: bulk.paused,
    tries: row.tries,
    created_at: isoFromMicros(micros(row.created_at)),
  };
}

const noBulk = (bulk_id: string) => failure("RUMI-SYS-011", { what: "bulk", id: bulk_id });
