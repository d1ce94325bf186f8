/**
 * The only file that knows which SQLite runs: Node's own where the program runs on a Node that has it
 * (22 and later), the same API from `@photostructure/sqlite` before.
 */
import { createRequire } from "node:module";
import type * as sqlite from "@photostructure/sqlite";
import { columnValue, type SqlValue } from "../values.ts";

type DatabaseSync = InstanceType<typeof sqlite.DatabaseSync>;
type StatementSync = ReturnType<DatabaseSync["prepare"]>;
type SqliteModule = { readonly DatabaseSync: new (path: string, options: { readOnly: boolean }) => DatabaseSync };

/** One connection with its statement cache. Synchronous; throws what SQLite throws. */
export type Connection = {
  /** Rows changed. Parameters must have passed `checkedParameters`. */
  run(sql: string, parameters: readonly SqlValue[]): number;
  all(sql: string, parameters: readonly SqlValue[]): readonly Record<string, SqlValue>[];
  /** Several statements without parameters, uncached: DDL, PRAGMA, BEGIN. */
  exec(sql: string): void;
  inTransaction(): boolean;
  close(): void;
};

const builtin = process.getBuiltinModule?.("node:sqlite") as SqliteModule | undefined;

export function openConnection(path: string, mode: "read_write" | "read_only", cached_statements: number): Connection {
  const module = builtin ?? (createRequire(import.meta.url)("@photostructure/sqlite") as SqliteModule);
  const db = new module.DatabaseSync(path, { readOnly: mode === "read_only" });
  const cache = new Map<string, Prepared>();

  const prepared = (sql: string): Prepared => {
    const known = cache.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql);
    statement.setReadBigInts(true); // exact; columnValue makes numbers of them or refuses
    const made = { statement, columns: columnsOf(statement) };
    cache.set(sql, made);
    if (cache.size > cached_statements) {
      const oldest = cache.keys().next();
      if (oldest.done !== true) cache.delete(oldest.value);
    }
    return made;
  };
  return {
    run: (sql, parameters) => {
      const { changes }: { readonly changes: number | bigint } = prepared(sql).statement.run(...bindings(parameters)); // a BigInt, because reads are
      return Number(changes); // eslint-disable-line typescript/no-unnecessary-type-conversion -- a bigint with the built-in driver
    },
    all: (sql, parameters) => {
      const { statement, columns } = prepared(sql);
      const rows = statement.all(...bindings(parameters));
      return columns === null
        ? (rows as Record<string, unknown>[]).map(plainRow)
        : (rows as unknown as unknown[][]).map((row) => namedRow(columns, row));
    },
    exec: (sql) => db.exec(sql),
    inTransaction: () => db.isTransaction,
    close: () => {
      cache.clear();
      db.close();
    },
  };
}

/** Node's module binds every JavaScript number as a double; as a BigInt it stays an integer inside expressions. */
function bindings(parameters: readonly SqlValue[]): readonly (SqlValue | bigint)[] {
  if (builtin === undefined) return parameters;
  return parameters.map((value) => (typeof value === "number" ? BigInt(value) : value));
}

type Prepared = {
  readonly statement: StatementSync;
  /** Names of its columns where it answers with lists; null where it answers with objects, or with nothing. */
  readonly columns: readonly string[] | null;
};

/** Rows come as lists where SQLite can: naming each value in JavaScript is much cheaper than in the binding. */
function columnsOf(statement: StatementSync): readonly string[] | null {
  if (typeof statement.setReturnArrays !== "function" || typeof statement.columns !== "function") return null;
  const names = statement.columns().map((column) => column.name);
  if (names.length === 0) return null;
  statement.setReturnArrays(true);
  return names;
}

function namedRow(columns: readonly string[], values: readonly unknown[]): Record<string, SqlValue> {
  const row: Record<string, SqlValue> = {};
  for (let at = 0; at < columns.length; at += 1) row[columns[at] ?? ""] = columnValue(values[at]);
  return row;
}

function plainRow(row: Record<string, unknown>): Record<string, SqlValue> {
  const plain: Record<string, SqlValue> = {};
  for (const name of Object.keys(row)) plain[name] = columnValue(row[name]);
  return plain;
}

/** What SQLite means by an error, by its (extended) result code; never by its text. */
export type SqliteProblem =
  | { readonly kind: "full" }
  | { readonly kind: "not_writable"; readonly problem: string }
  | { readonly kind: "duplicate" }
  | { readonly kind: "statement"; readonly problem: string };

const PRIMARY = {
  BUSY: 5,
  LOCKED: 6,
  NOMEM: 7,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const;
const DUPLICATES: ReadonlySet<number> = new Set([1555, 2067, 2579]); // SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE, _ROWID
const MACHINE: ReadonlySet<number> = new Set(Object.values(PRIMARY));

/** Rethrows what is not SQLite's. */
export function sqliteProblem(error: unknown): SqliteProblem {
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  const problem = error instanceof Error ? error.message : String(error);
  if (code !== "ERR_SQLITE_ERROR") throw error;
  if (typeof errcode !== "number") return { kind: "statement", problem }; // the package's all() leaves the number out
  const primary = errcode & 0xff;
  if (primary === PRIMARY.FULL) return { kind: "full" };
  if (DUPLICATES.has(errcode)) return { kind: "duplicate" };
  return MACHINE.has(primary) ? { kind: "not_writable", problem } : { kind: "statement", problem };
}
