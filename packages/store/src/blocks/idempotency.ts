/**
 * Operation keys: the same key acts once, and its answer is kept.
 *
 * Insert first, durably, before anything else happens ({@link requestKeyWrite}); a conflict means the key
 * is known and {@link judgeKey} says what that means. The finishing write commits in the same batch as
 * the effect it answers for, so there is no moment at which one is true without the other.
 */
import type { Micros } from "@rumi/kernel";
import { write } from "../builder.ts";
import type { Reader, Store, Write } from "../port.ts";

export type KeyState = "requested" | "finished" | "failed";
export type OperationKeyRow = {
  readonly key: string;
  readonly operation: string;
  readonly fingerprint: string;
  readonly state: KeyState;
  /** HTTP status and JSON text of the answer; null until finished or failed. */
  readonly status: number | null;
  readonly answer: string | null;
  /** JSON text of the operation's own: where to go on after a crash. */
  readonly recovery_point: string | null;
  readonly actor: string;
  readonly trace_id: string;
  readonly created_at: Micros;
  readonly updated_at: Micros;
};
export type OperationKeyTables = {
  operation_key: { -readonly [name in keyof OperationKeyRow]: OperationKeyRow[name] };
};
export type NewOperationKey = Pick<OperationKeyRow, "key" | "operation" | "fingerprint" | "actor" | "trace_id"> & {
  readonly at: Micros;
};
export type StoredAnswer = { readonly status: number; readonly answer: string; readonly at: Micros };

type Sql = Pick<Store, "builder">;

/** A conflict means the key exists: read it with {@link findKey}. */
export function requestKeyWrite(store: Sql, { at, ...key }: NewOperationKey): Write {
  const row = {
    ...key,
    state: "requested",
    status: null,
    answer: null,
    recovery_point: null,
    created_at: at,
    updated_at: at,
  } as const;
  return write(
    store
      .builder<OperationKeyTables>()
      .insertInto("operation_key")
      .values(row)
      .onConflict((on) => on.doNothing()),
    1,
  );
}

/** Remembers how far an unfinished operation came. A conflict means it is finished already. */
export function recoveryPointWrite(store: Sql, key: string, recovery_point: string, at: Micros): Write {
  return write(
    store
      .builder<OperationKeyTables>()
      .updateTable("operation_key")
      .set({ recovery_point, updated_at: at })
      .where("key", "=", key)
      .where("state", "=", "requested"),
    1,
  );
}

/** The operation's final answer, a refusal included: it is replayed for ever. Once only, else a conflict. */
export function finishKeyWrite(store: Sql, key: string, answer: StoredAnswer): Write {
  return endWrite(store, key, "finished", answer);
}

/** It broke through our fault: the same key may be requested again ({@link retryKeyWrite}), never replayed. */
export function failKeyWrite(store: Sql, key: string, answer: StoredAnswer): Write {
  return endWrite(store, key, "failed", answer);
}

/** Takes a failed key up again. A conflict means another caller did so first. */
export function retryKeyWrite(store: Sql, key: string, fingerprint: string, at: Micros): Write {
  return write(
    store
      .builder<OperationKeyTables>()
      .updateTable("operation_key")
      .set({ state: "requested", status: null, answer: null, updated_at: at })
      .where("key", "=", key)
      .where("fingerprint", "=", fingerprint)
      .where("state", "=", "failed"),
    1,
  );
}

function endWrite(store: Sql, key: string, state: "finished" | "failed", { status, answer, at }: StoredAnswer): Write {
  return write(
    store
      .builder<OperationKeyTables>()
      .updateTable("operation_key")
      .set({ state, status, answer, updated_at: at })
      .where("key", "=", key)
      .where("state", "=", "requested"),
    1,
  );
}

export async function findKey(store: Sql, reader: Reader, key: string): Promise<OperationKeyRow | undefined> {
  return (
    await reader.rows<OperationKeyRow>(
      store.builder<OperationKeyTables>().selectFrom("operation_key").selectAll().where("key", "=", key),
    )
  )[0];
}

/** Operations that a crash interrupted, oldest first; the pipeline resumes each from its recovery point. */
export function unfinishedKeys(store: Sql, reader: Reader, limit: number): Promise<readonly OperationKeyRow[]> {
  return reader.rows<OperationKeyRow>(
    store
      .builder<OperationKeyTables>()
      .selectFrom("operation_key")
      .selectAll()
      .where("state", "=", "requested")
      .orderBy("created_at")
      .orderBy("key")
      .limit(limit),
  );
}

/** Forgets answers older than `before`, at most `limit` of them; unfinished ones stay. */
export function forgetKeysWrite(store: Sql, before: Micros, limit: number): Write {
  const old = store
    .builder<OperationKeyTables>()
    .selectFrom("operation_key")
    .select("key")
    .where("created_at", "<", before)
    .where("state", "!=", "requested")
    .orderBy("created_at")
    .limit(limit);
  return write(store.builder<OperationKeyTables>().deleteFrom("operation_key").where("key", "in", old), "any");
}

export type KeyVerdict =
  | { readonly kind: "replay"; readonly status: number; readonly answer: string }
  | { readonly kind: "running" }
  | { readonly kind: "retry" }
  | { readonly kind: "other_fingerprint" };

/** What a known key means for a caller who presents this operation and fingerprint. */
export function judgeKey(row: OperationKeyRow, operation: string, fingerprint: string): KeyVerdict {
  if (row.operation !== operation || row.fingerprint !== fingerprint) return { kind: "other_fingerprint" };
  if (row.state === "failed") return { kind: "retry" };
  if (row.state === "requested" || row.status === null || row.answer === null) return { kind: "running" };
  return { kind: "replay", status: row.status, answer: row.answer };
}
