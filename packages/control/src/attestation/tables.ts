/** How far the stop of each run has come, what holds it up, and its signed record once it is proven. */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";
import type { StopRung } from "./model.ts";

export type LadderRow = {
  run_id: string;
  bot_id: string;
  strategy_id: string;
  instance_id: string;
  mode: string;
  /** `in_process`: it was the run's own and ended with it; `outside`: orders may live on there. */
  venue: "in_process" | "outside";
  epoch: number;
  rung: StopRung;
  open_orders: number | null;
  /** JSON list of {@link import("./statement.ts").RungAt}. */
  rungs: string;
  /** The rung that is waited for, why, and since when; null once it is proven. */
  blocked_rung: StopRung | null;
  blocked_why: string | null;
  blocked_since: number | null;
  /** JSON of the signed envelope. */
  envelope: string | null;
  attested_at: number | null;
  /** A claim of a person in a break-glass session, which proves nothing. */
  asserted_by: string | null;
  row_version: number;
};
export type LadderTables = { stop_ladder: LadderRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE stop_ladder (
    run_id TEXT NOT NULL PRIMARY KEY, bot_id TEXT NOT NULL, strategy_id TEXT NOT NULL, instance_id TEXT NOT NULL,
    mode TEXT NOT NULL, venue TEXT NOT NULL, epoch ${integer} NOT NULL, rung TEXT NOT NULL, open_orders ${integer},
    rungs TEXT NOT NULL, blocked_rung TEXT, blocked_why TEXT, blocked_since ${integer}, envelope TEXT,
    attested_at ${integer}, asserted_by TEXT, row_version ${integer} NOT NULL)`,
  "CREATE INDEX stop_ladder_by_bot ON stop_ladder (bot_id, run_id)",
];
const UNPROVEN: readonly string[] = [
  "CREATE INDEX stop_ladder_unproven ON stop_ladder (run_id) WHERE attested_at IS NULL AND asserted_by IS NULL",
];
export const LADDER_MIGRATIONS: Migrations = {
  owner: "control.attestation",
  steps: [
    { name: "001-stop-ladder", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-unproven", sqlite: UNPROVEN, postgres: UNPROVEN },
  ],
};

export function readLadder(reader: Reader, sql: Sql, run_id: string): Promise<LadderRow | undefined> {
  return first<LadderRow>(
    reader,
    sql.builder<LadderTables>().selectFrom("stop_ladder").selectAll().where("run_id", "=", run_id),
  );
}

/** Of one bot's runs that are looked at together. */
const OF_BOT = 200;

/** Of a bot's runs, newest first. */
export function readStopsOf(reader: Reader, sql: Sql, bot_id: string): Promise<readonly LadderRow[]> {
  return reader.rows<LadderRow>(
    sql
      .builder<LadderTables>()
      .selectFrom("stop_ladder")
      .selectAll()
      .where("bot_id", "=", bot_id)
      .orderBy("run_id", "desc")
      .limit(OF_BOT),
  );
}

export function putLadder(sql: Sql, before: LadderRow | undefined, next: LadderRow): Write {
  const db = sql.builder<LadderTables>();
  if (before === undefined) return write(db.insertInto("stop_ladder").values(next), 1);
  return write(
    db
      .updateTable("stop_ladder")
      .set({ ...next, row_version: before.row_version + 1 })
      .where("run_id", "=", next.run_id)
      .where("row_version", "=", before.row_version),
    1,
  );
}
