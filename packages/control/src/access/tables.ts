/** That somebody was shown something sensitive in a stretch of time: the note itself is in the audit log. */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";

export type SensitiveReadRow = { principal: string; query: string; stretch: number };
export type AccessTables = { sensitive_read: SensitiveReadRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE sensitive_read (
    principal TEXT NOT NULL, query TEXT NOT NULL, stretch ${integer} NOT NULL, PRIMARY KEY (principal, query, stretch))`,
];
export const ACCESS_MIGRATIONS: Migrations = {
  owner: "control.access",
  steps: [{ name: "001-sensitive-reads", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export async function isNoted(reader: Reader, sql: Sql, of: SensitiveReadRow): Promise<boolean> {
  const row = await first<SensitiveReadRow>(
    reader,
    sql
      .builder<AccessTables>()
      .selectFrom("sensitive_read")
      .selectAll()
      .where("principal", "=", of.principal)
      .where("query", "=", of.query)
      .where("stretch", "=", of.stretch),
  );
  return row !== undefined;
}

/** Notes this stretch and forgets the ones before it: they are in the log. */
export function noteRead(sql: Sql, row: SensitiveReadRow): readonly Write[] {
  const db = sql.builder<AccessTables>();
  return [
    write(
      db
        .insertInto("sensitive_read")
        .values(row)
        .onConflict((on) => on.doNothing()),
      "any",
    ),
    write(
      db
        .deleteFrom("sensitive_read")
        .where("principal", "=", row.principal)
        .where("query", "=", row.query)
        .where("stretch", "<", row.stretch),
      "any",
    ),
  ];
}
