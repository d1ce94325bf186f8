/** The safety mode in force and its history; exactly one row is current, which the database itself keeps true. */
import { isoFromMicros, micros } from "@rumi/kernel";
import type { SafetyMode, SafetyReader } from "@rumi/operations";
import { compiledText, type Migrations, type Reader, type Write } from "@rumi/store";
import type { Tightened } from "../emergency/spool.ts";
import type { Sql } from "../shared/sql.ts";
import type { SafetyState } from "./model.ts";

/** `current` is 1 for exactly one row; the others are history. */
export type SafetyRow = {
  state_id: string;
  current: number;
  generation: number;
  mode: string;
  reason: string;
  activated_by: string;
  activated_at: number;
  resolved_at: number | null;
};
export type SafetyTables = { safety_state: SafetyRow };

const FIRST_STATE = "00000000-0000-7000-8000-000000000000";

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE safety_state (
    state_id TEXT NOT NULL PRIMARY KEY, current ${integer} NOT NULL, generation ${integer} NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('NORMAL', 'SAFE', 'EMERGENCY_STOP')),
    reason TEXT NOT NULL, activated_by TEXT NOT NULL, activated_at ${integer} NOT NULL, resolved_at ${integer})`,
  "CREATE UNIQUE INDEX safety_state_current ON safety_state (current) WHERE current = 1",
  `INSERT INTO safety_state (state_id, current, generation, mode, reason, activated_by, activated_at, resolved_at)
    VALUES ('${FIRST_STATE}', 1, 0, 'NORMAL', 'a new home starts NORMAL', 'system:safety', 0, NULL)`,
];

export const SAFETY_MIGRATIONS: Migrations = {
  owner: "control.safety",
  steps: [{ name: "001-safety-state", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

// Every command that may increase risk passes here.
const SELECT_CURRENT = compiledText<SafetyTables>((db) =>
  db.selectFrom("safety_state").selectAll().where("current", "=", 1),
);
const FENCE = compiledText<SafetyTables>((db) =>
  db.updateTable("safety_state").set({ current: 1 }).where("state_id", "=", "").where("current", "=", 1),
);

export async function readSafety(reader: Reader, sql: Sql): Promise<SafetyRow> {
  const row = (await reader.rows<SafetyRow>({ sql: SELECT_CURRENT(sql), parameters: [1] }))[0];
  if (row === undefined) throw new Error("the row of the current safety state is missing");
  return row;
}

/** Matches only while the mode that was read is still in force. */
export function safetyFence(sql: Sql, row: SafetyRow): Write {
  return { sql: FENCE(sql), parameters: [1, row.state_id, 1], expect: 1 };
}

/** What the pipeline asks before every risk-increasing operation. */
export function safetyReader(sql: Sql, spool?: Pick<Tightened, "mode">): SafetyReader {
  return {
    read: async (reader) => {
      const row = await readSafety(reader, sql);
      const mode = row.mode as SafetyMode;
      return { mode: spool?.mode(mode) ?? mode, fence: safetyFence(sql, row) };
    },
  };
}

export function safetyView(row: SafetyRow): SafetyState & { readonly generation: number } {
  return {
    schema_version: 1,
    state_id: row.state_id,
    mode: row.mode as SafetyMode,
    reason: row.reason,
    activated_by: row.activated_by,
    activated_at: isoFromMicros(micros(row.activated_at)),
    ...(row.resolved_at === null ? {} : { resolved_at: isoFromMicros(micros(row.resolved_at)) }),
    generation: row.generation,
  };
}
