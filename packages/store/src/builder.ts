/** Compiles SQL of either dialect and executes nothing: the store runs what it is handed, as a batch. */
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type RawBuilder,
} from "kysely";
import type { Statement, Write } from "./port.ts";

export type SqlDialect = "sqlite" | "postgres";
export type Compilable = { compile(): Statement };

const builders = new Map<SqlDialect, Kysely<unknown>>();

/** One for each dialect: a builder holds no state, and making one costs more than a query. */
export function compilingBuilder<Tables>(dialect: SqlDialect): Kysely<Tables> {
  const made = builders.get(dialect) ?? newBuilder(dialect);
  builders.set(dialect, made);
  return made as Kysely<Tables>;
}

/**
 * The text of a statement that is in everybody's path, compiled once for each dialect. Values in `build` only stand
 * for their places: whoever uses the text hands its parameters over in the order in which they appear in it.
 */
export function compiledText<Tables>(
  build: (sql: Kysely<Tables>) => Compilable,
): (store: { builder<Of>(): Kysely<Of> }) => string {
  const texts = new WeakMap<Kysely<Tables>, string>();
  return (store) => {
    const builder = store.builder<Tables>();
    const known = texts.get(builder);
    if (known !== undefined) return known;
    const text = build(builder).compile().sql;
    texts.set(builder, text);
    return text;
  };
}

function newBuilder(dialect: SqlDialect): Kysely<unknown> {
  return new Kysely<unknown>({
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
