/** Which secrets there are: everything about them but their values, which are in files (vault.ts). */
import type { Micros } from "@rumi/kernel";
import type { Migrations, Reader, Store, Write } from "@rumi/store";
import { expecting } from "../packs/tables.ts";

export type SecretRow = {
  key: string;
  /** Which file holds the value: the one that was written for this row. Null: a tombstone. */
  file_id: string | null;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
  generation: number;
};
export type SecretTables = { secret: SecretRow };
type Sql = Pick<Store, "builder">;

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE secret (
    key TEXT NOT NULL PRIMARY KEY, file_id TEXT, created_at ${integer} NOT NULL, updated_at ${integer} NOT NULL,
    deleted_at ${integer}, generation ${integer} NOT NULL,
    CHECK ((file_id IS NULL) = (deleted_at IS NOT NULL)))`,
];

export const SECRET_MIGRATIONS: Migrations = {
  owner: "platform.secrets",
  steps: [{ name: "001-secrets", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export function readSecrets(reader: Reader, sql: Sql): Promise<readonly SecretRow[]> {
  return reader.rows<SecretRow>(sql.builder<SecretTables>().selectFrom("secret").selectAll().orderBy("key"));
}

export async function readSecretRow(reader: Reader, sql: Sql, key: string): Promise<SecretRow | undefined> {
  const [row] = await reader.rows<SecretRow>(
    sql.builder<SecretTables>().selectFrom("secret").selectAll().where("key", "=", key),
  );
  return row;
}

export const setRow = (before: SecretRow | undefined, key: string, file_id: string, now: Micros): SecretRow => ({
  key,
  file_id,
  created_at: before?.created_at ?? now,
  updated_at: now,
  deleted_at: null,
  generation: (before?.generation ?? 0) + 1,
});

export const deletedRow = (before: SecretRow, now: Micros): SecretRow => ({
  ...before,
  file_id: null,
  updated_at: now,
  deleted_at: now,
  generation: before.generation + 1,
});

/** Insert or guarded update: changes one row, or the batch conflicts. */
export function saveSecret(sql: Sql, row: SecretRow, before: SecretRow | undefined): Write {
  const db = sql.builder<SecretTables>();
  return before === undefined
    ? expecting(db.insertInto("secret").values(row).compile(), 1)
    : expecting(
        db
          .updateTable("secret")
          .set(row)
          .where("key", "=", row.key)
          .where("generation", "=", before.generation)
          .compile(),
        1,
      );
}
