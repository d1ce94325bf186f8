/**
 * SQLite's single writer: one group of batches, one transaction, one signature.
 *
 * Each batch runs in its own SAVEPOINT, so a conflict undoes that batch only. State, leaves, tiles and
 * the signed checkpoint commit together; an outcome leaves this file after COMMIT, never before.
 *
 * Invariants
 * - After a failed group nothing changed, and the remembered head is read again (disk-full.test.ts).
 * - Every acknowledged batch survives kill -9 (crash.test.ts).
 * - Order is the index; no clock takes part in it (conformance.ts).
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { LogHead, NoteSigner } from "@rumi/ledger";
import type { StoreLimits } from "../limits.ts";
import type { PreparedBatch, PreparedEntry } from "../batch.ts";
import { noteSigner, planLeaves, signHead, type LogSigner } from "../log/leaves.ts";
import { verifiedHead } from "./head.ts";
import type { CommitError, Migrations } from "../port.ts";
import type { Outcome } from "../group-queue.ts";
import { openConnection, sqliteProblem, type Connection } from "./driver.ts";
import { migrateSqlite } from "./migrate.ts";

export type WriterOptions = {
  readonly path: string;
  readonly migrations: readonly Migrations[];
  readonly backup_folder: string;
  readonly signer: LogSigner;
  readonly limits: StoreLimits;
};

export type Writer = {
  commitGroup(group: readonly PreparedBatch[]): readonly Outcome[];
  close(): void;
};

/** The cache (KiB, negative) holds the indexes' inner pages; a WAL of 32 MB lets one page be copied back once for many groups. */
const PRAGMAS = [
  "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000", "trusted_schema = OFF",
  "cache_size = -65536", "wal_autocheckpoint = 8192",
] as const;
const INSERT_ENTRY = `INSERT INTO log_entry
  (idx, event_id, action, actor, resource_type, resource_id, outcome, occurred_at, trace_id, run_id, request_id, leaf)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const INSERT_PAYLOAD = "INSERT INTO log_payload (idx, salt, payload) VALUES (?, ?, ?)";
const UPSERT_TILE = "INSERT INTO log_tile (level, idx, data) VALUES (?, ?, ?) ON CONFLICT (level, idx) DO UPDATE SET data = excluded.data";
const UPDATE_CHECKPOINT = "UPDATE log_checkpoint SET size = ?, root = ?, note = ? WHERE kind = 'current'";
const INSERT_CHECKPOINT = "INSERT INTO log_checkpoint (kind, size, root, note) VALUES (?, ?, ?, ?)";
const SELECT_SIZE = "SELECT size FROM log_checkpoint WHERE kind = 'current'";

export function openWriter(options: WriterOptions): Result<Writer, Failure> {
  let db: Connection | undefined;
  try {
    db = openConnection(options.path, "read_write", options.limits.cached_statements);
    for (const pragma of PRAGMAS) {
      db.exec(`PRAGMA ${pragma}`);
    }
    const signer = noteSigner(options.signer);
    const migrated = migrateSqlite(db, options.migrations, options.backup_folder);
    const head = migrated.ok ? verifiedHead(db, signer) : migrated;
    if (!head.ok) {
      db.close();
      return head;
    }
    return ok(writerOver(db, head.value, signer, options.limits));
  } catch (cause) {
    db?.close();
    return err(groupFailure(cause));
  }
}

function writerOver(db: Connection, verified: LogHead, signer: NoteSigner, limits: StoreLimits): Writer {
  let remembered: LogHead | undefined = verified;

  /** The head as of this transaction: another handle on the same file may have appended. */
  function currentHead(): LogHead {
    const size = db.all(SELECT_SIZE, [])[0]?.["size"] ?? 0;
    if (remembered?.size === size) return remembered;
    const read = verifiedHead(db, signer);
    if (!read.ok) throw new GroupFailed(read.error);
    return read.value;
  }

  function appendLeaves(head: LogHead, leaves: readonly PreparedEntry[]): LogHead {
    const plan = planLeaves(head, leaves);
    for (const tile of plan.tiles) db.run(UPSERT_TILE, [tile.level, tile.index, tile.data]);
    const note = signHead(signer, plan.head.size, plan.root);
    if (db.run(UPDATE_CHECKPOINT, [plan.head.size, plan.root, note]) === 0) db.run(INSERT_CHECKPOINT, ["current", plan.head.size, plan.root, note]);
    const every = limits.leaves_per_kept_checkpoint;
    if (Math.floor(plan.head.size / every) > Math.floor(head.size / every)) db.run(INSERT_CHECKPOINT, ["kept", plan.head.size, plan.root, note]);
    return plan.head;
  }

  function transact(group: readonly PreparedBatch[]): readonly Outcome[] {
    db.exec("BEGIN IMMEDIATE");
    const head = currentHead();
    const leaves: PreparedEntry[] = [];
    const applied = group.map((batch) => applyBatch(db, batch, head.size + leaves.length, leaves));
    const next = leaves.length > 0 ? appendLeaves(head, leaves) : head;
    db.exec("COMMIT");
    remembered = next;
    return applied.map((one) => (one.ok ? ok({ indices: one.value, log_size: next.size }) : one));
  }

  return {
    commitGroup: (group) => {
      try {
        return transact(group);
      } catch (cause) {
        remembered = undefined;
        if (db.inTransaction()) db.exec("ROLLBACK");
        const failed: Outcome = err({ kind: "failed", failure: groupFailure(cause) });
        return group.map(() => failed);
      }
    },
    close: () => {
      try {
        db.exec("PRAGMA wal_checkpoint(TRUNCATE)"); // so that the one file is the whole store
      } catch {
        // A full disk, say: the WAL stays beside the file, and the next start reads it.
      }
      db.close();
    },
  };
}

/** Runs one batch in its savepoint; its leaves join `leaves` only when all of it held. Answers with indices. */
function applyBatch(db: Connection, batch: PreparedBatch, first_index: number, leaves: PreparedEntry[]): Result<readonly number[], CommitError> {
  db.run("SAVEPOINT batch", []);
  const problem = runWrites(db, batch) ?? insertEntries(db, batch, first_index);
  if (problem !== undefined) db.run("ROLLBACK TO batch", []);
  db.run("RELEASE batch", []);
  if (problem !== undefined) return err(problem);
  leaves.push(...batch.entries);
  return ok(batch.entries.map((_, offset) => first_index + offset));
}

function runWrites(db: Connection, batch: PreparedBatch): CommitError | undefined {
  for (const [write_index, write] of batch.writes.entries()) {
    const changed = attempt(write_index, () => db.run(write.sql, write.parameters));
    if (typeof changed !== "number") return changed;
    if (write.expect !== "any" && changed !== write.expect) return { kind: "conflict", write_index, changed };
  }
  return undefined;
}

/** An event that is in the log already is a conflict; it counts as the write behind the batch's own. */
function insertEntries(db: Connection, batch: PreparedBatch, first_index: number): CommitError | undefined {
  for (const [offset, entry] of batch.entries.entries()) {
    const idx = first_index + offset;
    const changed = attempt(batch.writes.length, () => {
      db.run(INSERT_ENTRY, [idx, ...entry.columns, entry.leaf]);
      return db.run(INSERT_PAYLOAD, [idx, entry.salt, entry.payload]);
    });
    if (typeof changed !== "number") return changed;
  }
  return undefined;
}

/** Sorts what one statement may throw: this batch's own problem is answered, the machine's ends the group. */
function attempt(write_index: number, run: () => number): number | CommitError {
  try {
    return run();
  } catch (cause) {
    const problem = sqliteProblem(cause);
    if (problem.kind === "duplicate") return { kind: "conflict", write_index, changed: 0 };
    if (problem.kind === "statement") return { kind: "failed", failure: failure("RUMI-STO-010", { problem: problem.problem }) };
    throw cause;
  }
}

class GroupFailed extends Error {
  readonly failure: Failure;
  constructor(of: Failure) {
    super(of.code);
    this.failure = of;
  }
}

function groupFailure(cause: unknown): Failure {
  if (cause instanceof GroupFailed) return cause.failure;
  const problem = sqliteProblem(cause);
  if (problem.kind === "full") return failure("RUMI-SYS-008");
  return failure("RUMI-STO-006", { problem: problem.kind === "duplicate" ? "a log row exists already" : problem.problem });
}
