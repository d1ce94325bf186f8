/** Release certificates and the policy that asks for them. No row is ever deleted; of a certificate only its end is added. */
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";
import { RELEASE_LIMITS } from "./limits.ts";

export type CertificateRow = {
  cert_id: string;
  bot_id: string;
  version: string;
  /** Of the whole specification. */
  spec_digest: string;
  artifact_id: string;
  /** Of the changelog's text. */
  changelog_digest: string;
  /** When the attested report of the supply chain was made; a denial after it counts against the certificate. */
  reported_at: number;
  /** When the exception ends by which the artifact is used; null where there is none. */
  excepted_until: number | null;
  /** Canonical JSON: what is signed. */
  manifest: string;
  manifest_hash: string;
  /** JSON of the signed envelope. */
  envelope: string;
  signature_ref: string;
  status: "issued" | "revoked";
  reason: string;
  issued_by: string;
  /** The challenge by which a second person approved it. */
  approval_id: string;
  issued_at: number;
  revoked_at: number | null;
  revoked_by: string | null;
  revoke_reason: string | null;
};
export type ReleasePolicyRow = {
  revision: number;
  /** JSON. */
  policy: string;
  reason: string;
  set_by: string;
  approval_id: string | null;
  set_at: number;
};
export type ReleaseTables = { release_certificate: CertificateRow; release_policy: ReleasePolicyRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE release_certificate (
    cert_id TEXT NOT NULL PRIMARY KEY, bot_id TEXT NOT NULL, version TEXT NOT NULL, spec_digest TEXT NOT NULL,
    artifact_id TEXT NOT NULL, changelog_digest TEXT NOT NULL, reported_at ${integer} NOT NULL, excepted_until ${integer},
    manifest TEXT NOT NULL, manifest_hash TEXT NOT NULL UNIQUE, envelope TEXT NOT NULL, signature_ref TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('issued', 'revoked')), reason TEXT NOT NULL, issued_by TEXT NOT NULL,
    approval_id TEXT NOT NULL UNIQUE, issued_at ${integer} NOT NULL, revoked_at ${integer}, revoked_by TEXT, revoke_reason TEXT,
    CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)))`,
  "CREATE INDEX release_certificate_bot ON release_certificate (bot_id, issued_at, cert_id)",
  "CREATE INDEX release_certificate_time ON release_certificate (issued_at, cert_id)",
  `CREATE TABLE release_policy (
    revision ${integer} NOT NULL PRIMARY KEY, policy TEXT NOT NULL, reason TEXT NOT NULL, set_by TEXT NOT NULL,
    approval_id TEXT, set_at ${integer} NOT NULL)`,
];
export const RELEASE_MIGRATIONS: Migrations = {
  owner: "control.release",
  steps: [{ name: "001-certificates", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export const insertCertificate = (sql: Sql, row: CertificateRow): Write =>
  write(sql.builder<ReleaseTables>().insertInto("release_certificate").values(row), 1);

/** Once: what is revoked stays so, by whom and when it was. */
export const revokeCertificate = (
  sql: Sql,
  cert_id: string,
  end: { readonly revoked_at: number; readonly revoked_by: string; readonly revoke_reason: string },
): Write =>
  write(
    sql
      .builder<ReleaseTables>()
      .updateTable("release_certificate")
      .set({ ...end, status: "revoked" })
      .where("cert_id", "=", cert_id)
      .where("status", "=", "issued"),
    1,
  );

export function readCertificate(reader: Reader, sql: Sql, cert_id: string): Promise<CertificateRow | undefined> {
  return first<CertificateRow>(
    reader,
    sql.builder<ReleaseTables>().selectFrom("release_certificate").selectAll().where("cert_id", "=", cert_id),
  );
}

// Every start passes here.
const OF_BOT = compiledText<ReleaseTables>((db) =>
  db
    .selectFrom("release_certificate")
    .selectAll()
    .where("bot_id", "=", "")
    .orderBy("issued_at", "desc")
    .orderBy("cert_id", "desc")
    .limit(RELEASE_LIMITS.looked_at),
);

/** Newest first. */
export function readCertificatesOf(reader: Reader, sql: Sql, bot_id: string): Promise<readonly CertificateRow[]> {
  return reader.rows<CertificateRow>({ sql: OF_BOT(sql), parameters: [bot_id, RELEASE_LIMITS.looked_at] });
}

/** Newest first. */
export function readCertificates(
  reader: Reader,
  sql: Sql,
  of: {
    readonly bot_id: string | undefined;
    readonly status: "issued" | "revoked" | undefined;
    /** `issued_at` and `cert_id` of the last one that was shown. */
    readonly after: readonly (string | number)[] | undefined;
    readonly limit: number;
  },
): Promise<readonly CertificateRow[]> {
  let query = sql
    .builder<ReleaseTables>()
    .selectFrom("release_certificate")
    .selectAll()
    .orderBy("issued_at", "desc")
    .orderBy("cert_id", "desc")
    .limit(of.limit);
  if (of.bot_id !== undefined) query = query.where("bot_id", "=", of.bot_id);
  if (of.status !== undefined) query = query.where("status", "=", of.status);
  if (of.after !== undefined) {
    const [issued_at, cert_id] = [Number(of.after[0]), String(of.after[1])];
    query = query.where((eb) =>
      eb.or([eb("issued_at", "<", issued_at), eb.and([eb("issued_at", "=", issued_at), eb("cert_id", "<", cert_id)])]),
    );
  }
  return reader.rows<CertificateRow>(query);
}

const NEWEST_POLICY = compiledText<ReleaseTables>((db) =>
  db.selectFrom("release_policy").selectAll().orderBy("revision", "desc").limit(1),
);

/** The newest revision; undefined while nobody set one. */
export function readReleasePolicy(reader: Reader, sql: Sql): Promise<ReleasePolicyRow | undefined> {
  return reader.rows<ReleasePolicyRow>({ sql: NEWEST_POLICY(sql), parameters: [1] }).then(([row]) => row);
}

export const insertReleasePolicy = (sql: Sql, row: ReleasePolicyRow): Write =>
  write(sql.builder<ReleaseTables>().insertInto("release_policy").values(row), 1);

/** How many were ever issued and revoked in this home. */
export async function countCertificates(
  reader: Reader,
  sql: Sql,
): Promise<{ readonly issued: number; readonly revoked: number }> {
  const row = await first<{ issued: number | string; revoked: number | string | null }>(
    reader,
    sql
      .builder<ReleaseTables>()
      .selectFrom("release_certificate")
      .select(({ fn }) => [fn.countAll<number>().as("issued"), fn.count<number>("revoked_at").as("revoked")]),
  );
  return { issued: Number(row?.issued ?? 0), revoked: Number(row?.revoked ?? 0) };
}
