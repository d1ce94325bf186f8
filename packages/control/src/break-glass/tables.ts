/** Break-glass sessions: one row each, kept for ever, because the review of what was done under it is evidence. */
import type { Migrations, Reader, Write } from "@rumi/store";
import { write } from "@rumi/store";
import { first, jsonOf, type Sql } from "../shared/sql.ts";

export type SessionRow = {
  session_id: string;
  environment: string;
  holder: string;
  /** The challenge by which a second person approved it. */
  approval_id: string;
  /** JSON list of operations. */
  verbs: string;
  reason: string;
  opened_at: number;
  /** When it ends by itself. */
  ends_at: number;
  closed_at: number | null;
  reviewed_at: number | null;
  reviewed_by: string | null;
  review: string | null;
  /** 1: a rehearsal; it covers rehearsals only. */
  training: number;
  row_version: number;
};
export type SessionTables = { break_glass_session: SessionRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE break_glass_session (
    session_id TEXT NOT NULL PRIMARY KEY, environment TEXT NOT NULL, holder TEXT NOT NULL, approval_id TEXT NOT NULL UNIQUE,
    verbs TEXT NOT NULL, reason TEXT NOT NULL, opened_at ${integer} NOT NULL, ends_at ${integer} NOT NULL,
    closed_at ${integer}, reviewed_at ${integer}, reviewed_by TEXT, review TEXT, row_version ${integer} NOT NULL,
    CHECK (reviewed_by IS NULL OR reviewed_by <> holder))`,
  "CREATE INDEX break_glass_unreviewed ON break_glass_session (opened_at) WHERE reviewed_at IS NULL",
];
const training = (integer: string): readonly string[] => [
  `ALTER TABLE break_glass_session ADD COLUMN training ${integer} NOT NULL DEFAULT 0 CHECK (training IN (0, 1))`,
];
export const BREAK_GLASS_MIGRATIONS: Migrations = {
  owner: "control.break_glass",
  steps: [
    { name: "001-sessions", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-training", sqlite: training("INTEGER"), postgres: training("BIGINT") },
  ],
};

export function readSession(reader: Reader, sql: Sql, session_id: string): Promise<SessionRow | undefined> {
  return first<SessionRow>(
    reader,
    sql.builder<SessionTables>().selectFrom("break_glass_session").selectAll().where("session_id", "=", session_id),
  );
}

/** The one that is open or waits for its review; there is never a second, but one that is only rehearsed. */
export function readUnreviewed(reader: Reader, sql: Sql, training: boolean): Promise<SessionRow | undefined> {
  return first<SessionRow>(
    reader,
    sql
      .builder<SessionTables>()
      .selectFrom("break_glass_session")
      .selectAll()
      .where("reviewed_at", "is", null)
      .where("training", "=", training ? 1 : 0)
      .orderBy("opened_at")
      .limit(1),
  );
}

export function updateSession(sql: Sql, row: SessionRow, change: Partial<SessionRow>): Write {
  return write(
    sql
      .builder<SessionTables>()
      .updateTable("break_glass_session")
      .set({ ...change, row_version: row.row_version + 1 })
      .where("session_id", "=", row.session_id)
      .where("row_version", "=", row.row_version),
    1,
  );
}

/** Fits while the session is as it was read. */
export function sessionFence(sql: Sql, { session_id, row_version }: SessionRow): Write {
  return write(
    sql
      .builder<SessionTables>()
      .updateTable("break_glass_session")
      .set({ row_version })
      .where("session_id", "=", session_id)
      .where("row_version", "=", row_version),
    1,
  );
}

export function verbsOf(row: SessionRow): readonly string[] {
  return jsonOf<readonly string[]>(row.verbs);
}
