/** Admission reports: what was judged, by which checks, and what it came to. The newest few of each bot are kept. */
import { isoFromMicros, micros, type Micros } from "@rumi/kernel";
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { CONTROL_LIMITS } from "../limits.ts";
import { first, jsonOf, type Sql } from "../shared/sql.ts";

export type AdmissionRow = {
  report_id: string;
  /** Digest of everything that was judged; null where that was never known. */
  subject: string | null;
  bot_id: string;
  pack_id: string;
  strategy_id: string;
  strategy_version: string;
  digest: string;
  admitted: number;
  error_code: string | null;
  reason_code: string | null;
  /** JSON lists. */
  checks: string;
  isolation: string | null;
  created_at: number;
};
export type AdmissionTables = { admission_report: AdmissionRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE admission_report (
    report_id TEXT NOT NULL PRIMARY KEY, subject TEXT, bot_id TEXT NOT NULL, pack_id TEXT NOT NULL,
    strategy_id TEXT NOT NULL, strategy_version TEXT NOT NULL, digest TEXT NOT NULL, admitted ${integer} NOT NULL,
    error_code TEXT, reason_code TEXT, checks TEXT NOT NULL, isolation TEXT, created_at ${integer} NOT NULL)`,
  "CREATE INDEX admission_report_bot ON admission_report (bot_id, created_at)",
  "CREATE INDEX admission_report_subject ON admission_report (subject, created_at)",
  "CREATE INDEX admission_report_age ON admission_report (created_at)",
];
export const ADMISSION_MIGRATIONS: Migrations = {
  owner: "control.admissions",
  steps: [{ name: "001-reports", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

/** The report goes in, and what is more than the newest `admission_reports` of its bot goes out. */
export function keepReport(sql: Sql, row: AdmissionRow): readonly Write[] {
  const db = sql.builder<AdmissionTables>();
  const newest = db
    .selectFrom("admission_report")
    .select("report_id")
    .where("bot_id", "=", row.bot_id)
    .orderBy("created_at", "desc")
    .orderBy("report_id", "desc")
    .limit(CONTROL_LIMITS.admission_reports);
  return [
    write(db.insertInto("admission_report").values(row), 1),
    write(
      db.deleteFrom("admission_report").where("bot_id", "=", row.bot_id).where("report_id", "not in", newest),
      "any",
    ),
  ];
}

/** The newest report that admitted this very subject, not older than it may be. */
export function readAdmitted(
  reader: Reader,
  sql: Sql,
  subject: string,
  now: Micros,
): Promise<{ readonly report_id: string } | undefined> {
  return first<{ readonly report_id: string }>(
    reader,
    sql
      .builder<AdmissionTables>()
      .selectFrom("admission_report")
      .select("report_id")
      .where("subject", "=", subject)
      .where("admitted", "=", 1)
      .where("created_at", ">", now - CONTROL_LIMITS.admission_fresh_ms * 1_000)
      .orderBy("created_at", "desc")
      .limit(1),
  );
}

export function reportView(row: AdmissionRow) {
  return {
    ...row,
    admitted: row.admitted === 1,
    checks: jsonOf<readonly unknown[]>(row.checks),
    isolation: row.isolation === null ? null : jsonOf<unknown>(row.isolation),
    created_at: isoFromMicros(micros(row.created_at)),
  };
}
