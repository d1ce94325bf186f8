/**
 * The store as everyone sees it: snapshot reads, and `commit(batch)` with expected row counts.
 *
 * Never an interactive transaction. A write says how many rows it must change; when it changes another
 * number the whole batch rolls back as a conflict, and the caller reads again and decides again. The
 * same code is then right under SQLite's single writer and under PostgreSQL's READ COMMITTED.
 */
import type { Failure, Result } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import type { Kysely } from "kysely";

/** One compiled statement of the store's own dialect. Values: string, number (safe integer), bytes, null. */
export type Statement = { readonly sql: string; readonly parameters: readonly unknown[] };

export type Write = Statement & {
  /** Rows this write must change; another number is a conflict and rolls the batch back. */
  readonly expect: number | "any";
};

export type Batch = {
  readonly writes: readonly Write[];
  /** Audit events that explain the writes; they become leaves in the same transaction. */
  readonly events: readonly LedgerEvent[];
};

export type CommitReceipt = {
  /** Log index of each event of the batch, in order. */
  readonly indices: readonly number[];
  /** Size of the log whose signed checkpoint covers them. */
  readonly log_size: number;
};

/**
 * Why a commit did not happen. `conflict`: read again and decide again; `write_index` is the write that met
 * another number of rows or a duplicate key (the number of writes when an event is in the log already).
 * `failed`: coded, and nothing changed, except where the code itself says that the outcome is stored but
 * unsealed (RUMI-STO-007) or unknown (RUMI-STO-011): then repeat under the same operation key.
 */
export type CommitError =
  | { readonly kind: "conflict"; readonly write_index: number; readonly changed: number }
  | { readonly kind: "failed"; readonly failure: Failure };

export interface Reader {
  /**
   * Rows of one compiled SELECT; integers are numbers, blobs are Uint8Array, JSON is text, truth is 0 or 1.
   * Rejects with `FailureError` (RUMI-STO-005, -008, -010); never waits for the writer.
   */
  rows<Row>(query: { compile(): Statement } | Statement): Promise<readonly Row[]>;
}

export interface Store extends Reader {
  readonly dialect: "sqlite" | "postgres";
  /** Builds SQL of this store's dialect; compiles only, never executes. Tables are each owner's. */
  builder<Tables>(): Kysely<Tables>;
  /** Several reads of one snapshot: of a moment not before the last commit that was answered when it was asked for. */
  snapshot<T>(read: (reader: Reader) => Promise<T>): Promise<T>;
  /** Durable when it resolves ok: state, leaves and signed checkpoint in one transaction. */
  commit(batch: Batch): Promise<Result<CommitReceipt, CommitError>>;
  /**
   * Called after each commit that appended events, in log order, with first index and events. It must not
   * throw. SQLite: before `commit` resolves. PostgreSQL: soon after, for the events of every process.
   */
  onAppended(listener: (first_index: number, events: readonly LedgerEvent[]) => void): () => void;
  close(): Promise<void>;
}

/** One owner's tables: ordered, append-only list of migrations, each an array of SQL statements. */
export type Migrations = {
  readonly owner: string;
  readonly steps: readonly {
    readonly name: string;
    readonly sqlite: readonly string[];
    readonly postgres: readonly string[];
  }[];
};
