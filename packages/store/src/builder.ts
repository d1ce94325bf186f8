/** Compiles SQL of either dialect and executes nothing: the store runs what it is handed, as a batch. */
import {
  DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql, SqliteAdapter, SqliteIntrospector,
  SqliteQueryCompiler, type RawBuilder,
} from "kysely";
import type { Statement, Write } from "./port.ts";

export type SqlDialect = "sqlite" | "postgres";
export type Compilable = { compile(): Statement };

export function compilingBuilder<Tables>(dialect: SqlDialect): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect:
      dialect === "sqlite"
        ? {
            createAdapter: () => new SqliteAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new SqliteIntrospector(db),
            createQueryCompiler: () => new SqliteQueryCompiler(),
          }
        : {
            createAdapter: () => new PostgresAdapter(),
            createDriver: () => new DummyDriver(),
            createIntrospector: (db) => new PostgresIntrospector(db),
            createQueryCompiler: () => new PostgresQueryCompiler(),
          },
  });
}

/** A statement that must change exactly `expect` rows, else the batch it is in rolls back as a conflict. */
export function write(query: Compilable | Statement, expect: number | "any"): Write {
  const { sql: text, parameters } = "compile" in query ? query.compile() : query;
  return { sql: text, parameters, expect };
}

/**
 * Microseconds since the epoch by the database's own clock, read when the statement runs (not when its
 * transaction began): the one clock that all holders of a lease share. SQLite's has millisecond steps.
 */
export function databaseNow(dialect: SqlDialect): RawBuilder<number> {
  return dialect === "sqlite"
    ? sql<number>`cast(unixepoch('subsec') * 1000000 as integer)`
    : sql<number>`cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)`;
}
