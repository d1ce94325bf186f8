/** One wish for many bots: begun over a list that is resolved once, watched, aborted, and retried for what failed. */
import { canonicalJson, digestOf, err, failure, ID_PATTERNS, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type DecideContext, type EventDraft } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readBot, specOf, type BotLabelRow, type BotRow, type BotTables } from "../bots/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import {
  AnswerSchema,
  BotIdField,
  CLOSED,
  CommandIdField,
  EVERYONE,
  noDanger,
  ReasonField,
  VenueIdField,
} from "../shared/fields.ts";
import { jsonOf, type Sql } from "../shared/sql.ts";
import { beginBulk, due, follow, inFlight, isOver, type Bulk } from "./model.ts";
import { insertBulk, readBulk, updateBulk, type BulkRow } from "./tables.ts";

export const bulkDeclarations = (): readonly Declaration[] => [startBulk, showBulk, abortBulk, retryBulk];

/** Never live: what is dangerous is confirmed for one bot at a time. */
const FROM = ["IDLE", "RUNNING_PAPER", "RUNNING_SHADOW", "RUNNING_LIVE", "PAUSED", "ERROR"] as const;
const TO = ["RUNNING_PAPER", "RUNNING_SHADOW", "PAUSED", "STOPPING", "QUARANTINED"] as const;
const SelectorField = Type.Object(
  {
    bot_ids: Type.Optional(
      Type.Array(BotIdField, { minItems: 1, maxItems: CONTROL_LIMITS.bulk_targets, uniqueItems: true }),
    ),
    group_id: Type.Optional(BotIdField),
    venue: Type.Optional(VenueIdField),
    label: Type.Optional(Type.String({ pattern: "^[a-z0-9][a-z0-9_.-]{0,62}=.{0,128}$", description: "name=value" })),
  },
  { ...CLOSED, minProperties: 1, maxProperties: 1, description: "Exactly one of its fields." },
);
type Selector = {
  readonly bot_ids?: readonly string[];
  readonly group_id?: string;
  readonly venue?: string;
  readonly label?: string;
};

export const bulkOf = (row: Pick<BulkRow, "bulk">): Bulk => jsonOf<Bulk>(row.bulk);
export const failuresOf = (row: Pick<BulkRow, "failures">) =>
  jsonOf<Readonly<Record<string, { readonly error_code: string; readonly reason_code: string | null }>>>(row.failures);

const startBulk: Declaration = defineOperation({
  name: "bulk.start",
  summary: "Move many bots: the list is frozen now, waves of 1, 2, 4, …, and a limit of errors",
  http: { method: "POST", path: "/api/bulk" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      selector: SelectorField,
      requested_transition: Type.Object(
        {
          from: Type.Union(FROM.map((state) => Type.Literal(state))),
          to: Type.Union(TO.map((state) => Type.Literal(state))),
        },
        CLOSED,
      ),
      max_errors: Type.Integer({ minimum: 1, maximum: CONTROL_LIMITS.bulk_targets }),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: AnswerSchema,
  key: "command_id",
  permission: ["operator", "admin"],
  // Each bot's own command is judged by every guard; a stop is held up by none.
  risk: ({ requested_transition: { to } }) => (to.startsWith("RUNNING") ? "increase" : "tighten"),
  danger: noDanger,
  target: ({ command_id }) => ({ resource_type: "bulk", resource_id: command_id }),
  gates: [],
  load: (reader, { selector }, { store }) => resolve(reader, store, selector as Selector),
  preview: ({ bots }, { requested_transition: { from, to }, max_errors }) => {
    const meant = bots.filter(({ state }) => state === from);
    return {
      targets: meant.map(({ bot_id }) => bot_id),
      left_out: leftOut(bots, from),
      from,
      to,
      max_errors,
      waves: Math.ceil(Math.log2(meant.length + 1)),
      capital: meant.map((bot) => ({ bot_id: bot.bot_id, capital: specOf(bot).capital })),
      dependencies: [...new Set(meant.flatMap((bot) => specOf(bot).dependencies ?? []))],
    };
  },
  decide: ({ bots, unknown }, { command_id, requested_transition: { from, to }, max_errors, reason }, context) => {
    if (unknown.length > 0)
      return err(
        failure(
          "RUMI-BOT-001",
          { bot_id: unknown.join(", ") },
          { reasonCode: "G.BULK.UNKNOWN_BOT", details: { bot_ids: unknown } },
        ),
      );
    const targets = bots.filter(({ state }) => state === from).map(({ bot_id }) => bot_id);
    const limit = CONTROL_LIMITS.bulk_targets;
    if (targets.length === 0)
      return err(failure("RUMI-VAL-002", { field: "$.selector", problem: `no bot that it names is ${from}` }));
    if (targets.length > limit) return err(failure("RUMI-CMD-029", { limit }, { reasonCode: "G.BULK.FULL" }));
    const row: BulkRow = {
      bulk_id: command_id,
      actor: context.principal.id,
      reason,
      trace_id: context.trace_id,
      from_state: from,
      to_state: to,
      digest: digestOf(canonicalJson(targets)),
      bulk: JSON.stringify(beginBulk(targets, max_errors)),
      tries: 1,
      failures: "{}",
      state: "running",
      created_at: context.now,
      row_version: 1,
    };
    return ok({
      writes: [insertBulk(context.store, row)],
      events: [bulkEvent("bulk.started", row)],
      outbox: [],
      status: 202,
      data: { ...bulkView(row), left_out: leftOut(bots, from) },
    });
  },
});

const showBulk: Declaration = defineQuery({
  name: "bulk.show",
  summary: "How far a bulk has come: what waits, what is under way, what is done, what failed and why",
  http: { method: "GET", path: "/api/bulk/{bulk_id}" },
  input: Type.Object({ bulk_id: CommandIdField }, CLOSED),
  output: AnswerSchema,
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

const abortBulk: Declaration = defineOperation({
  name: "bulk.abort",
  summary: "Begin nothing more of a bulk; the answer tells what is under way",
  http: { method: "POST", path: "/api/bulk/{bulk_id}/abort" },
  input: WordInput,
  output: AnswerSchema,
  key: "either",
  permission: ["operator", "admin"],
  risk: () => "tighten",
  danger: noDanger,
  target: about,
  gates: [],
  load: (reader, { bulk_id }, { store }) => readBulk(reader, store, bulk_id),
  decide: (row: BulkRow | undefined, input, context) => said(row, input, "abort", context),
});

const retryBulk: Declaration = defineOperation({
  name: "bulk.retry",
  summary: "Try the failed ones of a bulk that is over once more, and nobody else",
  http: { method: "POST", path: "/api/bulk/{bulk_id}/retry" },
  input: WordInput,
  output: AnswerSchema,
  key: "either",
  permission: ["operator", "admin"],
  risk: (_input, row: BulkRow | undefined) => (row?.to_state.startsWith("RUNNING") === true ? "increase" : "tighten"),
  danger: noDanger,
  target: about,
  gates: [],
  load: (reader, { bulk_id }, { store }) => readBulk(reader, store, bulk_id),
  decide: (row: BulkRow | undefined, input, context) => said(row, input, "retry_failed", context),
});

function said(
  row: BulkRow | undefined,
  { bulk_id, reason }: { readonly bulk_id: string; readonly reason: string },
  kind: "abort" | "retry_failed",
  { store, principal }: DecideContext,
) {
  if (row === undefined) return err(noBulk(bulk_id));
  const before = bulkOf(row);
  const bulk = follow(before, { kind });
  if (bulk === before) return ok({ writes: [], events: [], outbox: [], data: { ...bulkView(row), changed: false } });
  const change = {
    bulk: JSON.stringify(bulk),
    state: isOver(bulk) ? ("over" as const) : ("running" as const),
    // Whoever retries answers for it: the commands of this try are theirs, with their roles and their reason.
    ...(kind === "retry_failed" ? { tries: row.tries + 1, failures: "{}", actor: principal.id, reason } : {}),
  };
  const next = { ...row, ...change };
  return ok({
    writes: [updateBulk(store, row, change)],
    events: [bulkEvent(kind === "abort" ? "bulk.aborted" : "bulk.retried", next)],
    outbox: [],
    data: { ...bulkView(next), changed: true },
  });
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
    requested_transition: { from: row.from_state, to: row.to_state },
    digest: row.digest,
    wave: bulk.wave,
    next: due(bulk),
    waiting: named("waiting"),
    in_flight: inFlight(bulk),
    done: named("done"),
    failed: named("failed").map((bot_id) => ({ bot_id, ...failuresOf(row)[bot_id] })),
    errors: bulk.errors,
    max_errors: bulk.max_errors,
    aborted: bulk.aborted,
    tries: row.tries,
    created_at: isoFromMicros(micros(row.created_at)),
  };
}

const noBulk = (bulk_id: string) => failure("RUMI-SYS-011", { what: "bulk", id: bulk_id });

const leftOut = (bots: readonly BotRow[], from: string) =>
  bots.filter(({ state }) => state !== from).map(({ bot_id, state }) => ({ bot_id, state }));

type Resolved = {
  readonly bots: readonly BotRow[];
  /** Named by id, and there is no such bot. */
  readonly unknown: readonly string[];
};

/** Once: whoever is made later is not in it. */
async function resolve(reader: Reader, sql: Sql, selector: Selector): Promise<Resolved> {
  const db = sql.builder<BotTables>();
  if (selector.bot_ids !== undefined) {
    const found = await Promise.all(selector.bot_ids.map((bot_id) => readBot(reader, sql, bot_id)));
    const bots = found.filter((bot) => bot !== undefined);
    return { bots, unknown: selector.bot_ids.filter((_, at) => found[at] === undefined) };
  }
  if (selector.label !== undefined) {
    const at = selector.label.indexOf("=");
    const labelled = await reader.rows<BotLabelRow>(
      db
        .selectFrom("bot_label")
        .selectAll()
        .where("name", "=", selector.label.slice(0, at))
        .where("value", "=", selector.label.slice(at + 1))
        .orderBy("bot_id"),
    );
    return resolve(reader, sql, { bot_ids: labelled.map(({ bot_id }) => bot_id) });
  }
  const all = await reader.rows<BotRow>(db.selectFrom("bot").selectAll().orderBy("bot_id"));
  const bots = all.filter((bot) => {
    const { venue, group_id } = specOf(bot);
    return selector.venue === undefined ? group_id === selector.group_id : venue === selector.venue;
  });
  return { bots, unknown: [] };
}
