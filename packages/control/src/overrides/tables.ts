/** Overrides; a row is never deleted, and its end is part of it from the first moment. */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { ChallengeTables } from "../challenges/tables.ts";
import { first, type Sql } from "../shared/sql.ts";
import type { OverridableCheck } from "./checks.ts";

export type OverrideRow = {
  override_id: string;
  /** Of whom; null where it is of an artifact. */
  bot_id: string | null;
  /** Digest of the artifact; null where it is of a bot. */
  artifact_id: string | null;
  check_name: OverridableCheck;
  reason: string;
  granted_by: string;
  /** The challenge by which a second person approved it. */
  approval_id: string;
  granted_at: number;
  /** From then on it counts for nothing. */
  ends_at: number;
  /** When it was said that it is over, and by whom. */
  ended_at: number | null;
  ended_by: string | null;
};
export type OverrideTables = { preflight_override: OverrideRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE preflight_override (
    override_id TEXT NOT NULL PRIMARY KEY, bot_id TEXT NOT NULL, check_name TEXT NOT NULL, reason TEXT NOT NULL,
    granted_by TEXT NOT NULL, approval_id TEXT NOT NULL UNIQUE, granted_at ${integer} NOT NULL, ends_at ${integer} NOT NULL,
    ended_at ${integer}, ended_by TEXT, CHECK (ends_at > granted_at))`,
  "CREATE INDEX preflight_override_open ON preflight_override (ends_at) WHERE ended_by IS NULL",
  "CREATE INDEX preflight_override_bot ON preflight_override (bot_id, granted_at)",
];
/** Overrides of an artifact have no bot. */
const ARTIFACTS_SQLITE: readonly string[] = [
  `CREATE TABLE preflight_override_next (
    override_id TEXT NOT NULL PRIMARY KEY, bot_id TEXT, artifact_id TEXT, check_name TEXT NOT NULL, reason TEXT NOT NULL,
    granted_by TEXT NOT NULL, approval_id TEXT NOT NULL UNIQUE, granted_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
    ended_at INTEGER, ended_by TEXT, CHECK (ends_at > granted_at), CHECK ((bot_id IS NULL) <> (artifact_id IS NULL)))`,
  `INSERT INTO preflight_override_next
    SELECT override_id, bot_id, NULL, check_name, reason, granted_by, approval_id, granted_at, ends_at, ended_at, ended_by
    FROM preflight_override`,
  "DROP TABLE preflight_override",
  "ALTER TABLE preflight_override_next RENAME TO preflight_override",
  "CREATE INDEX preflight_override_open ON preflight_override (ends_at) WHERE ended_by IS NULL",
  "CREATE INDEX preflight_override_bot ON preflight_override (bot_id, granted_at)",
  "CREATE INDEX preflight_override_artifact ON preflight_override (artifact_id, granted_at)",
];
const ARTIFACTS_POSTGRES: readonly string[] = [
  "ALTER TABLE preflight_override ALTER COLUMN bot_id DROP NOT NULL",
  "ALTER TABLE preflight_override ADD COLUMN artifact_id TEXT",
  "ALTER TABLE preflight_override ADD CHECK ((bot_id IS NULL) <> (artifact_id IS NULL))",
  "CREATE INDEX preflight_override_artifact ON preflight_override (artifact_id, granted_at)",
];
export const OVERRIDE_MIGRATIONS: Migrations = {
  owner: "control.overrides",
  steps: [
    { name: "001-overrides", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-artifacts", sqlite: ARTIFACTS_SQLITE, postgres: ARTIFACTS_POSTGRES },
  ],
};

/** Ended ones that are looked at beside those in force: why an exception does not count is said by them. */
const OF_ARTIFACT = 20;

/** Of this artifact, newest first. */
export function readOfArtifact(reader: Reader, sql: Sql, artifact_id: string): Promise<readonly OverrideRow[]> {
  return reader.rows<OverrideRow>(
    sql
      .builder<OverrideTables>()
      .selectFrom("preflight_override")
      .selectAll()
      .where("artifact_id", "=", artifact_id)
      .orderBy("granted_at", "desc")
      .orderBy("override_id", "desc")
      .limit(OF_ARTIFACT),
  );
}

/** Those of which nobody has said yet that they are over; whether they count, the clock says. */
export function readOpen(reader: Reader, sql: Sql): Promise<readonly OverrideRow[]> {
  return reader.rows<OverrideRow>(
    sql
      .builder<OverrideTables>()
      .selectFrom("preflight_override")
      .selectAll()
      .where("ended_by", "is", null)
      .orderBy("ends_at")
      .orderBy("override_id"),
  );
}

export function readOverride(reader: Reader, sql: Sql, override_id: string): Promise<OverrideRow | undefined> {
  return first<OverrideRow>(
    reader,
    sql.builder<OverrideTables>().selectFrom("preflight_override").selectAll().where("override_id", "=", override_id),
  );
}

/** Newest first, each with whoever approved it. */
export function readOverrides(
  reader: Reader,
  sql: Sql,
  {
    bot_id,
    artifact_id,
    limit,
  }: { readonly bot_id: string | undefined; readonly artifact_id: string | undefined; readonly limit: number },
): Promise<readonly (OverrideRow & { readonly approver: string | null })[]> {
  let query = sql
    .builder<OverrideTables & ChallengeTables>()
    .selectFrom("preflight_override")
    .leftJoin("challenge_approval", "challenge_approval.challenge_id", "preflight_override.approval_id")
    .selectAll("preflight_override")
    .select("challenge_approval.approver as approver")
    .orderBy("preflight_override.granted_at", "desc")
    .orderBy("preflight_override.override_id", "desc")
    .limit(limit);
  if (bot_id !== undefined) query = query.where("preflight_override.bot_id", "=", bot_id);
  if (artifact_id !== undefined) query = query.where("preflight_override.artifact_id", "=", artifact_id);
  return reader.rows(query);
}

export const insertOverride = (sql: Sql, row: OverrideRow): Write =>
  write(sql.builder<OverrideTables>().insertInto("preflight_override").values(row), 1);

export const endOverride = (sql: Sql, override_id: string, ended_by: string, now: number): Write =>
  write(
    sql
      .builder<OverrideTables>()
      .updateTable("preflight_override")
      .set({ ended_at: now, ended_by })
      .where("override_id", "=", override_id)
      .where("ended_by", "is", null),
    1,
  );
