/** Where the shared dictionary and its journal are written down; the journal's file is made from here (journal.ts). */
import { type Json, type JsonObject } from "@rumi/kernel";
import type { Migrations, Reader, Store, Write } from "@rumi/store";
import { expecting } from "../packs/tables.ts";
import { SHARED_DICT_LIMITS, type DictAction, type DictEntry, type DictResult } from "./model.ts";

type EntryRow = { namespace: string; token: string; value: string };
type LineRow = { seq: number; line: string };
type DictTables = { shared_dict: EntryRow; shared_dict_journal: LineRow };
type Sql = Pick<Store, "builder">;

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE shared_dict (
    namespace TEXT NOT NULL, token TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (namespace, token))`,
  `CREATE TABLE shared_dict_journal (seq ${integer} NOT NULL PRIMARY KEY, line TEXT NOT NULL)`,
];

export const SHARED_DICT_MIGRATIONS: Migrations = {
  owner: "platform.shared_dict",
  steps: [{ name: "001-shared-dict", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

/** As the file has it. */
export type JournalLine = {
  readonly ts: string;
  readonly action: DictAction;
  readonly namespace: string;
  readonly token: string | null;
  readonly value: string | null;
  readonly result: DictResult;
  readonly reason: string | null;
  readonly provenance: JsonObject;
};

export function readDict(reader: Reader, sql: Sql): Promise<readonly DictEntry[]> {
  return reader.rows<EntryRow>(
    sql.builder<DictTables>().selectFrom("shared_dict").selectAll().orderBy("namespace").orderBy("token"),
  );
}

export async function lastLine(reader: Reader, sql: Sql): Promise<number> {
  const [row] = await reader.rows<{ seq: number }>(
    sql.builder<DictTables>().selectFrom("shared_dict_journal").select("seq").orderBy("seq", "desc").limit(1),
  );
  return row?.seq ?? 0;
}

export function linesAfter(reader: Reader, sql: Sql, seq: number): Promise<readonly LineRow[]> {
  return reader.rows<LineRow>(
    sql.builder<DictTables>().selectFrom("shared_dict_journal").selectAll().where("seq", ">", seq).orderBy("seq"),
  );
}

/** The next line; another one in its place meanwhile is a conflict, and the command is decided anew. */
export function journalWrites(sql: Sql, last: number, line: JournalLine): readonly Write[] {
  const db = sql.builder<DictTables>();
  const row = { seq: last + 1, line: JSON.stringify(line satisfies Record<keyof JournalLine, Json>) };
  return [
    expecting(db.insertInto("shared_dict_journal").values(row).compile(), 1),
    expecting(
      db
        .deleteFrom("shared_dict_journal")
        .where("seq", "<=", row.seq - SHARED_DICT_LIMITS.journal_lines)
        .compile(),
      "any",
    ),
  ];
}

export function insertMeaning(sql: Sql, entry: DictEntry): Write {
  return expecting(sql.builder<DictTables>().insertInto("shared_dict").values(entry).compile(), 1);
}

export function removeMeaning(sql: Sql, { namespace, token }: DictEntry): Write {
  const db = sql.builder<DictTables>();
  return expecting(
    db.deleteFrom("shared_dict").where("namespace", "=", namespace).where("token", "=", token).compile(),
    1,
  );
}

export function clearMeanings(sql: Sql, namespace: string, count: number): Write {
  const db = sql.builder<DictTables>();
  return expecting(db.deleteFrom("shared_dict").where("namespace", "=", namespace).compile(), count);
}
