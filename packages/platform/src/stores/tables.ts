/**
 * Where stores, their values and their shares are written down.
 *
 * A store's row counts its keys and bytes. Every write of a value moves these counts in the same commit, and only while they
 * stay within the limits, so no two writers can pass them together.
 */
import type { Migrations, Reader, Store, Write } from "@rumi/store";
import { expecting } from "../packs/tables.ts";
import type { StoreLimits } from "./limits.ts";
import type { DataStore, KeptValue, StoreShare } from "./model.ts";

type StoreRow = {
  store_id: string;
  owner_pack: string;
  created_by: string;
  created_at: number;
  keys: number;
  bytes: number;
};
export type EntryRow = {
  store_id: string;
  key: string;
  value: string;
  value_hash: string;
  bytes: number;
  updated_by: string;
  updated_at: number;
};
type ShareRow = { store_id: string; target_pack: string; approved_by: string; approved_at: number };
type StoreTables = { data_store: StoreRow; data_store_entry: EntryRow; data_store_share: ShareRow };
type Sql = Pick<Store, "builder">;

/** Keys are compared byte by byte in both dialects, so that prefixes are ranges. */
const statements = (integer: string, text: string): readonly string[] => [
  `CREATE TABLE data_store (
    store_id TEXT NOT NULL PRIMARY KEY, owner_pack TEXT NOT NULL, created_by TEXT NOT NULL, created_at ${integer} NOT NULL,
    keys ${integer} NOT NULL, bytes ${integer} NOT NULL)`,
  `CREATE TABLE data_store_entry (
    store_id TEXT NOT NULL, key ${text} NOT NULL, value TEXT NOT NULL, value_hash TEXT NOT NULL, bytes ${integer} NOT NULL,
    updated_by TEXT NOT NULL, updated_at ${integer} NOT NULL, PRIMARY KEY (store_id, key))`,
  `CREATE TABLE data_store_share (
    store_id TEXT NOT NULL, target_pack TEXT NOT NULL, approved_by TEXT NOT NULL, approved_at ${integer} NOT NULL,
    PRIMARY KEY (store_id, target_pack))`,
];

export const STORE_MIGRATIONS: Migrations = {
  owner: "platform.stores",
  steps: [
    { name: "001-stores", sqlite: statements("INTEGER", "TEXT"), postgres: statements("BIGINT", 'TEXT COLLATE "C"') },
  ],
};

const tables = (sql: Sql) => sql.builder<StoreTables>();

export function readDataStores(reader: Reader, sql: Sql): Promise<readonly DataStore[]> {
  return reader.rows<StoreRow>(tables(sql).selectFrom("data_store").selectAll().orderBy("store_id"));
}

export async function readDataStore(reader: Reader, sql: Sql, store_id: string): Promise<DataStore | undefined> {
  const [row] = await reader.rows<StoreRow>(
    tables(sql).selectFrom("data_store").selectAll().where("store_id", "=", store_id),
  );
  return row;
}

export function readShares(reader: Reader, sql: Sql): Promise<readonly StoreShare[]> {
  return reader.rows<ShareRow>(
    tables(sql).selectFrom("data_store_share").selectAll().orderBy("store_id").orderBy("target_pack"),
  );
}

export async function readShare(
  reader: Reader,
  sql: Sql,
  store_id: string,
  target_pack: string,
): Promise<StoreShare | undefined> {
  const [row] = await reader.rows<ShareRow>(
    tables(sql)
      .selectFrom("data_store_share")
      .selectAll()
      .where("store_id", "=", store_id)
      .where("target_pack", "=", target_pack),
  );
  return row;
}

export async function readEntry(
  reader: Reader,
  sql: Sql,
  store_id: string,
  key: string,
): Promise<EntryRow | undefined> {
  const [row] = await reader.rows<EntryRow>(
    tables(sql).selectFrom("data_store_entry").selectAll().where("store_id", "=", store_id).where("key", "=", key),
  );
  return row;
}

/** What the values of these keys weigh, before any of them is read. */
export function readSizes(
  reader: Reader,
  sql: Sql,
  store_id: string,
  keys: readonly string[],
): Promise<readonly Pick<EntryRow, "key" | "bytes">[]> {
  return reader.rows(
    tables(sql)
      .selectFrom("data_store_entry")
      .select(["key", "bytes"])
      .where("store_id", "=", store_id)
      .where("key", "in", keys),
  );
}

export function readEntries(
  reader: Reader,
  sql: Sql,
  store_id: string,
  keys: readonly string[],
): Promise<readonly EntryRow[]> {
  return reader.rows<EntryRow>(
    tables(sql).selectFrom("data_store_entry").selectAll().where("store_id", "=", store_id).where("key", "in", keys),
  );
}

/** Keys in order of their bytes: those that begin with `prefix` and come after `after`. */
export async function readKeys(
  reader: Reader,
  sql: Sql,
  of: { readonly store_id: string; readonly prefix: string; readonly after: string; readonly limit: number },
): Promise<readonly string[]> {
  let query = tables(sql)
    .selectFrom("data_store_entry")
    .select("key")
    .where("store_id", "=", of.store_id)
    .where("key", ">", of.after)
    .orderBy("key")
    .limit(of.limit);
  // Keys are ASCII below DEL, so what begins with the prefix lies before the prefix with a DEL behind it.
  if (of.prefix !== "") query = query.where("key", ">=", of.prefix).where("key", "<", `${of.prefix}\x7f`);
  return (await reader.rows<{ key: string }>(query)).map(({ key }) => key);
}

export function insertDataStore(sql: Sql, store: DataStore): Write {
  return expecting(tables(sql).insertInto("data_store").values(store).compile(), 1);
}

export function removeDataStore(sql: Sql, { store_id, keys, bytes }: DataStore): readonly Write[] {
  const db = tables(sql);
  return [
    // What was decided on is what goes: a value that came meanwhile makes this a conflict.
    expecting(
      db
        .deleteFrom("data_store")
        .where("store_id", "=", store_id)
        .where("keys", "=", keys)
        .where("bytes", "=", bytes)
        .compile(),
      1,
    ),
    expecting(db.deleteFrom("data_store_entry").where("store_id", "=", store_id).compile(), keys),
    expecting(db.deleteFrom("data_store_share").where("store_id", "=", store_id).compile(), "any"),
  ];
}

export function insertShare(sql: Sql, share: StoreShare): Write {
  return expecting(tables(sql).insertInto("data_store_share").values(share).compile(), 1);
}

export function removeShare(sql: Sql, { store_id, target_pack }: StoreShare): Write {
  return expecting(
    tables(sql)
      .deleteFrom("data_store_share")
      .where("store_id", "=", store_id)
      .where("target_pack", "=", target_pack)
      .compile(),
    1,
  );
}

/** Puts a value in the place of what was read, or nothing; the second write conflicts where the store is full. */
export function putEntry(
  sql: Sql,
  of: {
    readonly store_id: string;
    readonly key: string;
    readonly value: KeptValue;
    readonly before: EntryRow | undefined;
    readonly by: string;
    readonly now: number;
    readonly limits: StoreLimits;
  },
): readonly Write[] {
  const { store_id, key, value, before, by, now, limits } = of;
  const db = tables(sql);
  const row: EntryRow = {
    store_id,
    key,
    value: value.text,
    value_hash: value.hash,
    bytes: value.bytes,
    updated_by: by,
    updated_at: now,
  };
  const put =
    before === undefined
      ? db.insertInto("data_store_entry").values(row).compile()
      : db
          .updateTable("data_store_entry")
          .set(row)
          .where("store_id", "=", store_id)
          .where("key", "=", key)
          .where("value_hash", "=", before.value_hash)
          .compile();
  const change = { keys: before === undefined ? 1 : 0, bytes: value.bytes - (before?.bytes ?? 0) };
  return [expecting(put, 1), counted(sql, store_id, change, limits)];
}

export function dropEntry(sql: Sql, entry: EntryRow, limits: StoreLimits): readonly Write[] {
  const drop = tables(sql)
    .deleteFrom("data_store_entry")
    .where("store_id", "=", entry.store_id)
    .where("key", "=", entry.key)
    .where("value_hash", "=", entry.value_hash)
    .compile();
  return [expecting(drop, 1), counted(sql, entry.store_id, { keys: -1, bytes: -entry.bytes }, limits)];
}

function counted(
  sql: Sql,
  store_id: string,
  change: { readonly keys: number; readonly bytes: number },
  limits: StoreLimits,
): Write {
  let update = tables(sql)
    .updateTable("data_store")
    .set((of) => ({ keys: of("keys", "+", change.keys), bytes: of("bytes", "+", change.bytes) }))
    .where("store_id", "=", store_id);
  if (change.keys > 0) update = update.where("keys", "<=", limits.keys - change.keys);
  if (change.bytes > 0) update = update.where("bytes", "<=", limits.bytes - change.bytes);
  return expecting(update.compile(), 1);
}
