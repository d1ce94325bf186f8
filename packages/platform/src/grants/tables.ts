/** Where capability grants are written down: one row for each principal and permission. */
import { compiledText, type Migrations, type Reader, type Store, type Write } from "@rumi/store";
import { expecting } from "../packs/tables.ts";
import type { CapabilityGrant } from "./model.ts";
import type { GrantConfig } from "./permissions.ts";

type GrantRow = {
  principal_id: string;
  permission_id: string;
  config: string;
  granted_by: string;
  granted_at: number;
  generation: number;
};
type GrantTables = { capability_grant: GrantRow };
type Sql = Pick<Store, "builder">;

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE capability_grant (
    principal_id TEXT NOT NULL, permission_id TEXT NOT NULL, config TEXT NOT NULL,
    granted_by TEXT NOT NULL, granted_at ${integer} NOT NULL, generation ${integer} NOT NULL,
    PRIMARY KEY (principal_id, permission_id))`,
];

export const GRANT_MIGRATIONS: Migrations = {
  owner: "platform.grants",
  steps: [{ name: "001-grants", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

const SELECT_ALL = compiledText<GrantTables>((db) =>
  db.selectFrom("capability_grant").selectAll().orderBy("principal_id").orderBy("permission_id"),
);
const SELECT_ONE = compiledText<GrantTables>((db) =>
  db.selectFrom("capability_grant").selectAll().where("principal_id", "=", "").where("permission_id", "=", ""),
);

export async function readGrants(reader: Reader, sql: Sql): Promise<readonly CapabilityGrant[]> {
  return (await reader.rows<GrantRow>({ sql: SELECT_ALL(sql), parameters: [] })).map(grantOf);
}

export async function readGrant(
  reader: Reader,
  sql: Sql,
  principal_id: string,
  permission_id: string,
): Promise<CapabilityGrant | undefined> {
  const [row] = await reader.rows<GrantRow>({ sql: SELECT_ONE(sql), parameters: [principal_id, permission_id] });
  return row === undefined ? undefined : grantOf(row);
}

export function saveGrant(sql: Sql, grant: CapabilityGrant, before: CapabilityGrant | undefined): Write {
  const row: GrantRow = { ...grant, config: JSON.stringify(grant.config) };
  const db = sql.builder<GrantTables>();
  return before === undefined
    ? expecting(db.insertInto("capability_grant").values(row).compile(), 1)
    : expecting(
        db
          .updateTable("capability_grant")
          .set(row)
          .where("principal_id", "=", grant.principal_id)
          .where("permission_id", "=", grant.permission_id)
          .where("generation", "=", before.generation)
          .compile(),
        1,
      );
}

export function removeGrant(sql: Sql, grant: CapabilityGrant): Write {
  const db = sql.builder<GrantTables>();
  return expecting(
    db
      .deleteFrom("capability_grant")
      .where("principal_id", "=", grant.principal_id)
      .where("permission_id", "=", grant.permission_id)
      .where("generation", "=", grant.generation)
      .compile(),
    1,
  );
}

function grantOf(row: GrantRow): CapabilityGrant {
  return { ...row, config: JSON.parse(row.config) as GrantConfig };
}
