/** Where units and their executions are written down. */
import type { Json } from "@rumi/kernel";
import type { Migrations, Reader, Store, Write } from "@rumi/store";
import { expecting } from "../packs/tables.ts";
import type { ExecutionMode, Unit } from "./model.ts";

type UnitRow = { store_id: string; unit_id: string; version: string; unit: string };
type RunRow = { run_id: string; run: string; answer: string | null; requested_at: number };
type UnitTables = { unit: UnitRow; unit_run: RunRow };
type Sql = Pick<Store, "builder">;

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE unit (
    store_id TEXT NOT NULL, unit_id TEXT NOT NULL, version TEXT NOT NULL, unit TEXT NOT NULL,
    PRIMARY KEY (store_id, unit_id, version))`,
  `CREATE TABLE unit_run (
    run_id TEXT NOT NULL PRIMARY KEY, run TEXT NOT NULL, answer TEXT, requested_at ${integer} NOT NULL)`,
  "CREATE INDEX unit_run_requested ON unit_run (requested_at)",
];

export const UNIT_MIGRATIONS: Migrations = {
  owner: "platform.units",
  steps: [{ name: "001-units", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export type UnitRun = {
  readonly run_id: string;
  readonly store_id: string;
  readonly unit_id: string;
  readonly version: string;
  readonly principal_id: string;
  readonly mode: ExecutionMode;
  readonly args: Json;
  readonly timeout_seconds: number;
  readonly actor: string;
  readonly trace_id: string;
};
export type UnitAnswer =
  | { readonly kind: "output"; readonly output: Json; readonly execution_time: number }
  | { readonly kind: "failed"; readonly problem: string };

export async function readUnits(reader: Reader, sql: Sql): Promise<readonly Unit[]> {
  const rows = await reader.rows<UnitRow>(
    sql.builder<UnitTables>().selectFrom("unit").selectAll().orderBy("store_id").orderBy("unit_id").orderBy("version"),
  );
  return rows.map(({ unit }) => JSON.parse(unit) as Unit);
}

export function insertUnit(sql: Sql, unit: Unit): Write {
  const { store_id, unit_id, version } = unit;
  const row = { store_id, unit_id, version, unit: JSON.stringify(unit) };
  return expecting(sql.builder<UnitTables>().insertInto("unit").values(row).compile(), 1);
}

/** Those of a store that goes. */
export function removeUnits(sql: Sql, store_id: string): Write {
  return expecting(sql.builder<UnitTables>().deleteFrom("unit").where("store_id", "=", store_id).compile(), "any");
}

export function insertUnitRun(sql: Sql, run: UnitRun, now: number, forget_before: number): readonly Write[] {
  const db = sql.builder<UnitTables>();
  const row = { run_id: run.run_id, run: JSON.stringify(run), answer: null, requested_at: now };
  return [
    expecting(db.insertInto("unit_run").values(row).compile(), 1),
    expecting(db.deleteFrom("unit_run").where("requested_at", "<", forget_before).compile(), "any"),
  ];
}

export async function readUnitRun(
  reader: Reader,
  sql: Sql,
  run_id: string,
): Promise<{ readonly run: UnitRun; readonly answer: UnitAnswer | null } | undefined> {
  const [row] = await reader.rows<RunRow>(
    sql.builder<UnitTables>().selectFrom("unit_run").selectAll().where("run_id", "=", run_id),
  );
  if (row === undefined) return undefined;
  return {
    run: JSON.parse(row.run) as UnitRun,
    answer: row.answer === null ? null : (JSON.parse(row.answer) as UnitAnswer),
  };
}

export function endUnitRun(sql: Sql, run_id: string, answer: UnitAnswer): Write {
  const db = sql.builder<UnitTables>();
  return expecting(
    db
      .updateTable("unit_run")
      .set({ answer: JSON.stringify(answer) })
      .where("run_id", "=", run_id)
      .where("answer", "is", null)
      .compile(),
    1,
  );
}
