/** Where it is written down which scripts of packs ran, at which content, and what came of them. */
import { write, type Migrations, type Reader, type Store, type Write } from "@rumi/store";
import type { Lib, LibRecord, LibState } from "./model.ts";

type LibRow = {
  pack_id: string;
  lib: string;
  file: string;
  sha256: string;
  state: string;
  error: string | null;
  duration_us: number;
  executed_at: number;
};
type LibTables = { lib_record: LibRow };
type Sql = Pick<Store, "builder">;

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE lib_record (
    pack_id TEXT NOT NULL, lib TEXT NOT NULL CHECK (lib IN ('install', 'update')), file TEXT NOT NULL, sha256 TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('success', 'failed', 'covered')), error TEXT,
    duration_us ${integer} NOT NULL, executed_at ${integer} NOT NULL,
    PRIMARY KEY (pack_id, lib))`,
];
export const LIB_MIGRATIONS: Migrations = {
  owner: "platform.libs",
  steps: [{ name: "001-libs", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export async function readLibRecords(reader: Reader, sql: Sql): Promise<readonly LibRecord[]> {
  const all = sql.builder<LibTables>().selectFrom("lib_record").selectAll().orderBy("pack_id").orderBy("lib");
  return (await reader.rows<LibRow>(all)).map((row) => ({ ...row, lib: row.lib as Lib, state: row.state as LibState }));
}

export function saveLibRecord(sql: Sql, record: LibRecord): Write {
  const { pack_id, lib, ...rest } = record;
  const insert = sql
    .builder<LibTables>()
    .insertInto("lib_record")
    .values({ pack_id, lib, ...rest });
  return write(
    insert.onConflict((on) => on.columns(["pack_id", "lib"]).doUpdateSet(rest)),
    1,
  );
}

export function removeLibRecord(sql: Sql, { pack_id, lib }: Pick<LibRecord, "pack_id" | "lib">): Write {
  const gone = sql.builder<LibTables>().deleteFrom("lib_record");
  return write(gone.where("pack_id", "=", pack_id).where("lib", "=", lib), 1);
}
