/** Commands that were accepted; refused ones live in the audit log alone. */
import { write, type Migrations, type Write } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";

export type CommandRow = {
  command_id: string;
  bot_id: string;
  from_state: string;
  to_state: string;
  actor: string;
  reason: string;
  trace_id: string;
  /** The caller's own execution id, and the run that the command started or touched. */
  caller_run_id: string;
  run_id: string | null;
  status: "accepted" | "applied";
  report_id: string | null;
  created_at: number;
};
export type CommandTables = { command: CommandRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE command (
    command_id TEXT NOT NULL PRIMARY KEY, bot_id TEXT NOT NULL, from_state TEXT NOT NULL, to_state TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL,
    trace_id TEXT NOT NULL, caller_run_id TEXT NOT NULL, run_id TEXT, status TEXT NOT NULL, report_id TEXT, created_at ${integer} NOT NULL)`,
  "CREATE INDEX command_by_bot ON command (bot_id, created_at, command_id)",
  "CREATE INDEX command_by_time ON command (created_at, command_id)",
  "CREATE INDEX command_by_trace ON command (trace_id)",
];

export const COMMAND_MIGRATIONS: Migrations = {
  owner: "control.commands",
  steps: [{ name: "001-commands", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export function insertCommand(sql: Sql, row: CommandRow): Write {
  return write(sql.builder<CommandTables>().insertInto("command").values(row), 1);
}
