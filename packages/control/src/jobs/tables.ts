/** Jobs: a wish for many bots that is written down by name, and the bulk that carries it out now or did so last. */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";

export type JobRow = {
  job_id: string;
  display_name: string;
  /** JSON of {@link import("./model.ts").JobSpec}. */
  spec: string;
  /** Rises with each start. */
  generation: number;
  bulk_id: string | null;
  created_at: number;
  created_by: string;
  row_version: number;
};
export type JobTables = { job: JobRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE job (
    job_id TEXT NOT NULL PRIMARY KEY, display_name TEXT NOT NULL, spec TEXT NOT NULL, generation ${integer} NOT NULL,
    bulk_id TEXT, created_at ${integer} NOT NULL, created_by TEXT NOT NULL, row_version ${integer} NOT NULL)`,
];
export const JOB_MIGRATIONS: Migrations = {
  owner: "control.jobs",
  steps: [{ name: "001-jobs", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export function readJob(reader: Reader, sql: Sql, job_id: string): Promise<JobRow | undefined> {
  return first<JobRow>(reader, sql.builder<JobTables>().selectFrom("job").selectAll().where("job_id", "=", job_id));
}

export const insertJob = (sql: Sql, row: JobRow): Write =>
  write(sql.builder<JobTables>().insertInto("job").values(row), 1);

/** Another run of it; a conflict means that somebody else started it meanwhile. */
export const startJob = (sql: Sql, row: JobRow, bulk_id: string): Write =>
  write(
    sql
      .builder<JobTables>()
      .updateTable("job")
      .set({ bulk_id, generation: row.generation + 1, row_version: row.row_version + 1 })
      .where("job_id", "=", row.job_id)
      .where("row_version", "=", row.row_version),
    1,
  );
