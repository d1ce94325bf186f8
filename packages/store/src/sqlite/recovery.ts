/**
 * Copying a store that may be in use, and handing the log of a copy over to another origin.
 *
 * How to think: a copy is one read of the database, so rows and log are of one moment whatever is written meanwhile. A copy
 * that lives on under the old origin would be a second log of the same name; so its head is signed anew, by a key and for an
 * origin of its own, over the very same tree: whoever holds an old checkpoint can still check that nothing before it changed.
 */
import { chmodSync } from "node:fs";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { noteSigner, signHead, type LogSigner } from "../log/leaves.ts";
import { openConnection } from "./driver.ts";

const BUSY_MS = 10_000;

/** A whole, compact copy as of now; `to` must not exist. */
export function copySqliteStore(from: string, to: string): Result<undefined, Failure> {
  return onDatabase(from, "read_only", to, (db) => {
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    db.run("VACUUM INTO ?", [to]);
    chmodSync(to, 0o600);
  });
}

/** Signs the head for another origin; the old ones are told in the log, not kept beside the new. The store is open nowhere. */
export function handOverLog(path: string, to: LogSigner): Result<undefined, Failure> {
  return onDatabase(path, "read_write", path, (db) => {
    const [head] = db.all("SELECT size, root FROM log_checkpoint WHERE kind = 'current'", []);
    if (head === undefined) return;
    const note = signHead(noteSigner(to), Number(head["size"]), head["root"] as Uint8Array);
    db.exec("BEGIN IMMEDIATE");
    db.run("DELETE FROM log_checkpoint WHERE kind = 'kept'", []);
    db.run("UPDATE log_checkpoint SET note = ? WHERE kind = 'current'", [note]);
    db.exec("COMMIT");
  });
}

function onDatabase(
  path: string,
  mode: "read_only" | "read_write",
  about: string,
  act: (db: ReturnType<typeof openConnection>) => void,
): Result<undefined, Failure> {
  try {
    const db = openConnection(path, mode, 10);
    try {
      act(db);
    } finally {
      db.close();
    }
    return ok(undefined);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    return err(failure("RUMI-STO-012", { folder: about, problem }, { cause }));
  }
}
