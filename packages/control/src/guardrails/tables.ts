/** Every revision of the guardrails, for ever; the head's is in force. And who has made a dry run of what, for a while. */
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, jsonOf, type Sql } from "../shared/sql.ts";
import { NO_POLICY, type GuardrailPolicy, type Revision } from "./model.ts";

export type GuardrailRow = {
  version: number;
  guardrail_id: string;
  /** JSON of a {@link GuardrailPolicy}. */
  policy: string;
  digest: string;
  reason: string;
  updated_at: number;
  updated_by: string;
};
type HeadRow = { one: number; version: number };
export type DryRunRow = { principal: string; likeness: string; operation: string; made_at: number; ends_at: number };
export type GuardrailTables = { guardrail_policy: GuardrailRow; guardrail_head: HeadRow; guardrail_dry_run: DryRunRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE guardrail_policy (
    version ${integer} NOT NULL PRIMARY KEY, guardrail_id TEXT NOT NULL UNIQUE, policy TEXT NOT NULL, digest TEXT NOT NULL,
    reason TEXT NOT NULL, updated_at ${integer} NOT NULL, updated_by TEXT NOT NULL)`,
  `CREATE TABLE guardrail_head (one ${integer} NOT NULL PRIMARY KEY CHECK (one = 1), version ${integer} NOT NULL)`,
  "INSERT INTO guardrail_head (one, version) VALUES (1, 0)",
  `CREATE TABLE guardrail_dry_run (
    principal TEXT NOT NULL, likeness TEXT NOT NULL, operation TEXT NOT NULL, made_at ${integer} NOT NULL,
    ends_at ${integer} NOT NULL, PRIMARY KEY (principal, likeness))`,
  "CREATE INDEX guardrail_dry_run_by_end ON guardrail_dry_run (ends_at)",
];
export const GUARDRAIL_MIGRATIONS: Migrations = {
  owner: "control.guardrails",
  steps: [{ name: "001-guardrails", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

/** The revision in force with its row; version 0 and no row in a home that has never set one. */
export type InForce = { readonly version: number; readonly row: GuardrailRow | undefined };

// Every command that may increase risk passes here.
const SELECT_HEAD = compiledText<GuardrailTables>((db) => db.selectFrom("guardrail_head").selectAll());
const SELECT_POLICY = compiledText<GuardrailTables>((db) =>
  db.selectFrom("guardrail_policy").selectAll().where("version", "=", 0),
);
const MOVE_HEAD = compiledText<GuardrailTables>((db) =>
  db.updateTable("guardrail_head").set({ version: 0 }).where("one", "=", 1).where("version", "=", 0),
);

export async function readGuardrails(reader: Reader, sql: Sql): Promise<InForce> {
  const [head] = await reader.rows<HeadRow>({ sql: SELECT_HEAD(sql), parameters: [] });
  if (head === undefined) throw new Error("the head of the guardrails is missing");
  if (head.version === 0) return { version: 0, row: undefined };
  const [row] = await reader.rows<GuardrailRow>({ sql: SELECT_POLICY(sql), parameters: [head.version] });
  // A head that names nothing is no evidence that nothing is asked.
  if (row === undefined) throw new Error(`the guardrails of version ${head.version} are missing`);
  return { version: head.version, row };
}

export function policyOf({ row }: InForce): GuardrailPolicy {
  return row === undefined ? NO_POLICY : jsonOf<GuardrailPolicy>(row.policy);
}

export function revisionOf(row: GuardrailRow): Revision {
  return { ...jsonOf<GuardrailPolicy>(row.policy), version: row.version, guardrail_id: row.guardrail_id };
}

/** Fits while no other guardrails have been set since they were read. */
export function guardrailFence(sql: Sql, { version }: Pick<InForce, "version">): Write {
  return headWrite(sql, version, version);
}

/** The next revision comes into force; a conflict: somebody set another one meanwhile. */
export function activate(sql: Sql, row: GuardrailRow): readonly Write[] {
  return [
    write(sql.builder<GuardrailTables>().insertInto("guardrail_policy").values(row), 1),
    headWrite(sql, row.version - 1, row.version),
  ];
}

function headWrite(sql: Sql, from: number, to: number): Write {
  return { sql: MOVE_HEAD(sql), parameters: [to, 1, from], expect: 1 };
}

export function readDryRun(
  reader: Reader,
  sql: Sql,
  { principal, likeness }: Pick<DryRunRow, "principal" | "likeness">,
): Promise<DryRunRow | undefined> {
  return first<DryRunRow>(
    reader,
    sql
      .builder<GuardrailTables>()
      .selectFrom("guardrail_dry_run")
      .selectAll()
      .where("principal", "=", principal)
      .where("likeness", "=", likeness),
  );
}

/** Keeps it; what is over goes, and of this person's all but the newest. */
export function keepDryRun(sql: Sql, row: DryRunRow, most: number): readonly Write[] {
  const db = sql.builder<GuardrailTables>();
  const newest = db
    .selectFrom("guardrail_dry_run")
    .select("likeness")
    .where("principal", "=", row.principal)
    .orderBy("made_at", "desc")
    .orderBy("likeness")
    .limit(most);
  return [
    write(db.deleteFrom("guardrail_dry_run").where("ends_at", "<=", row.made_at), "any"),
    write(
      db
        .insertInto("guardrail_dry_run")
        .values(row)
        .onConflict((on) =>
          on.columns(["principal", "likeness"]).doUpdateSet({ made_at: row.made_at, ends_at: row.ends_at }),
        ),
      "any",
    ),
    write(
      db.deleteFrom("guardrail_dry_run").where("principal", "=", row.principal).where("likeness", "not in", newest),
      "any",
    ),
  ];
}
