/** Where network grants are written down: one row for each pack that has one. */
import { compiledText, type Migrations, type Reader, type Store, type Write } from "@rumi/store";
import { expecting } from "../packs/tables.ts";
import type { NetworkGrant } from "./model.ts";

type GrantRow = {
  pack_id: string;
  allowed_domains: string;
  allowed_ports: string;
  granted_by: string;
  granted_at: number;
  generation: number;
};
type NetworkTables = { network_grant: GrantRow };
type Sql = Pick<Store, "builder">;

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE network_grant (
    pack_id TEXT NOT NULL PRIMARY KEY, allowed_domains TEXT NOT NULL, allowed_ports TEXT NOT NULL,
    granted_by TEXT NOT NULL, granted_at ${integer} NOT NULL, generation ${integer} NOT NULL)`,
];

export const NETWORK_MIGRATIONS: Migrations = {
  owner: "platform.network",
  steps: [{ name: "001-network", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

const SELECT_ONE = compiledText<NetworkTables>((db) =>
  db.selectFrom("network_grant").selectAll().where("pack_id", "=", ""),
);
const SELECT_ALL = compiledText<NetworkTables>((db) => db.selectFrom("network_grant").selectAll().orderBy("pack_id"));

export async function readNetworkGrants(reader: Reader, sql: Sql): Promise<readonly NetworkGrant[]> {
  return (await reader.rows<GrantRow>({ sql: SELECT_ALL(sql), parameters: [] })).map(grantOf);
}

export async function readNetworkGrant(reader: Reader, sql: Sql, pack_id: string): Promise<NetworkGrant | undefined> {
  const [row] = await reader.rows<GrantRow>({ sql: SELECT_ONE(sql), parameters: [pack_id] });
  return row === undefined ? undefined : grantOf(row);
}

export function saveNetworkGrant(sql: Sql, grant: NetworkGrant, before: NetworkGrant | undefined): Write {
  const row: GrantRow = {
    ...grant,
    allowed_domains: JSON.stringify(grant.allowed_domains),
    allowed_ports: JSON.stringify(grant.allowed_ports),
  };
  const db = sql.builder<NetworkTables>();
  return before === undefined
    ? expecting(db.insertInto("network_grant").values(row).compile(), 1)
    : expecting(
        db
          .updateTable("network_grant")
          .set(row)
          .where("pack_id", "=", grant.pack_id)
          .where("generation", "=", before.generation)
          .compile(),
        1,
      );
}

export function removeNetworkGrant(sql: Sql, grant: NetworkGrant): Write {
  const db = sql.builder<NetworkTables>();
  return expecting(
    db
      .deleteFrom("network_grant")
      .where("pack_id", "=", grant.pack_id)
      .where("generation", "=", grant.generation)
      .compile(),
    1,
  );
}

function grantOf(row: GrantRow): NetworkGrant {
  return {
    ...row,
    allowed_domains: JSON.parse(row.allowed_domains) as readonly string[],
    allowed_ports: JSON.parse(row.allowed_ports) as readonly number[],
  };
}
