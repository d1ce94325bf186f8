/** Bundles that were asked for; the archives themselves lie on the shelf ({@link import("./shelf.ts").BundleShelf}). */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";

export const BUNDLE_STATES = ["REQUESTED", "READY", "FAILED", "REMOVED"] as const;
export type BundleState = (typeof BUNDLE_STATES)[number];

export type BundleRow = {
  bundle_id: string;
  state: BundleState;
  /** One bot's bundle, or the whole home's. */
  bot_id: string | null;
  description: string | null;
  reason: string;
  requested_by: string;
  trace_id: string;
  /** What the system asked for by itself asks once: a bot's one time of being stuck. Null for people. */
  occasion: string | null;
  created_at: number;
  ready_at: number | null;
  /** JSON of {@link import("./model.ts").BundleManifest}. */
  manifest: string | null;
  manifest_sha256: string | null;
  archive_sha256: string | null;
  archive_bytes: number | null;
  /** JSON of a FailureNote. */
  failure: string | null;
  row_version: number;
};
export type BundleTables = { support_bundle: BundleRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE support_bundle (
    bundle_id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, bot_id TEXT, description TEXT, reason TEXT NOT NULL,
    requested_by TEXT NOT NULL, trace_id TEXT NOT NULL, occasion TEXT UNIQUE, created_at ${integer} NOT NULL,
    ready_at ${integer}, manifest TEXT, manifest_sha256 TEXT, archive_sha256 TEXT, archive_bytes ${integer},
    failure TEXT, row_version ${integer} NOT NULL)`,
  "CREATE INDEX support_bundle_by_state ON support_bundle (state, created_at)",
];
export const BUNDLE_MIGRATIONS: Migrations = {
  owner: "control.support_bundles",
  steps: [{ name: "001-support-bundles", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export function readBundle(reader: Reader, sql: Sql, bundle_id: string): Promise<BundleRow | undefined> {
  return first<BundleRow>(
    reader,
    sql.builder<BundleTables>().selectFrom("support_bundle").selectAll().where("bundle_id", "=", bundle_id),
  );
}

/** Of one state, oldest first. */
export function readBundles(reader: Reader, sql: Sql, state: BundleState): Promise<readonly BundleRow[]> {
  return reader.rows<BundleRow>(
    sql
      .builder<BundleTables>()
      .selectFrom("support_bundle")
      .selectAll()
      .where("state", "=", state)
      .orderBy("created_at")
      .orderBy("bundle_id")
      .limit(200),
  );
}

export const insertBundle = (sql: Sql, row: BundleRow): Write =>
  write(sql.builder<BundleTables>().insertInto("support_bundle").values(row), 1);

export function updateBundle(sql: Sql, row: BundleRow, change: Partial<BundleRow>): Write {
  return write(
    sql
      .builder<BundleTables>()
      .updateTable("support_bundle")
      .set({ ...change, row_version: row.row_version + 1 })
      .where("bundle_id", "=", row.bundle_id)
      .where("row_version", "=", row.row_version),
    1,
  );
}

/** The newest bundle of one occasion, e.g. of one time that a bot was stuck. */
export function readOccasion(reader: Reader, sql: Sql, occasion: string): Promise<BundleRow | undefined> {
  return first<BundleRow>(
    reader,
    sql.builder<BundleTables>().selectFrom("support_bundle").selectAll().where("occasion", "=", occasion),
  );
}
