/** PostgreSQL's values and errors in the store's own words; the only file that reads SQLSTATEs. */
import { failure, type Failure } from "@rumi/kernel";
import pg from "pg";
import { columnValue, type SqlValue } from "../values.ts";

/** What `new pg.Client` takes; a URL or parts. */
export type PostgresServer =
  | { readonly connectionString: string }
  | { readonly host: string; readonly port: number; readonly user: string; readonly database: string };

const OID = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, float4: 700, float8: 701, numeric: 1700 } as const;
const NUMBERS: ReadonlySet<number> = new Set([OID.int8, OID.int2, OID.int4, OID.float4, OID.float8, OID.numeric]);

/** Numbers as numbers (`columnValue` refuses inexact ones), bytes as bytes, truth as 0 and 1, all else as text. */
const types = {
  getTypeParser: (oid: number, format?: string): ((value: never) => unknown) => {
    if (oid === OID.bytea)
      return pg.types.getTypeParser(oid, format === "binary" ? "binary" : "text") as (value: never) => unknown;
    if (NUMBERS.has(oid)) return (value: string) => Number(value);
    if (oid === OID.bool) return (value: string) => (value === "t" ? 1 : 0);
    return (value: string) => value;
  },
};

export function clientConfig(server: PostgresServer): pg.ClientConfig {
  return {
    ...server,
    types: types,
    application_name: "rumi-store",
    keepAlive: true,
  };
}

export function plainRows(rows: readonly Record<string, unknown>[]): readonly Record<string, SqlValue>[] {
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, columnValue(value)])));
}

export type PostgresProblem = { readonly kind: "contention" } | { readonly kind: "failed"; readonly failure: Failure };

/** Unique violation, serialization failure, deadlock, lock not available. */
const CONTENTION: ReadonlySet<string> = new Set(["23505", "40001", "40P01", "55P03"]);
const FULL = "53100";
const READ_ONLY = "25006";
/** Connection trouble, operator intervention, insufficient resources. */
const UNREACHABLE = /^(08|57P|53)/;

/** Sorts an error by SQLSTATE. What has none never reached a server that would answer. */
export function postgresProblem(cause: unknown): PostgresProblem {
  const problem = cause instanceof Error ? cause.message : String(cause);
  const code = (cause as { readonly code?: unknown }).code;
  const state = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
  if (state !== undefined && CONTENTION.has(state)) return { kind: "contention" };
  if (state === FULL) return failed(failure("RUMI-SYS-008", {}, { cause }));
  if (state === READ_ONLY) return failed(failure("RUMI-STO-006", { problem }, { cause }));
  const code_of_ours = state === undefined || UNREACHABLE.test(state) ? "RUMI-STO-008" : "RUMI-STO-010";
  return failed(failure(code_of_ours, { problem }, { cause }));
}

function failed(of: Failure): PostgresProblem {
  return { kind: "failed", failure: of };
}

export function failureOf(cause: unknown): Failure {
  const problem = postgresProblem(cause);
  return problem.kind === "failed"
    ? problem.failure
    : failure("RUMI-STO-008", { problem: cause instanceof Error ? cause.message : "contention" }, { cause });
}
