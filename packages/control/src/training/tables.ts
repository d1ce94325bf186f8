/** Who is in training, from when and until when; rows are kept after their end, and a restart ends none. */
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";

/** One for each person of a training. */
export type TrainingRow = {
  session_id: string;
  principal: string;
  reason: string;
  started_by: string;
  started_at: number;
  /** When it ends by itself. */
  ends_at: number;
  ended_at: number | null;
  ended_by: string | null;
};
export type TrainingTables = { training: TrainingRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE training (
    session_id TEXT NOT NULL, principal TEXT NOT NULL, reason TEXT NOT NULL, started_by TEXT NOT NULL,
    started_at ${integer} NOT NULL, ends_at ${integer} NOT NULL, ended_at ${integer}, ended_by TEXT,
    PRIMARY KEY (session_id, principal))`,
  "CREATE INDEX training_of ON training (principal, ends_at) WHERE ended_at IS NULL",
];
export const TRAINING_MIGRATIONS: Migrations = {
  owner: "control.training",
  steps: [{ name: "001-training", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

const SELECT = compiledText<TrainingTables>((db) =>
  db
    .selectFrom("training")
    .selectAll()
    .where("principal", "=", "")
    .where("ended_at", "is", null)
    .orderBy("ends_at", "desc")
    .limit(1),
);

/** The one that ends last of those that this person is in. */
export async function readTraining(
  reader: Reader,
  sql: Sql,
  principal: string,
  now: number,
): Promise<TrainingRow | undefined> {
  const [last] = await reader.rows<TrainingRow>({ sql: SELECT(sql), parameters: [principal, 1] });
  return last !== undefined && last.ends_at > now ? last : undefined;
}

/** Newest first, of those that are under way or of all. */
export function readTrainings(
  reader: Reader,
  sql: Sql,
  asked: { readonly open_at: number | null; readonly limit: number },
): Promise<readonly TrainingRow[]> {
  const query = sql
    .builder<TrainingTables>()
    .selectFrom("training")
    .selectAll()
    .orderBy("started_at", "desc")
    .orderBy("session_id", "desc")
    .orderBy("principal")
    .limit(asked.limit);
  return reader.rows<TrainingRow>(
    asked.open_at === null ? query : query.where("ended_at", "is", null).where("ends_at", ">", asked.open_at),
  );
}

export const insertTraining = (sql: Sql, row: TrainingRow): Write =>
  write(sql.builder<TrainingTables>().insertInto("training").values(row), 1);

/** Ends whatever this person is in. */
export const endTraining = (sql: Sql, principal: string, ended_by: string, now: number): Write =>
  write(
    sql
      .builder<TrainingTables>()
      .updateTable("training")
      .set({ ended_at: now, ended_by })
      .where("principal", "=", principal)
      .where("ended_at", "is", null),
    "any",
  );
