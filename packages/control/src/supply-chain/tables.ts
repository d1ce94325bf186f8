/**
 * Trust roots, signatures, revisions of the policy, reports. Nothing here is ever deleted: what once counted is evidence of why something ran.
 */
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { PolicyDecision } from "@rumi/supply";
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
export type SupplyReportRow = {
  scg_id: string;
  artifact_id: string;
  pack_id: string;
  pack_version: string;
  policy_revision: number;
  policy_decision: PolicyDecision;
  /** The override that excepted something. */
  exception_ref: string | null;
  signature_verified: number;
  sbom_ref: string | null;
  vulnerability_summary_ref: string;
  /** JSON: what was found, for being judged again. */
  facts: string;
  /** JSON: what was decided then, with its triage. */
  verdict: string;
  reason: string;
  produced_by: string;
  produced_at: number;
};
/** One row, whose generation rises with whatever can deny what was allowed. */
export type SupplyHeadRow = { one: number; generation: number };
export type SupplyTables = {
  supply_head: SupplyHeadRow;
  supply_report: SupplyReportRow;
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
const reports = (integer: string): readonly string[] => [
  `CREATE TABLE supply_report (
    scg_id TEXT NOT NULL PRIMARY KEY, artifact_id TEXT NOT NULL, pack_id TEXT NOT NULL, pack_version TEXT NOT NULL,
    policy_revision ${integer} NOT NULL,
    policy_decision TEXT NOT NULL CHECK (policy_decision IN ('allow', 'deny', 'allow_with_exception')),
    exception_ref TEXT, signature_verified ${integer} NOT NULL, sbom_ref TEXT, vulnerability_summary_ref TEXT NOT NULL,
    facts TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL, produced_by TEXT NOT NULL,
    produced_at ${integer} NOT NULL)`,
  "CREATE INDEX supply_report_artifact ON supply_report (artifact_id, produced_at, scg_id)",
  "CREATE INDEX supply_report_time ON supply_report (produced_at, scg_id)",
  "CREATE INDEX supply_report_denied ON supply_report (scg_id) WHERE policy_decision = 'deny'",
];
const head = (integer: string): readonly string[] => [
  `CREATE TABLE supply_head (one ${integer} NOT NULL PRIMARY KEY CHECK (one = 1), generation ${integer} NOT NULL)`,
  "INSERT INTO supply_head (one, generation) VALUES (1, 0)",
];
export const SUPPLY_MIGRATIONS: Migrations = {
  owner: "control.supply_chain",
  steps: [
    { name: "001-trust", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-policy", sqlite: policies("INTEGER"), postgres: policies("BIGINT") },
    { name: "003-reports", sqlite: reports("INTEGER"), postgres: reports("BIGINT") },
    { name: "004-head", sqlite: head("INTEGER"), postgres: head("BIGINT") },
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

export const insertReport = (sql: Sql, row: SupplyReportRow): Write =>
  write(sql.builder<SupplyTables>().insertInto("supply_report").values(row), 1);

export function readReport(reader: Reader, sql: Sql, scg_id: string): Promise<SupplyReportRow | undefined> {
  return first<SupplyReportRow>(
    reader,
    sql.builder<SupplyTables>().selectFrom("supply_report").selectAll().where("scg_id", "=", scg_id),
  );
}

export function readNewestReport(reader: Reader, sql: Sql, artifact_id: string): Promise<SupplyReportRow | undefined> {
  return readReports(reader, sql, { artifact_id, after: undefined, limit: 1 }).then(([row]) => row);
}

/** When the artifact was denied last; undefined where it never was. */
export async function readDeniedAt(reader: Reader, sql: Sql, artifact_id: string): Promise<number | undefined> {
  const row = await first<Pick<SupplyReportRow, "produced_at">>(
    reader,
    sql
      .builder<SupplyTables>()
      .selectFrom("supply_report")
      .select("produced_at")
      .where("artifact_id", "=", artifact_id)
      .where("policy_decision", "=", "deny")
      .orderBy("produced_at", "desc")
      .limit(1),
  );
  return row?.produced_at;
}

/** Newest first. */
export function readReports(
  reader: Reader,
  sql: Sql,
  {
    artifact_id,
    after,
    limit,
  }: {
    readonly artifact_id: string | undefined;
    /** `produced_at` and `scg_id` of the last one that was shown. */
    readonly after: readonly (string | number)[] | undefined;
    readonly limit: number;
  },
): Promise<readonly SupplyReportRow[]> {
  let query = sql
    .builder<SupplyTables>()
    .selectFrom("supply_report")
    .selectAll()
    .orderBy("produced_at", "desc")
    .orderBy("scg_id", "desc")
    .limit(limit);
  if (artifact_id !== undefined) query = query.where("artifact_id", "=", artifact_id);
  if (after !== undefined) {
    const [produced_at, scg_id] = [Number(after[0]), String(after[1])];
    query = query.where((eb) =>
      eb.or([
        eb("produced_at", "<", produced_at),
        eb.and([eb("produced_at", "=", produced_at), eb("scg_id", "<", scg_id)]),
      ]),
    );
  }
  return reader.rows<SupplyReportRow>(query);
}

/** How often the gate denied in this home. */
export async function countDenied(reader: Reader, sql: Sql): Promise<number> {
  const row = await first<{ count: number | string }>(
    reader,
    sql
      .builder<SupplyTables>()
      .selectFrom("supply_report")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("policy_decision", "=", "deny"),
  );
  return Number(row?.count ?? 0);
}

// Every command that may increase risk passes here.
const SELECT_HEAD = compiledText<SupplyTables>((db) => db.selectFrom("supply_head").selectAll());
const FENCE = compiledText<SupplyTables>((db) =>
  db.updateTable("supply_head").set({ generation: 0 }).where("one", "=", 1).where("generation", "=", 0),
);

/** By which a start that was judged before finds out. */
export function supplyChanged(sql: Sql): Write {
  const rise = sql
    .builder<SupplyTables>()
    .updateTable("supply_head")
    .set((of) => ({ generation: of("generation", "+", 1) }));
  return write(rise.where("one", "=", 1), 1);
}

/** Fits while nothing was committed since this reading that can deny what was allowed. */
export async function supplyFence(reader: Reader, sql: Sql): Promise<Write> {
  const [row] = await reader.rows<SupplyHeadRow>({ sql: SELECT_HEAD(sql), parameters: [] });
  if (row === undefined) throw new Error("the head of the supply chain is missing");
  return { sql: FENCE(sql), parameters: [row.generation, 1, row.generation], expect: 1 };
}
