/** What a run's journal says of staged intents, as writes of its view; made in the commit that takes the journal in. */
import type { JournalEntry } from "@rumi/runtime";
import { write, type Write } from "@rumi/store";
import { sql as rawSql } from "kysely";
import type { RunRow } from "../instances/tables.ts";
import type { Sql } from "../shared/sql.ts";
import type { StagingTables } from "./tables.ts";

type StagedWords =
  | { readonly state: "staged"; readonly epoch: number; readonly expires_us: number }
  | { readonly state: "approved" };

export function stagingWrites(
  sql: Sql,
  run: Pick<RunRow, "run_id" | "bot_id" | "strategy_id" | "instance_id">,
  entries: readonly JournalEntry[],
  now: number,
): readonly Write[] {
  const db = sql.builder<StagingTables>();
  const change = (idempotency_key: string, values: object): Write =>
    write(
      db
        .updateTable("staged_intent")
        .set({ ...values, updated_at: now, row_version: rawSql<number>`row_version + 1` })
        .where("run_id", "=", run.run_id)
        .where("idempotency_key", "=", idempotency_key),
      "any",
    );
  return entries.flatMap((entry): readonly Write[] => {
    if (entry.kind === "staging") {
      const { idempotency_key, state, by, reason_code } = entry.staging;
      const who = by === null ? {} : { decided_by: by, decided_at: entry.at_us };
      return [change(idempotency_key, { state, reason_code, ...who, delivered: 1 })];
    }
    if (entry.kind !== "intent") return [];
    const { staging } = entry.intent as { readonly staging?: StagedWords };
    if (staging === undefined) return [];
    if (staging.state !== "staged") return [change(entry.idempotency_key, { client_order_id: entry.client_order_id })];
    return [
      write(
        db.insertInto("staged_intent").values({
          run_id: run.run_id,
          idempotency_key: entry.idempotency_key,
          seq: entry.seq,
          bot_id: run.bot_id,
          strategy_id: run.strategy_id,
          instance_id: run.instance_id,
          trace_id: entry.trace_id,
          epoch: staging.epoch,
          staged_at: entry.at_us,
          // By the clock it may wait as long as by the run's own time.
          expires_at: entry.at_us + staging.expires_us - entry.event_time_us,
          state: "staged",
          reason_code: entry.reason_code,
          decision: null,
          decided_by: null,
          decided_at: null,
          decision_reason: null,
          delivered: 0,
          failure: null,
          client_order_id: null,
          intent: JSON.stringify(entry.intent),
          updated_at: now,
          row_version: 1,
        }),
        1,
      ),
    ];
  });
}
