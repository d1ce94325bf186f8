/**
 * SQLite's single writer: one group of batches, one transaction, one signature.
 *
 * A conflict undoes its own batch only. Conflicts are rare and savepoints are not free, so a group first runs
 * without them; at the first problem all of it is rolled back and run again, each batch in its own SAVEPOINT.
 * State, leaves, tiles and the signed checkpoint commit together; an outcome leaves this file after COMMIT,
 * never before.
 *
 * Invariants
 * - After a failed group nothing changed, and the remembered head is read again (disk-full.test.ts).
 * - Every acknowledged batch survives kill -9 (crash.test.ts).
 * - Order is the index; no clock takes part in it (conformance.ts).
 */
import { err, failure, invariant, ok, type Failure, type Result } from "@rumi/kernel";
import type { LogHead, NoteSigner } from "@rumi/ledger";
import type { StoreLimits } from "../limits.ts";
import type { PreparedBatch, PreparedEntry } from "../batch.ts";
import { fillLookup, lookupBound, moveHead } from "../log/lookup.ts";
import { noteSigner, planLeaves, signHead, type LogSigner } from "../log/leaves.ts";
import { verifiedHead } from "./head.ts";
import type { CommitError, Migrations } from "../port.ts";
import type { Outcome } from "../group-queue.ts";
import type { SqlValue } from "../values.ts";
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
  "journal_mode = WAL",
  "synchronous = FULL",
  "foreign_keys = ON",
  "busy_timeout = 5000",
  "trusted_schema = OFF",
  "cache_size = -65536",
  "wal_autocheckpoint = 8192",
] as const;
const ROWS_AT_ONCE = 8;
const insertRows = (into: string, columns: number, rows: number): string =>
  `INSERT INTO ${into} VALUES ${Array.from({ length: rows }, () => `(${Array.from({ length: columns }, () => "?").join(", ")})`).join(", ")}`;
const ENTRY =
  "log_entry (idx, event_id, action, actor, resource_type, resource_id, outcome, occurred_at, trace_id, run_id, request_id, leaf)";
const PAYLOAD = "log_payload (idx, salt, payload)";
const INSERT_ENTRY = insertRows(ENTRY, 12, 1);
const INSERT_ENTRIES = insertRows(ENTRY, 12, ROWS_AT_ONCE);
const INSERT_PAYLOAD = insertRows(PAYLOAD, 3, 1);
const INSERT_PAYLOADS = insertRows(PAYLOAD, 3, ROWS_AT_ONCE);
const UPSERT_TILE =
  "INSERT INTO log_tile (level, idx, data) VALUES (?, ?, ?) ON CONFLICT (level, idx) DO UPDATE SET data = excluded.data";
const UPDATE_CHECKPOINT = "UPDATE log_checkpoint SET size = ?, root = ?, note = ? WHERE kind = 'current'";
const INSERT_CHECKPOINT = "INSERT INTO log_checkpoint (kind, size, root, note) VALUES (?, ?, ?, ?)";
const FILL_LOOKUP = fillLookup("?1");
const MOVE_LOOKUP_HEAD = moveHead("?1");
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
    if (db.run(UPDATE_CHECKPOINT, [plan.head.size, plan.root, note]) === 0)
      db.run(INSERT_CHECKPOINT, ["current", plan.head.size, plan.root, note]);
    const every = limits.leaves_per_kept_checkpoint;
    if (Math.floor(plan.head.size / every) > Math.floor(head.size / every))
      db.run(INSERT_CHECKPOINT, ["kept", plan.head.size, plan.root, note]);
    const bound = lookupBound(head.size, plan.head.size);
    if (bound !== undefined) {
      db.run(FILL_LOOKUP, [bound]);
      db.run(MOVE_LOOKUP_HEAD, [bound]);
    }
    return plan.head;
  }

  /** Runs the group in one transaction; undefined when a batch of it must be undone alone. */
  function transact(group: readonly PreparedBatch[], apply: Apply): readonly Outcome[] | undefined {
    db.exec("BEGIN IMMEDIATE");
    const head = currentHead();
    const leaves: PreparedEntry[] = [];
    const applied = apply(db, group, head.size, leaves);
    if (applied === undefined) {
      db.exec("ROLLBACK");
      return undefined;
    }
    const next = leaves.length > 0 ? appendLeaves(head, leaves) : head;
    db.exec("COMMIT");
    remembered = next;
    return applied.map((one) => (one.ok ? ok({ indices: one.value, log_size: next.size }) : one));
  }

  return {
    commitGroup: (group) => {
      try {
        const outcomes = transact(group, applyTogether) ?? transact(group, applyApart);
        invariant(outcomes !== undefined, "batches that run apart are always answered");
        return outcomes;
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

type Applied = Result<readonly number[], CommitError>;
/** Runs the batches of a group; their leaves join `leaves`. Answers with the indices of each batch's events. */
type Apply = (
  db: Connection,
  group: readonly PreparedBatch[],
  size: number,
  leaves: PreparedEntry[],
) => readonly Applied[] | undefined;

/** The usual way: nobody conflicts, so no batch needs a savepoint. Gives up at the first problem. */
const applyTogether: Apply = (db, group, size, leaves) => {
  const applied: Applied[] = [];
  for (const batch of group) {
    if (runWrites(db, batch) !== undefined) return undefined;
    applied.push(ok(indicesFrom(size + leaves.length, batch)));
    leaves.push(...batch.entries);
  }
  return insertTogether(db, leaves, size) === undefined ? applied : undefined;
};

/** Each batch in its own savepoint, so that a problem undoes that batch only. */
const applyApart: Apply = (db, group, size, leaves) =>
  group.map((batch) => {
    const first = size + leaves.length;
    db.run("SAVEPOINT batch", []);
    const problem = runWrites(db, batch) ?? insertApart(db, batch, first);
    if (problem !== undefined) db.run("ROLLBACK TO batch", []);
    db.run("RELEASE batch", []);
    if (problem !== undefined) return err(problem);
    leaves.push(...batch.entries);
    return ok(indicesFrom(first, batch));
  });

function indicesFrom(first: number, { entries }: PreparedBatch): readonly number[] {
  return entries.map((_, offset) => first + offset);
}

function runWrites(db: Connection, { writes }: PreparedBatch): CommitError | undefined {
  let write_index = 0;
  try {
    for (const { sql, parameters, expect } of writes) {
      const changed = db.run(sql, parameters);
      if (expect !== "any" && changed !== expect) return { kind: "conflict", write_index, changed };
      write_index += 1;
    }
  } catch (cause) {
    return batchProblem(cause, write_index);
  }
  return undefined;
}

/** Rows go in by eights: a call into SQLite costs about as much as a row. */
function insertTogether(db: Connection, entries: readonly PreparedEntry[], size: number): CommitError | undefined {
  try {
    let at = 0;
    for (; at + ROWS_AT_ONCE <= entries.length; at += ROWS_AT_ONCE) {
      const rows: SqlValue[] = [];
      const payloads: SqlValue[] = [];
      for (let row = at; row < at + ROWS_AT_ONCE; row += 1) {
        const entry = entries[row];
        if (entry === undefined) break;
        rows.push(size + row, ...entry.columns, entry.leaf);
        payloads.push(size + row, entry.salt, entry.payload);
      }
      db.run(INSERT_ENTRIES, rows);
      db.run(INSERT_PAYLOADS, payloads);
    }
    for (const [offset, entry] of entries.slice(at).entries()) insertEntry(db, size + at + offset, entry);
  } catch (cause) {
    return batchProblem(cause, 0);
  }
  return undefined;
}

/** An event that is in the log already is a conflict; it counts as the write behind the batch's own. */
function insertApart(db: Connection, { writes, entries }: PreparedBatch, first: number): CommitError | undefined {
  try {
    for (const [offset, entry] of entries.entries()) insertEntry(db, first + offset, entry);
  } catch (cause) {
    return batchProblem(cause, writes.length);
  }
  return undefined;
}

function insertEntry(db: Connection, idx: number, { columns, leaf, salt, payload }: PreparedEntry): void {
  db.run(INSERT_ENTRY, [idx, ...columns, leaf]);
  db.run(INSERT_PAYLOAD, [idx, salt, payload]);
}

/** Sorts what a statement threw: this batch's own problem is answered, the machine's ends the group. */
function batchProblem(cause: unknown, write_index: number): CommitError {
  const problem = sqliteProblem(cause);
  if (problem.kind === "duplicate") return { kind: "conflict", write_index, changed: 0 };
  if (problem.kind === "statement")
    return { kind: "failed", failure: failure("RUMI-STO-010", { problem: problem.problem }) };
  throw cause;
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
  return failure("RUMI-STO-006", {
    problem: problem.kind === "duplicate" ? "a log row exists already" : problem.problem,
  });
}
