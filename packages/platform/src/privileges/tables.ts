/** Where privileges are written down: one row for each pack and privilege. */
import { compiledText, type Migrations, type Reader, type Store, type Write } from "@rumi/store";
import { expecting } from "../packs/tables.ts";
import type { PrivilegeGrant } from "./model.ts";

type PrivilegeRow = { pack_id: string; privilege_id: string; granted_by: string; granted_at: number };
type PrivilegeTables = { privilege_grant: PrivilegeRow };
type Sql = Pick<Store, "builder">;

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE privilege_grant (
    pack_id TEXT NOT NULL, privilege_id TEXT NOT NULL, granted_by TEXT NOT NULL, granted_at ${integer} NOT NULL,
    PRIMARY KEY (pack_id, privilege_id))`,
];

export const PRIVILEGE_MIGRATIONS: Migrations = {
  owner: "platform.privileges",
  steps: [{ name: "001-privileges", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

const SELECT_ALL = compiledText<PrivilegeTables>((db) =>
  db.selectFrom("privilege_grant").selectAll().orderBy("privilege_id").orderBy("pack_id"),
);

export function readPrivileges(reader: Reader, sql: Sql): Promise<readonly PrivilegeGrant[]> {
  return reader.rows<PrivilegeRow>({ sql: SELECT_ALL(sql), parameters: [] });
}

export async function readPrivilege(
  reader: Reader,
  sql: Sql,
  pack_id: string,
  privilege_id: string,
): Promise<PrivilegeGrant | undefined> {
  return (await readPrivileges(reader, sql)).find(
    (one) => one.pack_id === pack_id && one.privilege_id === privilege_id,
  );
}

export function savePrivilege(sql: Sql, grant: PrivilegeGrant): Write {
  return expecting(sql.builder<PrivilegeTables>().insertInto("privilege_grant").values(grant).compile(), 1);
}

export function removePrivilege(sql: Sql, { pack_id, privilege_id }: PrivilegeGrant): Write {
  const db = sql.builder<PrivilegeTables>();
  return expecting(
    db.deleteFrom("privilege_grant").where("pack_id", "=", pack_id).where("privilege_id", "=", privilege_id).compile(),
    1,
  );
}
