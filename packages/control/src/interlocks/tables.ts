/** What tripped and holds until a person clears it; a row is never deleted, clearing it is a fact of its own. */
import type { EventDraft } from "@rumi/operations";
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";

export type LatchRow = {
  latch_id: string;
  rule_id: string;
  /** Decimal. */
  reading: string;
  threshold: string;
  reason: string;
  tripped_at: number;
  cleared_at: number | null;
  cleared_by: string | null;
};
/** Latches that are not on record yet, by rule. */
export type OwedLatches = Map<string, LatchRow>;
/** As whom the interlocks set the safety mode. */
export const INTERLOCKS_ID = "system:interlocks";
export type InterlockTables = { interlock_latch: LatchRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE interlock_latch (
    latch_id TEXT NOT NULL PRIMARY KEY, rule_id TEXT NOT NULL, reading TEXT NOT NULL, threshold TEXT NOT NULL,
    reason TEXT NOT NULL, tripped_at ${integer} NOT NULL, cleared_at ${integer}, cleared_by TEXT)`,
  "CREATE UNIQUE INDEX interlock_latch_open ON interlock_latch (rule_id) WHERE cleared_at IS NULL",
];
export const INTERLOCK_MIGRATIONS: Migrations = {
  owner: "control.interlocks",
  steps: [{ name: "001-latches", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

/** Those that hold, oldest first; at most one for each rule. */
export function readLatches(reader: Reader, sql: Sql): Promise<readonly LatchRow[]> {
  return reader.rows<LatchRow>(
    sql
      .builder<InterlockTables>()
      .selectFrom("interlock_latch")
      .selectAll()
      .where("cleared_at", "is", null)
      .orderBy("tripped_at")
      .orderBy("latch_id"),
  );
}

export const insertLatch = (sql: Sql, row: LatchRow): Write =>
  write(sql.builder<InterlockTables>().insertInto("interlock_latch").values(row), 1);

export const trippedEvent = ({ latch_id, rule_id, reading, threshold }: LatchRow): EventDraft => ({
  action: "interlock.tripped",
  resource_type: "interlock",
  resource_id: rule_id,
  outcome: "SUCCESS",
  details: { latch_id, rule_id, reading, threshold },
});

export const clearLatch = (sql: Sql, { latch_id }: LatchRow, by: string, now: number): Write =>
  write(
    sql
      .builder<InterlockTables>()
      .updateTable("interlock_latch")
      .set({ cleared_at: now, cleared_by: by })
      .where("latch_id", "=", latch_id)
      .where("cleared_at", "is", null),
    1,
  );
