/** Preflight reports: each start has one, and a run cannot be written down without it (instances/tables.ts). */
import { isoFromMicros, micros } from "@rumi/kernel";
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, jsonOf, type Sql } from "../shared/sql.ts";
import type { ItemReport, PreflightReport } from "./model.ts";

export type PreflightRow = {
  report_id: string;
  bot_id: string;
  command_id: string;
  passed: number;
  items: string;
  created_at: number;
};
export type PreflightTables = { preflight_report: PreflightRow };
const statements = (integer: string): readonly string[] => [
  `CREATE TABLE preflight_report (
    report_id TEXT NOT NULL PRIMARY KEY, bot_id TEXT NOT NULL, command_id TEXT NOT NULL, passed ${integer} NOT NULL, items TEXT NOT NULL, created_at ${integer} NOT NULL)`,
  "CREATE INDEX preflight_report_bot ON preflight_report (bot_id, created_at)",
];

/** Updates and shadows were once started on the word of their admission alone: said so, where a run refers to one. */
const EARLIER: ItemReport = {
  item: "admission",
  state: "NOTE",
  error_code: null,
  message: "Begun by an update or as a shadow before those had a preflight of their own; it was admitted.",
  next: "",
};
const EARLIER_RUNS: readonly string[] = [
  `INSERT INTO preflight_report (report_id, bot_id, command_id, passed, items, created_at)
    SELECT report_id, MIN(bot_id), MIN(command_id), 1, '${JSON.stringify([EARLIER])}', MIN(started_at) FROM run
    WHERE report_id NOT IN (SELECT report_id FROM preflight_report) GROUP BY report_id`,
];

export const PREFLIGHT_MIGRATIONS: Migrations = {
  owner: "control.preflight",
  steps: [
    { name: "001-reports", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-earlier-updates", sqlite: EARLIER_RUNS, postgres: EARLIER_RUNS },
  ],
};

/** Only a report that passed is kept: a refused start is told with its report, and leaves the refusal in the log. */
export function insertReport(sql: Sql, report: PreflightReport, of: ReportOf): Write {
  return write(sql.builder<PreflightTables>().insertInto("preflight_report").values(reportRow(report, of)), 1);
}
type ReportOf = { readonly bot_id: string; readonly command_id: string; readonly now: number };

export function reportRow({ report_id, items }: PreflightReport, { bot_id, command_id, now }: ReportOf): PreflightRow {
  return { report_id, bot_id, command_id, passed: 1, items: JSON.stringify(items), created_at: now };
}

export function readReport(reader: Reader, sql: Sql, report_id: string): Promise<PreflightRow | undefined> {
  return first<PreflightRow>(
    reader,
    sql.builder<PreflightTables>().selectFrom("preflight_report").selectAll().where("report_id", "=", report_id),
  );
}

export function reportView(row: PreflightRow) {
  return {
    report_id: row.report_id,
    bot_id: row.bot_id,
    command_id: row.command_id,
    passed: row.passed === 1,
    items: jsonOf<readonly ItemReport[]>(row.items),
    created_at: isoFromMicros(micros(row.created_at)),
  };
}
