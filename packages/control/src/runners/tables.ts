/** Runners that ever dialled in, and what they said about isolation on their machine. */
import type { RunnerMessage } from "@rumi/runtime";
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";

export type IsolationFact = Extract<RunnerMessage, { type: "instances" }>["isolation"][number];

export type RunnerRow = {
  runner_id: string;
  pid: number;
  state: "connected" | "lost" | "gone";
  isolation: string;
  instances: number;
  connected_at: number;
  last_seen_at: number;
};
export type RunnerTables = { runner: RunnerRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE runner (
    runner_id TEXT NOT NULL PRIMARY KEY, pid ${integer} NOT NULL, state TEXT NOT NULL, isolation TEXT NOT NULL, instances ${integer} NOT NULL,
    connected_at ${integer} NOT NULL, last_seen_at ${integer} NOT NULL)`,
];

export const RUNNER_MIGRATIONS: Migrations = {
  owner: "control.runners",
  steps: [{ name: "001-runners", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export function readRunners(reader: Reader, sql: Sql): Promise<readonly RunnerRow[]> {
  return reader.rows<RunnerRow>(
    sql.builder<RunnerTables>().selectFrom("runner").selectAll().orderBy("last_seen_at", "desc").limit(200),
  );
}

export function putRunner(sql: Sql, row: RunnerRow): Write {
  const { runner_id: _, ...change } = row;
  return write(
    sql
      .builder<RunnerTables>()
      .insertInto("runner")
      .values(row)
      .onConflict((on) => on.column("runner_id").doUpdateSet(change)),
    1,
  );
}

export function setRunnerState(sql: Sql, runner_id: string, state: RunnerRow["state"], now: number): Write {
  return write(
    sql
      .builder<RunnerTables>()
      .updateTable("runner")
      .set({ state, last_seen_at: now })
      .where("runner_id", "=", runner_id),
    "any",
  );
}
