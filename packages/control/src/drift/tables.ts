/**
 * Drift as a queue that outlives the program: one row for each difference, what is to be done about it, how often that was
 * tried and when it may be tried again; and the rules that a person set.
 */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";
import type { DriftAction, DriftClass, DriftPlace } from "./model.ts";

export type DriftState =
  | "open"
  /** Too many at once: a person has to say that it is meant. */
  | "braked"
  | "settled";
export type DriftRow = {
  drift_key: string;
  drift_class: DriftClass;
  place: DriftPlace;
  bot_id: string;
  strategy_id: string;
  instance_id: string;
  run_id: string | null;
  runner_id: string | null;
  epoch: number;
  expected: string;
  found: string;
  action: DriftAction;
  state: DriftState;
  /** A person let it through the brake. */
  released: number;
  detected_at: number;
  attempts: number;
  not_before: number;
  settled_at: number | null;
  outcome: "repaired" | "quarantined" | "cleared" | null;
  row_version: number;
};
export type DriftRuleRow = { drift_class: DriftClass; action: DriftAction; set_by: string; set_at: number };
export type DriftTables = { drift: DriftRow; drift_rule: DriftRuleRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE drift (
    drift_key TEXT NOT NULL PRIMARY KEY, drift_class TEXT NOT NULL, place TEXT NOT NULL, bot_id TEXT NOT NULL,
    strategy_id TEXT NOT NULL, instance_id TEXT NOT NULL, run_id TEXT, runner_id TEXT, epoch ${integer} NOT NULL,
    expected TEXT NOT NULL, found TEXT NOT NULL, action TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'braked', 'settled')), released ${integer} NOT NULL,
    detected_at ${integer} NOT NULL, attempts ${integer} NOT NULL, not_before ${integer} NOT NULL, settled_at ${integer},
    outcome TEXT, row_version ${integer} NOT NULL)`,
  "CREATE INDEX drift_waiting ON drift (state, not_before)",
  "CREATE INDEX drift_by_bot ON drift (bot_id, drift_class)",
  `CREATE TABLE drift_rule (
    drift_class TEXT NOT NULL PRIMARY KEY, action TEXT NOT NULL, set_by TEXT NOT NULL, set_at ${integer} NOT NULL)`,
];
export const DRIFT_MIGRATIONS: Migrations = {
  owner: "control.drift",
  steps: [{ name: "001-drift", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

/** What is not settled, oldest first. */
export function readWaiting(reader: Reader, sql: Sql): Promise<readonly DriftRow[]> {
  return reader.rows<DriftRow>(
    sql
      .builder<DriftTables>()
      .selectFrom("drift")
      .selectAll()
      .where("state", "!=", "settled")
      .orderBy("detected_at")
      .orderBy("drift_key"),
  );
}

export function readDrift(reader: Reader, sql: Sql, drift_key: string): Promise<DriftRow | undefined> {
  return first<DriftRow>(
    reader,
    sql.builder<DriftTables>().selectFrom("drift").selectAll().where("drift_key", "=", drift_key),
  );
}

export function readRules(reader: Reader, sql: Sql): Promise<readonly DriftRuleRow[]> {
  return reader.rows<DriftRuleRow>(sql.builder<DriftTables>().selectFrom("drift_rule").selectAll());
}

/** Until when an instance's start waits because it went missing too often; 0: it does not. */
export async function heldBackUntil(
  reader: Reader,
  sql: Sql,
  { bot_id, strategy_id, instance_id }: Pick<DriftRow, "bot_id" | "strategy_id" | "instance_id">,
): Promise<number> {
  const [row] = await reader.rows<Pick<DriftRow, "not_before">>(
    sql
      .builder<DriftTables>()
      .selectFrom("drift")
      .select("not_before")
      .where("bot_id", "=", bot_id)
      .where("drift_class", "=", "missing_instance")
      .where("strategy_id", "=", strategy_id)
      .where("instance_id", "=", instance_id)
      .where("state", "!=", "settled"),
  );
  return row?.not_before ?? 0;
}

export function putDrift(sql: Sql, before: DriftRow | undefined, next: DriftRow): Write {
  const db = sql.builder<DriftTables>();
  if (before === undefined) return write(db.insertInto("drift").values(next), 1);
  return write(
    db
      .updateTable("drift")
      .set({ ...next, row_version: before.row_version + 1 })
      .where("drift_key", "=", next.drift_key)
      .where("row_version", "=", before.row_version),
    1,
  );
}

export const putRule = (sql: Sql, row: DriftRuleRow): Write =>
  write(
    sql
      .builder<DriftTables>()
      .insertInto("drift_rule")
      .values(row)
      .onConflict((on) => on.column("drift_class").doUpdateSet(row)),
    1,
  );

export const releaseBraked = (sql: Sql): Write =>
  write(
    sql
      .builder<DriftTables>()
      .updateTable("drift")
      .set((of) => ({ state: "open" as const, released: 1, not_before: 0, row_version: of("row_version", "+", 1) }))
      .where("state", "=", "braked"),
    "any",
  );
