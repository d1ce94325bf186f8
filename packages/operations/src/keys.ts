/**
 * The dedupe rows of commands: claimed before anything else, finished in the same commit as the effect.
 *
 * How to think: `recovery_point` holds the request as it was accepted and who is carrying it out. Every change
 * of a running row names the recovery point it saw, so of two that run the same command one always loses.
 * These three writes are in every command's path, so their text is compiled once per store.
 */
import type { Micros } from "@rumi/kernel";
import type { OperationKeyRow, OperationKeyTables, Statement, Store, Write } from "@rumi/store";
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

type Dialect = Pick<Store, "builder" | "dialect">;
type Claim = Pick<OperationKeyRow, "key" | "operation" | "fingerprint" | "actor" | "trace_id">;

export function claimKey(store: Dialect, row: Claim, recovery_point: string, now: Micros): Write {
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

/** Another run of the same command begins; fits only while the row is as it was read. */
export function takeOverKey(store: Dialect, key: string, seen: string, next: string, now: Micros): Write {
  return { sql: texts(store).takeOver, parameters: [next, now, key, "requested", seen], expect: 1 };
}

/** The answer is final; the stored request is forgotten. */
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

type Texts = { readonly claim: string; readonly takeOver: string; readonly finish: string };
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
  const running = sql
    .updateTable("operation_key")
    .where("key", "=", "")
    .where("state", "=", "requested")
    .where("recovery_point", "=", "");
  const takeOver: Statement = running.set({ recovery_point: "", updated_at: at }).compile();
  const finish: Statement = running
    .set({ state: "finished", status: 0, answer: "", recovery_point: null, updated_at: at })
    .compile();
  return { claim: claim.sql, takeOver: takeOver.sql, finish: finish.sql };
}
