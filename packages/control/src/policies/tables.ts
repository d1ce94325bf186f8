/** Every version of the policies, for ever; the highest number is in force. */
import type { ConfirmationFactor } from "@rumi/operations";
import { compiledText, type Migrations, type Reader } from "@rumi/store";
import { jsonOf, type Sql } from "../shared/sql.ts";

export type PolicyRow = {
  version: number;
  environment: string;
  /** The text as it was given; empty where nothing but roles decides. */
  cedar: string;
  /** JSON list of {@link AddedConfirmation}. */
  confirmations: string;
  digest: string;
  reason: string;
  created_at: number;
  created_by: string;
};
export type PolicyTables = { policy_version: PolicyRow };
/** Factors that a dangerous operation takes beyond those that it declares; `*` names all of them. */
export type AddedConfirmation = { readonly operation: string; readonly requires: readonly ConfirmationFactor[] };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE policy_version (
    version ${integer} NOT NULL PRIMARY KEY, environment TEXT NOT NULL, cedar TEXT NOT NULL, confirmations TEXT NOT NULL,
    digest TEXT NOT NULL, reason TEXT NOT NULL, created_at ${integer} NOT NULL, created_by TEXT NOT NULL)`,
];
export const POLICY_MIGRATIONS: Migrations = {
  owner: "control.policies",
  steps: [{ name: "001-policies", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

const SELECT_CURRENT = compiledText<PolicyTables>((db) =>
  db.selectFrom("policy_version").selectAll().where("version", ">", 0).orderBy("version", "desc").limit(1),
);

/** The one in force; undefined in a home that has never had any. */
export async function readPolicy(reader: Reader, sql: Sql): Promise<PolicyRow | undefined> {
  return (await reader.rows<PolicyRow>({ sql: SELECT_CURRENT(sql), parameters: [0, 1] }))[0];
}

/** Which factors the stored policies add; they can add and never take away. */
export function addedBy(row: PolicyRow | undefined): (operation: string) => readonly ConfirmationFactor[] {
  const added = row === undefined ? [] : jsonOf<readonly AddedConfirmation[]>(row.confirmations);
  return (operation) =>
    added.flatMap((one) => (one.operation === "*" || one.operation === operation ? one.requires : []));
}
