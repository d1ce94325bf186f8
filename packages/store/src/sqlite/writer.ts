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
import type { LedgerEvent, LogHead, PreparedLeaf } from "@rumi/ledger";
import type { StoreLimits } from "../limits.ts";
import { batchTooLarge } from "../batch.ts";
import { entryValues, leafOf, planLeaves, signHead, type LogSigner } from "../log/leaves.ts";
import { verifiedHead } from "./head.ts";
import type { Batch, CommitError, Migrations } from "../port.ts";
import type { Outcome } from "../group-queue.ts";
import { parametersFailure, type SqlValue } from "../values.ts";
import { openConnection, sqliteProblem, type Connection } from "./driver.ts";
import { migrateSqlite } from "./migrate.ts";

export type WriterOptions = {
  readonly path: string;
  readonly migrations: readonly Migrations[];
  readonly backup_folder: string;
  readonly signer: LogSigner;
  readonly limits: StoreLimits;
  readonly randomBytes: (count: number) => Uint8Array;
};

export type Writer = {
  commitGroup(group: readonly Batch[]): readonly Outcome[];
  close(): void;
};

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
    for (const pragma of ["journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000", "trusted_schema = OFF"]) {
      db.exec(`PRAGMA ${pragma}`);
    }
    const migrated = migrateSqlite(db, options.migrations, options.backup_folder);
    const head = migrated.ok ? verifiedHead(db, options.signer) : migrated;
    if (!head.ok) {
      db.close();
      return head;
    }
    return ok(writerOver(db, head.value, options));
  } catch (cause) {
    db?.close();
    return err(groupFailure(cause));
  }
}

function writerOver(db: Connection, verified: LogHead, options: WriterOptions): Writer {
  let remembered: LogHead | undefined = verified;

  /** The head as of this transaction: another handle on the same file may have appended. */
  function currentHead(): LogHead {
    const size = db.all(SELECT_SIZE, [])[0]?.["size"] ?? 0;
    if (remembered?.size === size) return remembered;
    const read = verifiedHead(db, options.signer);
    if (!read.ok) throw new GroupFailed(read.error);
    return read.value;
  }

  function appendLeaves(head: LogHead, leaves: readonly PreparedLeaf[]): LogHead {
    const plan = planLeaves(head, leaves);
    for (const tile of plan.tiles) db.run(UPSERT_TILE, [tile.level, tile.index, tile.data]);
    const note = signHead(options.signer, plan.head.size, plan.root);
    if (db.run(UPDATE_CHECKPOINT, [plan.head.size, plan.root, note]) === 0) db.run(INSERT_CHECKPOINT, ["current", plan.head.size, plan.root, note]);
    const every = options.limits.leaves_per_kept_checkpoint;
    if (Math.floor(plan.head.size / every) > Math.floor(head.size / every)) db.run(INSERT_CHECKPOINT, ["kept", plan.head.size, plan.root, note]);
    return plan.head;
  }

  function transact(group: readonly Batch[]): readonly Outcome[] {
    db.exec("BEGIN IMMEDIATE");
    const head = currentHead();
    const leaves: PreparedLeaf[] = [];
    const applied = group.map((batch) => applyBatch(db, batch, head.size + leaves.length, leaves, options));
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
    close: () => db.close(),
  };
}

/** Runs one batch in its savepoint; its leaves join `leaves` only when all of it held. Answers with indices. */
function applyBatch(
  db: Connection,
  batch: Batch,
  first_index: number,
  leaves: PreparedLeaf[],
  options: WriterOptions,
): Result<readonly number[], CommitError> {
  const refused = batchTooLarge(batch, options.limits);
  if (refused !== undefined) return err({ kind: "failed", failure: refused });
  const prepared: PreparedLeaf[] = [];
  for (const event of batch.events) {
    const leaf = leafOf(event, options.randomBytes);
    if (!leaf.ok) return err({ kind: "failed", failure: leaf.error });
    prepared.push(leaf.value);
  }
  db.run("SAVEPOINT batch", []);
  const problem = runWrites(db, batch) ?? insertEntries(db, batch, prepared, first_index);
  if (problem !== undefined) {
    db.run("ROLLBACK TO batch", []);
    db.run("RELEASE batch", []);
    return err(problem);
  }
  db.run("RELEASE batch", []);
  leaves.push(...prepared);
  return ok(prepared.map((_, offset) => first_index + offset));
}

function runWrites(db: Connection, batch: Batch): CommitError | undefined {
  for (const [write_index, write] of batch.writes.entries()) {
    const unfit = parametersFailure(write.parameters);
    if (unfit !== undefined) return { kind: "failed", failure: unfit };
    const changed = attempt(write_index, () => db.run(write.sql, write.parameters as readonly SqlValue[]));
    if (typeof changed !== "number") return changed;
    if (write.expect !== "any" && changed !== write.expect) return { kind: "conflict", write_index, changed };
  }
  return undefined;
}

function insertEntries(db: Connection, batch: Batch, prepared: readonly PreparedLeaf[], first_index: number): CommitError | undefined {
  for (const [offset, leaf] of prepared.entries()) {
    const event = batch.events[offset] as LedgerEvent;
    const idx = first_index + offset;
    const entry = entryValues(idx, event, leaf.leaf);
    const unfit = parametersFailure(entry);
    if (unfit !== undefined) return { kind: "failed", failure: unfit };
    const changed = attempt(batch.writes.length + offset, () => {
      db.run(INSERT_ENTRY, entry);
      return db.run(INSERT_PAYLOAD, [idx, leaf.salt, leaf.payload]);
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
  return failure("RUMI-STO-006", { problem: "problem" in problem ? problem.problem : problem.kind });
}
