/**
 * The store of one machine: SQLite, one writer with natural group commit, readers beside it.
 *
 * The caller holds the lock on the home; this file opens what is there, migrates it (backup first),
 * checks the log's head and refuses a broken one with RUMI-STO-002.
 */
import { closeSync, openSync } from "node:fs";
import { err, failure, ok, type Failure, type Random, type Result } from "@rumi/kernel";
import { prepareBatch, type PreparedBatch } from "../batch.ts";
import { compilingBuilder } from "../builder.ts";
import { groupQueue } from "../group-queue.ts";
import { STORE_LIMITS, type StoreLimits } from "../limits.ts";
import { listeners } from "../listeners.ts";
import type { LogSigner } from "../log/leaves.ts";
import type { Batch, Migrations, Store } from "../port.ts";
import { STORE_MIGRATIONS } from "../schema.ts";
import { openReaders } from "./readers.ts";
import { startWriter, type WriterPlace } from "./writer-handle.ts";

export type SqliteStoreOptions = {
  /** The database file; created, readable by its owner only, when absent. Its folder exists. */
  readonly path: string;
  /** Where the copy goes that is made before a migration of an existing store. */
  readonly backup_folder: string;
  /** Other owners' tables; the store's own come first by themselves. */
  readonly migrations: readonly Migrations[];
  readonly signer: LogSigner;
  readonly writer: WriterPlace;
  /** For salts; must be unpredictable where the log is shown to strangers. */
  readonly random: Random;
  /** Overrides of `STORE_LIMITS`. */
  readonly limits?: Partial<StoreLimits>;
};

export async function openSqliteStore(options: SqliteStoreOptions): Promise<Result<Store, Failure>> {
  const limits = { ...STORE_LIMITS, ...options.limits };
  try {
    closeSync(openSync(options.path, "a", 0o600));
  } catch (cause) {
    return err(failure("RUMI-STO-006", { problem: cause instanceof Error ? cause.message : String(cause) }, { cause }));
  }
  const { path, backup_folder, signer } = options;
  const migrations = [STORE_MIGRATIONS, ...options.migrations];
  const started = await startWriter(options.writer, { path, backup_folder, signer, migrations, limits });
  if (!started.ok) return started;
  const writer = started.value;
  const readers = openReaders(path, limits);
  const heard = listeners();
  const queue = groupQueue<{ readonly batch: Batch; readonly prepared: PreparedBatch }>({
    queued_batches: limits.queued_batches,
    group_batches: limits.group_batches,
    commitGroup: (group) => writer.commitGroup(group.map((item) => item.prepared)),
    onGroup: (group, outcomes) => {
      readers.renew();
      for (const [i, { batch }] of group.entries()) {
        const outcome = outcomes[i];
        const first = outcome?.ok === true ? outcome.value.indices[0] : undefined;
        if (first !== undefined) heard.tell(first, batch.events);
      }
    },
  });
  let closing: Promise<void> | undefined;
  return ok({
    dialect: "sqlite",
    builder: <Tables>() => compilingBuilder<Tables>("sqlite"),
    rows: (query) => readers.rows(query),
    snapshot: (read) => readers.snapshot(read),
    commit: async (batch) => {
      const prepared = prepareBatch(batch, limits, (count) => options.random.bytes(count));
      return prepared.ok
        ? queue.commit({ batch, prepared: prepared.value })
        : err({ kind: "failed", failure: prepared.error });
    },
    onAppended: (listener) => heard.add(listener),
    close: () =>
      (closing ??= (async () => {
        await queue.drain();
        readers.close(); // first: the last connection to close is the one that folds the WAL in
        await writer.close();
      })()),
  });
}
