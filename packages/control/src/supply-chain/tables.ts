/**
 * Trust roots, signatures, revisions of the policy. Nothing here is ever deleted: what once counted is evidence of why something ran.
 */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";

export type TrustRootRow = {
  /** SHA-256 of the public key's DER form. */
  keyid: string;
  name: string;
  public_pem: string;
  valid_from: number;
  /** From then on it counts for nothing; brought forward by retiring it, never put back. */
  valid_until: number;
  added_by: string;
  /** The challenge by which a second person approved it. */
  approval_id: string;
  added_at: number;
  retired_by: string | null;
  revoked_at: number | null;
  revoked_by: string | null;
  /** Why it was added, and then why it was ended. */
  reason: string;
  row_version: number;
};
export type SignatureRow = {
  artifact_id: string;
  /** SHA-256 of the envelope: the same one is kept once. */
  signature_id: string;
  /** JSON, as it came. */
  envelope: string;
  added_by: string;
  added_at: number;
};
export type SupplyPolicyRow = {
  revision: number;
  /** JSON. */
  policy: string;
  reason: string;
  set_by: string;
  /** The challenge of whoever loosened it; null for what only tightened. */
  approval_id: string | null;
  set_at: number;
};
export type SupplyTables = {
  supply_trust_root: TrustRootRow;
  supply_signature: SignatureRow;
  supply_policy: SupplyPolicyRow;
};

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE supply_trust_root (
    keyid TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, public_pem TEXT NOT NULL,
    valid_from ${integer} NOT NULL, valid_until ${integer} NOT NULL, added_by TEXT NOT NULL, approval_id TEXT NOT NULL UNIQUE,
    added_at ${integer} NOT NULL, retired_by TEXT, revoked_at ${integer}, revoked_by TEXT, reason TEXT NOT NULL,
    row_version ${integer} NOT NULL)`,
  `CREATE TABLE supply_signature (
    artifact_id TEXT NOT NULL, signature_id TEXT NOT NULL, envelope TEXT NOT NULL, added_by TEXT NOT NULL,
    added_at ${integer} NOT NULL, PRIMARY KEY (artifact_id, signature_id))`,
];
const policies = (integer: string): readonly string[] => [
  `CREATE TABLE supply_policy (
    revision ${integer} NOT NULL PRIMARY KEY, policy TEXT NOT NULL, reason TEXT NOT NULL, set_by TEXT NOT NULL,
    approval_id TEXT, set_at ${integer} NOT NULL)`,
];
export const SUPPLY_MIGRATIONS: Migrations = {
  owner: "control.supply_chain",
  steps: [
    { name: "001-trust", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-policy", sqlite: policies("INTEGER"), postgres: policies("BIGINT") },
  ],
};

export function readRoots(reader: Reader, sql: Sql): Promise<readonly TrustRootRow[]> {
  return reader.rows<TrustRootRow>(
    sql.builder<SupplyTables>().selectFrom("supply_trust_root").selectAll().orderBy("added_at").orderBy("keyid"),
  );
}

export function readRoot(reader: Reader, sql: Sql, keyid: string): Promise<TrustRootRow | undefined> {
  return first<TrustRootRow>(
    reader,
    sql.builder<SupplyTables>().selectFrom("supply_trust_root").selectAll().where("keyid", "=", keyid),
  );
}

export const insertRoot = (sql: Sql, row: TrustRootRow): Write =>
  write(sql.builder<SupplyTables>().insertInto("supply_trust_root").values(row), 1);

export const updateRoot = (sql: Sql, row: TrustRootRow, change: Partial<TrustRootRow>): Write =>
  write(
    sql
      .builder<SupplyTables>()
      .updateTable("supply_trust_root")
      .set({ ...change, row_version: row.row_version + 1 })
      .where("keyid", "=", row.keyid)
      .where("row_version", "=", row.row_version),
    1,
  );

/** In order of arrival. */
export function readSignatures(reader: Reader, sql: Sql, artifact_id: string): Promise<readonly SignatureRow[]> {
  return reader.rows<SignatureRow>(
    sql
      .builder<SupplyTables>()
      .selectFrom("supply_signature")
      .selectAll()
      .where("artifact_id", "=", artifact_id)
      .orderBy("added_at")
      .orderBy("signature_id"),
  );
}

export const insertSignature = (sql: Sql, row: SignatureRow): Write =>
  write(sql.builder<SupplyTables>().insertInto("supply_signature").values(row), 1);

/** The newest revision; undefined while nobody set one. */
export function readSupplyPolicy(reader: Reader, sql: Sql): Promise<SupplyPolicyRow | undefined> {
  return readSupplyPolicies(reader, sql, { before_revision: undefined, limit: 1 }).then(([row]) => row);
}

export function readSupplyPolicies(
  reader: Reader,
  sql: Sql,
  { before_revision, limit }: { readonly before_revision: number | undefined; readonly limit: number },
): Promise<readonly SupplyPolicyRow[]> {
  let query = sql
    .builder<SupplyTables>()
    .selectFrom("supply_policy")
    .selectAll()
    .orderBy("revision", "desc")
    .limit(limit);
  if (before_revision !== undefined) query = query.where("revision", "<", before_revision);
  return reader.rows<SupplyPolicyRow>(query);
}

export const insertPolicy = (sql: Sql, row: SupplyPolicyRow): Write =>
  write(sql.builder<SupplyTables>().insertInto("supply_policy").values(row), 1);
