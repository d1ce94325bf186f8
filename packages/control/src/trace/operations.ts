/** GET /api/trace/{id}: from any id that a person may hold to the whole chain, in both directions (L-09). */
import { err, failure, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readEvents, type AuditEvent } from "../audit/events.ts";
import type { CommandRow, CommandTables } from "../commands/tables.ts";
import type { InstanceTables, RunRow } from "../instances/tables.ts";
import { CLOSED, EVERYONE } from "../shared/fields.ts";
import type { Sql } from "../shared/sql.ts";
import { findingsOf } from "./findings.ts";
import type { FillRow, IntentRow, OrderRow, ViewTables } from "../views/tables.ts";
import { TraceAnswer } from "./answers.ts";

type Tables = CommandTables & InstanceTables & ViewTables;

const MOST = 200;

export function traceDeclarations(): readonly Declaration[] {
  return [showTrace];
}

const showTrace = defineQuery({
  name: "trace.show",
  summary: "The chain command → run → intent → order → fill of any of their ids, and why what failed in it did",
  http: { method: "GET", path: "/api/trace/{id}" },
  input: Type.Object({ id: Type.String({ minLength: 1, maxLength: 256 }) }, CLOSED),
  output: TraceAnswer,
  permission: EVERYONE,
  read: async (reader, { id }, { store }) => {
    const intents = await intentsOf(reader, store, id);
    const runs = await runsOf(reader, store, id, intents);
    const commands = await commandsOf(reader, store, id, runs);
    const events = await eventsOf(reader, store, id, commands, runs);
    // An id of one intent shows that intent's chain; an id of a run or command shows the newest of the run.
    const shown = intents.length > 0 ? intents : await intentsOfRuns(reader, store, runs);
    const order_ids = [...new Set([...shown.flatMap((one) => one.client_order_id ?? []), id])];
    const orders = await reader.rows<OrderRow>(
      store
        .builder<Tables>()
        .selectFrom("order_view")
        .selectAll()
        .where("client_order_id", "in", order_ids)
        .limit(MOST),
    );
    const fills = await reader.rows<FillRow>(
      store
        .builder<Tables>()
        .selectFrom("fill_view")
        .selectAll()
        .where("client_order_id", "in", order_ids)
        .orderBy("seq")
        .limit(MOST),
    );
    if (events.length + runs.length + shown.length + orders.length === 0) return err(failure("RUMI-BOT-026", { id }));
    const leaf = await leaves(reader, store, shown, orders, fills);
    return ok({
      id,
      commands,
      runs,
      events,
      market_events: marketEvents(shown),
      intents: shown.map((row) => ({ ...RECORD, ...row, intent: JSON.parse(row.intent) as unknown, leaf: leaf(row) })),
      orders: orders.map((row) => ({ ...RECORD, ...row, report: JSON.parse(row.report) as unknown, leaf: leaf(row) })),
      fills: fills.map((row) => ({ ...RECORD, ...row, fill: JSON.parse(row.fill) as unknown, leaf: leaf(row) })),
      triage: findingsOf(events, shown, orders),
      limit: MOST,
    });
  },
});

/** Every record of a journal is of format 1 (docs/formats/intent-journal.md). */
const RECORD = { schema_version: 1 } as const;
type Placed = { readonly run_id: string; readonly seq: number };

/** The rows of the feed that the intents answered: their trace ids are the run's first half and the row's cursor. */
function marketEvents(intents: readonly IntentRow[]) {
  const found = new Map(intents.map((one) => [one.trace_id, one]));
  return [...found.values()].flatMap(({ run_id, trace_id, event_time_us }) => {
    const cursor = /^[0-9a-f]{16}([0-9a-f]{16})$/.exec(trace_id)?.[1];
    return cursor === undefined
      ? []
      : [{ ...RECORD, run_id, trace_id, cursor: Number(BigInt(`0x${cursor}`)), event_time_us }];
  });
}

/** Where a journal's record is in the audit log: the leaf of its closed segment; null while that is still open. */
async function leaves(reader: Reader, sql: Sql, ...records: readonly (readonly Placed[])[]) {
  const runs = [...new Set(records.flat().map((one) => one.run_id))].slice(0, 20);
  const sealed = new Map<string, readonly AuditEvent[]>();
  for (const run_id of runs)
    sealed.set(
      run_id,
      await readEvents(reader, sql, { run_id, action: "journal.segment.sealed", order: "desc", limit: MOST * 5 }),
    );
  return ({ run_id, seq }: Placed) => {
    const event = sealed
      .get(run_id)
      ?.find(({ details }) => Number(details["first_seq"]) <= seq && seq <= Number(details["last_seq"]));
    if (event === undefined) return null;
    const { segment, merkle_root } = event.details;
    return { log_index: event.log_index, event_id: event.event_id, segment, merkle_root };
  };
}

function intentsOf(reader: Reader, sql: Sql, id: string): Promise<readonly IntentRow[]> {
  const any = sql
    .builder<Tables>()
    .selectFrom("intent_view")
    .selectAll()
    .where((of) => of.or([of("idempotency_key", "=", id), of("client_order_id", "=", id), of("trace_id", "=", id)]));
  return reader.rows<IntentRow>(any.orderBy("run_id", "desc").orderBy("seq", "desc").limit(MOST));
}

async function runsOf(reader: Reader, sql: Sql, id: string, intents: readonly IntentRow[]): Promise<readonly RunRow[]> {
  const db = sql.builder<Tables>();
  const orders = await reader.rows<{ run_id: string }>(
    db.selectFrom("order_view").select("run_id").where("client_order_id", "=", id),
  );
  const ids = [...new Set([id, ...intents.map((one) => one.run_id), ...orders.map((one) => one.run_id)])];
  const touched = await reader.rows<{ run_id: string | null }>(
    db
      .selectFrom("command")
      .select("run_id")
      .where((of) => of.or([of("command_id", "=", id), of("trace_id", "=", id)]))
      .limit(MOST),
  );
  const all = [...new Set([...ids, ...touched.flatMap((one) => one.run_id ?? [])])];
  return reader.rows<RunRow>(
    db
      .selectFrom("run")
      .selectAll()
      .where((of) =>
        of.or([
          of("run_id", "in", all),
          of("trace_id", "=", id),
          of("command_id", "=", id),
          // Runs that went on from one another (updates in place) bear one trace.
          of("trace_id", "in", of.selectFrom("run as named").select("named.trace_id").where("named.run_id", "in", all)),
        ]),
      )
      .orderBy("run_id")
      .limit(MOST),
  );
}

function commandsOf(reader: Reader, sql: Sql, id: string, runs: readonly RunRow[]): Promise<readonly CommandRow[]> {
  const run_ids = [id, ...runs.map((run) => run.run_id)];
  return reader.rows<CommandRow>(
    sql
      .builder<Tables>()
      .selectFrom("command")
      .selectAll()
      .where((of) => of.or([of("command_id", "=", id), of("trace_id", "=", id), of("run_id", "in", run_ids)]))
      .orderBy("created_at")
      .limit(MOST),
  );
}

async function eventsOf(
  reader: Reader,
  sql: Sql,
  id: string,
  commands: readonly CommandRow[],
  runs: readonly RunRow[],
): Promise<readonly AuditEvent[]> {
  const found = new Map<number, AuditEvent>();
  const add = (events: readonly AuditEvent[]): void => {
    for (const event of events) found.set(event.log_index, event);
  };
  add(await readEvents(reader, sql, { trace_id: id, limit: MOST }));
  for (const request_id of [id, ...commands.map((one) => one.command_id)].slice(0, 20))
    add(await readEvents(reader, sql, { request_id, limit: MOST }));
  for (const run_id of [id, ...runs.map((one) => one.run_id)].slice(0, 20))
    add(await readEvents(reader, sql, { run_id, limit: MOST }));
  return [...found.values()].toSorted((a, b) => a.log_index - b.log_index).slice(0, MOST);
}

function intentsOfRuns(reader: Reader, sql: Sql, runs: readonly RunRow[]): Promise<readonly IntentRow[]> {
  if (runs.length === 0) return Promise.resolve([]);
  const of_runs = sql
    .builder<Tables>()
    .selectFrom("intent_view")
    .selectAll()
    .where(
      "run_id",
      "in",
      runs.map((run) => run.run_id),
    );
  return reader.rows<IntentRow>(of_runs.orderBy("run_id", "desc").orderBy("seq", "desc").limit(MOST));
}
