/** Bulk operations: the list that was frozen, how far it has come, and what it wishes of each bot. */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";

export type BulkRow = {
  bulk_id: string;
  /** Who asked for it; each bot's command is theirs. */
  actor: string;
  reason: string;
  trace_id: string;
  from_state: string;
  to_state: string;
  /** Of the list as it was frozen: each bot with its generation. */
  digest: string;
  /** JSON: each bot's generation when the list was frozen; `{}` in rows that are older than this column. */
  generations: string;
  /** The group that it was resolved from, and that group's generation then. */
  group_id: string | null;
  group_generation: number | null;
  /** JSON of {@link import("./model.ts").Bulk}. */
  bulk: string;
  /** So that a retry's commands have ids of their own. */
  tries: number;
  /** JSON: by target, why it failed. */
  failures: string;
  state: "running" | "over";
  created_at: number;
  row_version: number;
};
export type BulkTables = { bulk: BulkRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE bulk (
    bulk_id TEXT NOT NULL PRIMARY KEY, actor TEXT NOT NULL, reason TEXT NOT NULL, trace_id TEXT NOT NULL,
    from_state TEXT NOT NULL, to_state TEXT NOT NULL, digest TEXT NOT NULL, bulk TEXT NOT NULL, tries ${integer} NOT NULL,
    failures TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('running', 'over')), created_at ${integer} NOT NULL,
    row_version ${integer} NOT NULL)`,
  "CREATE INDEX bulk_running ON bulk (bulk_id) WHERE state = 'running'",
];
const FROZEN = (integer: string): readonly string[] => [
  "ALTER TABLE bulk ADD COLUMN generations TEXT NOT NULL DEFAULT '{}'",
  "ALTER TABLE bulk ADD COLUMN group_id TEXT",
  `ALTER TABLE bulk ADD COLUMN group_generation ${integer}`,
];
export const BULK_MIGRATIONS: Migrations = {
  owner: "control.bulk",
  steps: [
    { name: "001-bulk", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-frozen-generations", sqlite: FROZEN("INTEGER"), postgres: FROZEN("BIGINT") },
  ],
};

export function readBulk(reader: Reader, sql: Sql, bulk_id: string): Promise<BulkRow | undefined> {
  return first<BulkRow>(
    reader,
    sql.builder<BulkTables>().selectFrom("bulk").selectAll().where("bulk_id", "=", bulk_id),
  );
}

export function runningBulks(reader: Reader, sql: Sql): Promise<readonly BulkRow[]> {
  return reader.rows<BulkRow>(
    sql.builder<BulkTables>().selectFrom("bulk").selectAll().where("state", "=", "running").orderBy("bulk_id"),
  );
}

export function newestBulks(reader: Reader, sql: Sql, limit: number): Promise<readonly BulkRow[]> {
  return reader.rows<BulkRow>(
    sql
      .builder<BulkTables>()
      .selectFrom("bulk")
      .selectAll()
      .orderBy("created_at", "desc")
      .orderBy("bulk_id", "desc")
      .limit(limit),
  );
}

export const insertBulk = (sql: Sql, row: BulkRow): Write =>
  write(sql.builder<BulkTables>().insertInto("bulk").values(row), 1);

export const updateBulk = (sql: Sql, row: BulkRow, change: Partial<BulkRow>): Write =>
  write(
    sql
      .builder<BulkTables>()
      .updateTable("bulk")
      .set({ ...change, row_version: row.row_version + 1 })
      .where("bulk_id", "=", row.bulk_id)
      .where("row_version", "=", row.row_version),
    1,
  );
