/**
 * Operation keys: the same key acts once, and its answer is kept.
 *
 * How to think: a key is claimed durably before anything else happens ({@link claimKey}); a conflict means that it is
 * known, and its row says what that means. `recovery_point` holds the request as it was accepted and who carries it
 * out: every change of a running row names the recovery point it saw, so of two that run the same command one always
 * loses. The finishing write commits in the same batch as the effect it answers for, so there is no moment at which
 * one is true without the other. What has no effect before that batch may be claimed in it ({@link claimFinished}).
 * These writes are in every command's path: their text is compiled once per dialect.
 */
import type { Micros } from "@rumi/kernel";
import { compiledText, write } from "../builder.ts";
import type { Reader, Statement, Store, Write } from "../port.ts";

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
export type NewOperationKey = Pick<OperationKeyRow, "key" | "operation" | "fingerprint" | "actor" | "trace_id">;

type Sql = Pick<Store, "builder">;
type Dialect = Pick<Store, "builder" | "dialect">;

/** A conflict means the key exists: read it with {@link findKey}. */
export function claimKey(store: Dialect, row: NewOperationKey, recovery_point: string, now: Micros): Write {
  return {
    sql: texts(store).claim,
    parameters: [
      row.key,
      row.operation,
      row.fingerprint,
      "requested",
      recovery_point,
      row.actor,
      row.trace_id,
      now,
      now,
    ],
    expect: 1,
  };
}

/** Claimed and finished in one: there was no moment at which it ran. A conflict means the key exists. */
export function claimFinished(
  store: Dialect,
  row: NewOperationKey & Pick<OperationKeyRow, "created_at">,
  status: number,
  answer: string,
  now: Micros,
): Write {
  const { key, operation, fingerprint, actor, trace_id, created_at } = row;
  return {
    sql: texts(store).claimFinished,
    parameters: [key, operation, fingerprint, "finished", status, answer, actor, trace_id, created_at, now],
    expect: 1,
  };
}

/** Another run of the same command begins; fits only while the row is as it was read. */
export function takeOverKey(store: Dialect, key: string, seen: string, next: string, now: Micros): Write {
  return { sql: texts(store).takeOver, parameters: [next, now, key, "requested", seen], expect: 1 };
}

/** The answer is final, a refusal's too: it is replayed for ever, and the stored request is forgotten. Once only, else a conflict. */
export function finishKey(
  store: Dialect,
  key: string,
  seen: string,
  status: number,
  answer: string,
  now: Micros,
): Write {
  return {
    sql: texts(store).finish,
    parameters: ["finished", status, answer, null, now, key, "requested", seen],
    expect: 1,
  };
}

type Texts = {
  readonly claim: string;
  readonly claimFinished: string;
  readonly takeOver: string;
  readonly finish: string;
};
const compiled = new Map<Store["dialect"], Texts>();

function texts(store: Dialect): Texts {
  const known = compiled.get(store.dialect);
  if (known !== undefined) return known;
  const made = compile(store);
  compiled.set(store.dialect, made);
  return made;
}

/** The values here only stand for their places; each text's parameters keep the order written here. */
function compile(store: Dialect): Texts {
  const sql = store.builder<OperationKeyTables>();
  const at = 0 as Micros;
  const claim: Statement = sql
    .insertInto("operation_key")
    .values({
      key: "",
      operation: "",
      fingerprint: "",
      state: "requested",
      recovery_point: "",
      actor: "",
      trace_id: "",
      created_at: at,
      updated_at: at,
    })
    .onConflict((on) => on.column("key").doNothing())
    .compile();
  const claimFinished: Statement = sql
    .insertInto("operation_key")
    .values({
      key: "",
      operation: "",
      fingerprint: "",
      state: "finished",
      status: 0,
      answer: "",
      actor: "",
      trace_id: "",
      created_at: at,
      updated_at: at,
    })
    .onConflict((on) => on.column("key").doNothing())
    .compile();
  const running = sql
    .updateTable("operation_key")
    .where("key", "=", "")
    .where("state", "=", "requested")
    .where("recovery_point", "=", "");
  const takeOver: Statement = running.set({ recovery_point: "", updated_at: at }).compile();
  const finish: Statement = running
    .set({ state: "finished", status: 0, answer: "", recovery_point: null, updated_at: at })
    .compile();
  return { claim: claim.sql, claimFinished: claimFinished.sql, takeOver: takeOver.sql, finish: finish.sql };
}

const FIND = compiledText<OperationKeyTables>((db) => db.selectFrom("operation_key").selectAll().where("key", "=", ""));

export async function findKey(store: Sql, reader: Reader, key: string): Promise<OperationKeyRow | undefined> {
  return (await reader.rows<OperationKeyRow>({ sql: FIND(store), parameters: [key] }))[0];
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
