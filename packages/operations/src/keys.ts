/**
 * The dedupe rows of commands: claimed before anything else, finished in the same commit as the effect.
 *
 * How to think: `recovery_point` holds the request as it was accepted and who is carrying it out. Every change
 * of a running row names the recovery point it saw, so of two that run the same command one always loses.
 */
import type { Micros } from "@rumi/kernel";
import type { Reader, Statement, Store, Write } from "@rumi/store";
import type { Principal } from "./operation.ts";

/** All that is needed to carry a command out again after a crash. */
export type StoredRequest = {
  readonly version: 1;
  /** Identifies the process that carries it out. */
  readonly owner: string;
  /** Runs begun so far. */
  readonly attempts: number;
  readonly principal: Principal;
  readonly input: Readonly<Record<string, unknown>>;
  /** Some of the input was secret and is not here. */
  readonly withheld: boolean;
  readonly run_id: string | null;
};

export type KeyRow = {
  readonly key: string;
  readonly operation: string;
  readonly fingerprint: string;
  readonly state: "requested" | "finished" | "failed";
  readonly answer: string | null;
  readonly recovery_point: string | null;
  readonly actor: string;
  readonly trace_id: string;
  readonly created_at: number;
  readonly updated_at: number;
};
type Tables = { operation_key: KeyRow & { readonly status: number | null } };
type Dialect = Pick<Store, "builder">;

/** One statement text each, so that the store's cache of prepared statements always hits. */
export function claimKey(store: Dialect, row: Pick<KeyRow, "key" | "operation" | "fingerprint" | "actor" | "trace_id">, recovery_point: string, now: Micros): Write {
  const query = store.builder<Tables>().insertInto("operation_key").values({
    key: row.key, operation: row.operation, fingerprint: row.fingerprint, state: "requested", status: null, answer: null,
    recovery_point, actor: row.actor, trace_id: row.trace_id, created_at: now, updated_at: now,
  }).onConflict((conflict) => conflict.column("key").doNothing());
  return { ...plain(query.compile()), expect: 1 };
}

/** Another run of the same command begins; fits only while the row is as it was read. */
export function takeOverKey(store: Dialect, key: string, seen: string, next: string, now: Micros): Write {
  const query = store.builder<Tables>().updateTable("operation_key").set({ recovery_point: next, updated_at: now })
    .where("key", "=", key).where("state", "=", "requested").where("recovery_point", "=", seen);
  return { ...plain(query.compile()), expect: 1 };
}

/** The answer is final; the stored request is forgotten. */
export function finishKey(store: Dialect, key: string, seen: string, status: number, answer: string, now: Micros): Write {
  const query = store.builder<Tables>().updateTable("operation_key")
    .set({ state: "finished", status, answer, recovery_point: null, updated_at: now })
    .where("key", "=", key).where("state", "=", "requested").where("recovery_point", "=", seen);
  return { ...plain(query.compile()), expect: 1 };
}

export async function readKey(store: Dialect & Reader, key: string): Promise<KeyRow | undefined> {
  const [row] = await store.rows<KeyRow>(store.builder<Tables>().selectFrom("operation_key").selectAll().where("key", "=", key));
  return row;
}

/** Commands that were accepted and never decided, oldest first. */
export async function unfinishedKeys(store: Dialect & Reader): Promise<readonly KeyRow[]> {
  return store.rows<KeyRow>(store.builder<Tables>().selectFrom("operation_key").selectAll().where("state", "=", "requested").orderBy("created_at").orderBy("key"));
}

function plain(query: Statement): Statement {
  return { sql: query.sql, parameters: query.parameters };
}
