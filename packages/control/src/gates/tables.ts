/** The newest report of each gate, and whether the gate is required. */
import type { Migrations, Reader } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";

export type GateState = "PASS" | "FAIL" | "UNKNOWN";
export type GateRow = {
  gate: string;
  /** 1: risk grows only while it passes. */
  required: number;
  state: GateState;
  /** JSON list. */
  rules: string;
  run_id: string;
  /** 0: nobody has reported yet. */
  evaluated_at: number;
  expires_at: number;
  reported_by: string;
  row_version: number;
};
export type GateTables = { gate: GateRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE gate (
    gate TEXT NOT NULL PRIMARY KEY, required ${integer} NOT NULL, state TEXT NOT NULL CHECK (state IN ('PASS', 'FAIL', 'UNKNOWN')),
    rules TEXT NOT NULL, run_id TEXT NOT NULL, evaluated_at ${integer} NOT NULL, expires_at ${integer} NOT NULL,
    reported_by TEXT NOT NULL, row_version ${integer} NOT NULL)`,
];
export const GATE_MIGRATIONS: Migrations = {
  owner: "control.gates",
  steps: [{ name: "001-gates", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export function readGates(reader: Reader, sql: Sql): Promise<readonly GateRow[]> {
  return reader.rows<GateRow>(sql.builder<GateTables>().selectFrom("gate").selectAll().orderBy("gate"));
}
