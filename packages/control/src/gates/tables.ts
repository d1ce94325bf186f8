/** The newest report of each gate, and whether the gate is required. */
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
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
/** Rises whenever a required gate is told not to pass, and with every further requirement. */
type HeadRow = { one: number; generation: number };
export type GateTables = { gate: GateRow; gate_head: HeadRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE gate (
    gate TEXT NOT NULL PRIMARY KEY, required ${integer} NOT NULL, state TEXT NOT NULL CHECK (state IN ('PASS', 'FAIL', 'UNKNOWN')),
    rules TEXT NOT NULL, run_id TEXT NOT NULL, evaluated_at ${integer} NOT NULL, expires_at ${integer} NOT NULL,
    reported_by TEXT NOT NULL, row_version ${integer} NOT NULL)`,
];
const headStatements = (integer: string): readonly string[] => [
  `CREATE TABLE gate_head (one ${integer} NOT NULL PRIMARY KEY CHECK (one = 1), generation ${integer} NOT NULL)`,
  "INSERT INTO gate_head (one, generation) VALUES (1, 0)",
];
export const GATE_MIGRATIONS: Migrations = {
  owner: "control.gates",
  steps: [
    { name: "001-gates", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-head", sqlite: headStatements("INTEGER"), postgres: headStatements("BIGINT") },
  ],
};

// Every command that may increase risk passes here.
const SELECT_GATES = compiledText<GateTables>((db) => db.selectFrom("gate").selectAll().orderBy("gate"));
const SELECT_HEAD = compiledText<GateTables>((db) => db.selectFrom("gate_head").selectAll());
const FENCE = compiledText<GateTables>((db) =>
  db.updateTable("gate_head").set({ generation: 0 }).where("one", "=", 1).where("generation", "=", 0),
);

export function readGates(reader: Reader, sql: Sql): Promise<readonly GateRow[]> {
  return reader.rows<GateRow>({ sql: SELECT_GATES(sql), parameters: [] });
}

/** By which a start that was judged before finds out. */
export function gatesChanged(sql: Sql): Write {
  const rise = sql
    .builder<GateTables>()
    .updateTable("gate_head")
    .set((of) => ({ generation: of("generation", "+", 1) }));
  return write(rise.where("one", "=", 1), 1);
}

/** Fits while no required gate was told not to pass, and none was required beside them, since this reading. */
export async function gateFence(reader: Reader, sql: Sql): Promise<Write> {
  const [head] = await reader.rows<HeadRow>({ sql: SELECT_HEAD(sql), parameters: [] });
  if (head === undefined) throw new Error("the head of the gates is missing");
  return { sql: FENCE(sql), parameters: [head.generation, 1, head.generation], expect: 1 };
}
