/**
 * Takes a runner's journal into the views, each entry exactly once.
 *
 * The place in the journal (`run.journal_seq`) moves in the same commit as the rows; whatever comes again
 * is skipped by its number, a hole is answered with the last number taken, so that the runner sends again.
 *
 * Invariants (ingest.test.ts, on both stores)
 * - Any repetition, overlap or cut of the stream gives the same rows.
 * - Only the run's present holder may add to it; a fenced runner's entries change nothing (M-7.1.2).
 */
import type { Clock, JsonObject, Random } from "@rumi/kernel";
import { systemEvent } from "@rumi/platform";
import type { JournalEntry } from "@rumi/runtime";
import { write, type Store, type Write } from "@rumi/store";
import { isShadow } from "../instances/shards.ts";
import { readRun, type InstanceTables, type RunRow } from "../instances/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { feed } from "../shared/sql.ts";
import { seenIn } from "../risk/seen.ts";
import { readStops, seenWrites } from "../risk/stop-tables.ts";
import { stagingWrites } from "../staging/ingest.ts";
import { eventsOf } from "./journal-events.ts";
import type { FillRow, IntentRow, ViewTables } from "./tables.ts";

export type Ingested =
  | { readonly kind: "acknowledge"; readonly seq: number }
  | { readonly kind: "refused"; readonly why: "unknown run" | "not the holder" };

export async function ingestJournal(
  deps: { readonly store: Store; readonly clock: Clock; readonly random: Random },
  runner_id: string,
  run_id: string,
  entries: readonly JournalEntry[],
): Promise<Ingested> {
  for (let attempt = 0; attempt < CONTROL_LIMITS.conflict_attempts; attempt += 1) {
    const run = await readRun(deps.store, deps.store, run_id);
    if (run === undefined) return { kind: "refused", why: "unknown run" };
    if (run.holder !== runner_id) return { kind: "refused", why: "not the holder" };
    const batch = nextEntries(run.journal_seq, entries).slice(0, CONTROL_LIMITS.journal_entries_per_commit);
    const last = batch.at(-1);
    if (last === undefined) return { kind: "acknowledge", seq: run.journal_seq };
    const committed = await deps.store.commit({
      writes: [
        ...ingestWrites(deps.store, run, batch, last.seq, deps.clock.now()),
        ...(await stopWrites(deps, run, batch)),
      ],
      events: eventsOf(run, batch).map((draft) =>
        systemEvent({ ...deps, actor: `runner:${runner_id}` }, draft, { run_id, trace_id: run.trace_id }),
      ),
    });
    if (!committed.ok && committed.error.kind === "failed")
      throw new Error(`the journal of ${run_id} could not be taken in: ${committed.error.failure.code}`, {
        cause: committed.error.failure,
      });
    if (!committed.ok) continue; // somebody else moved the run: read again
    attempt = -1;
    if (last.seq === entries.at(-1)?.seq) return { kind: "acknowledge", seq: last.seq };
  }
  throw new Error(`the journal of ${run_id} is taken in by somebody else as well`);
}

/** What these entries say to the bot's stop conditions. */
async function stopWrites(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  run: RunRow,
  entries: readonly JournalEntry[],
): Promise<readonly Write[]> {
  const stops = isShadow(run) ? undefined : await readStops(store, store, run.bot_id);
  return stops === undefined ? [] : seenWrites(store, stops, seenIn(stops, entries), clock.now());
}

/** The entries that follow `seq` without a hole. */
export function nextEntries(seq: number, entries: readonly JournalEntry[]): readonly JournalEntry[] {
  const next: JournalEntry[] = [];
  for (const entry of entries.toSorted((a, b) => a.seq - b.seq))
    if (entry.seq === seq + next.length + 1) next.push(entry);
  return next;
}

function ingestWrites(
  store: Store,
  run: RunRow,
  entries: readonly JournalEntry[],
  last: number,
  now: number,
): readonly Write[] {
  const db = store.builder<ViewTables & InstanceTables>();
  const place = { run_id: run.run_id, bot_id: run.bot_id, instance_id: run.instance_id };
  const intents: IntentRow[] = [];
  const fills: FillRow[] = [];
  const orders: Write[] = [];
  const told: Write[] = [];
  const tell = (kind: string, key: string, data: Readonly<Record<string, unknown>>): void =>
    void told.push(feed(store, kind, key, { ...place, ...data }, now));
  for (const entry of entries) {
    const common = { ...place, seq: entry.seq, at_us: entry.at_us, trace_id: entry.trace_id };
    switch (entry.kind) {
      case "intent": {
        const { verdict, reason_code, client_order_id, idempotency_key, intent, event_time_us } = entry;
        intents.push({
          ...common,
          event_time_us,
          verdict,
          reason_code,
          client_order_id,
          idempotency_key,
          intent: JSON.stringify(intent),
        });
        tell("intent", run.bot_id, {
          seq: entry.seq,
          verdict,
          reason_code,
          client_order_id,
          idempotency_key,
          intent,
          event_time_us,
        });
        break;
      }
      case "order": {
        const client_order_id = textOf(entry.report, "client_order_id") ?? `${run.run_id}/${entry.seq}`;
        const row = {
          ...common,
          client_order_id,
          status: statusWord(entry.report),
          report: JSON.stringify(entry.report),
        };
        const { client_order_id: _, ...change } = row;
        orders.push(
          write(
            db
              .insertInto("order_view")
              .values(row)
              .onConflict((on) => on.column("client_order_id").doUpdateSet(change)),
            1,
          ),
        );
        tell("order", run.bot_id, { seq: entry.seq, client_order_id, status: row.status, report: entry.report });
        break;
      }
      case "fill":
        fills.push({
          ...common,
          event_time_us: entry.event_time_us,
          client_order_id: textOf(entry.fill, "client_order_id"),
          fill: JSON.stringify(entry.fill),
        });
        // A fill is also the newest word about its order.
        if (textOf(entry.fill, "report") !== null) {
          const change = {
            status: statusWord(entry.fill),
            seq: entry.seq,
            at_us: entry.at_us,
            report: JSON.stringify(entry.fill),
          };
          orders.push(
            write(
              db
                .updateTable("order_view")
                .set(change)
                .where("client_order_id", "=", textOf(entry.fill, "client_order_id") ?? ""),
              "any",
            ),
          );
        }
        tell("fill", run.bot_id, { seq: entry.seq, fill: entry.fill, event_time_us: entry.event_time_us });
        break;
      case "health":
        tell("health", run.bot_id, {
          seq: entry.seq,
          health_state: entry.health_state,
          reason_code: entry.reason_code,
        });
        break;
      case "staging":
        tell("staging", run.bot_id, { seq: entry.seq, ...entry.staging });
        break;
      case "breaker":
        tell("breaker", run.bot_id, { seq: entry.seq, ...entry.breaker });
        break;
      case "checkpoint":
      case "input":
      case "run_started":
      case "run_resumed":
      case "run_paused":
      case "run_continued":
      case "feed_ended":
      case "run_stopped":
        tell("run", run.bot_id, { seq: entry.seq, what: entry.kind });
        break;
    }
  }
  return [
    write(
      db
        .updateTable("run")
        .set({ journal_seq: last, journal_at: now })
        .where("run_id", "=", run.run_id)
        .where("journal_seq", "=", run.journal_seq)
        .where("holder", "=", run.holder),
      1,
    ),
    ...chunks(intents, 50).map((rows) => write(db.insertInto("intent_view").values(rows), rows.length)),
    ...chunks(fills, 50).map((rows) => write(db.insertInto("fill_view").values(rows), rows.length)),
    ...stagingWrites(store, run, entries, now),
    ...orders,
    ...told,
  ];
}

/** `accepted`, `filled`, `cancelled` …: the venue's last word. */
function statusWord(report: JsonObject): string {
  return textOf(report, "report") ?? textOf(report, "status") ?? textOf(report, "kind") ?? "unknown";
}

function textOf(object: JsonObject, name: string): string | null {
  const value = object[name];
  return typeof value === "string" ? value : null;
}

function chunks<T>(rows: readonly T[], size: number): T[][] {
  const made: T[][] = [];
  for (let at = 0; at < rows.length; at += size) made.push(rows.slice(at, at + size));
  return made;
}
