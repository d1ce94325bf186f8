/**
 * The store of several machines: PostgreSQL, conditional writes under READ COMMITTED, one elected sealer.
 *
 * A batch's leaves are made ready by its committer and wait in log_pending, committed with the state they
 * explain; `commit` answers when they are sealed. An answer RUMI-STO-007 or -011 says honestly that the
 * state may hold: the caller repeats under the same id and the operation key tells.
 * Listeners hear events of every process, in log order, soon after they are sealed (here not always
 * before `commit` resolves).
 */
import {
  err,
  failure,
  FailureError,
  invariant,
  ok,
  type Clock,
  type Failure,
  type Random,
  type Result,
} from "@rumi/kernel";
import type { NoteSigner } from "@rumi/ledger";
import pg from "pg";
import { prepareBatch, type PreparedBatch } from "../batch.ts";
import { compilingBuilder } from "../builder.ts";
import type { Outcome } from "../group-queue.ts";
import { STORE_LIMITS, type StoreLimits } from "../limits.ts";
import { noteSigner, type LogSigner } from "../log/leaves.ts";
import type { CommitError, Migrations, Reader, Statement, Store } from "../port.ts";
import { STORE_MIGRATIONS } from "../schema.ts";
import { checkedParameters } from "../values.ts";
import { clientConfig, failureOf, plainRows, postgresProblem, type PostgresServer } from "./client.ts";
import { logFollower } from "./follower.ts";
import { LOG_CHANNEL } from "./locks.ts";
import { migratePostgres, type BeforeMigration } from "./migrate.ts";
import { sealWatch } from "./seal-watch.ts";
import { readHead, startSealer } from "./sealer.ts";

export type PostgresStoreOptions = {
  readonly server: PostgresServer;
  readonly migrations: readonly Migrations[];
  readonly before_migration: BeforeMigration;
  readonly signer: LogSigner;
  readonly clock: Clock;
  /** For salts. */
  readonly random: Random;
  readonly limits?: Partial<StoreLimits>;
};

const INSERT_PENDING = `INSERT INTO log_pending
  (batch, item, event_id, action, actor, resource_type, resource_id, outcome, occurred_at, trace_id, run_id, request_id, leaf, salt, payload)
  VALUES `;
const PENDING_COLUMNS = 15;
const SELECT_KNOWN = "SELECT count(*) AS known FROM log_entry WHERE event_id = ANY($1::text[])";
const SELECT_SEALED = "SELECT event_id, idx FROM log_entry WHERE event_id = ANY($1::text[])";
const SELECT_SIZE = "SELECT coalesce(max(size), 0) AS size FROM log_checkpoint WHERE kind = 'current'";

export async function openPostgresStore(options: PostgresStoreOptions): Promise<Result<Store, Failure>> {
  const limits = { ...STORE_LIMITS, ...options.limits };
  const signer = noteSigner(options.signer);
  const prepared = await prepare(options, signer);
  if (!prepared.ok) return prepared;

  const pool = new pg.Pool({ ...clientConfig(options.server), max: limits.connections });
  const snapshots = new pg.Pool({ ...clientConfig(options.server), max: limits.snapshots });
  for (const each of [pool, snapshots]) each.on("error", () => undefined); // an idle connection broke; the pool replaces it

  const reader = readerOver(pool);
  const size = async (): Promise<number> =>
    (await reader.rows<{ size: number }>({ sql: SELECT_SIZE, parameters: [] }))[0]?.size ?? 0;
  const follower = logFollower(reader, prepared.value);
  const watch = sealWatch(
    async (event_ids) => {
      const rows = await reader.rows<{ event_id: string; idx: number }>({
        sql: SELECT_SEALED,
        parameters: [event_ids],
      });
      return { indices: new Map(rows.map((row) => [row.event_id, row.idx])), log_size: await size() };
    },
    options.clock,
    limits.seal_wait_ms,
  );
  const look = (): void => {
    // Both are asked again at the next poll, and who waits too long is told RUMI-STO-007.
    void watch.look().catch(() => undefined);
    void follower.look().catch(() => undefined);
  };
  const sealer = startSealer({
    server: options.server,
    signer,
    limits,
    clock: options.clock,
    onLook: look,
    onSealed: (sealed) => {
      watch.sealedHere(sealed);
      look();
    },
  });

  let waiting = 0;
  let waiting_snapshots = 0;
  const open = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  async function commit(batch: PreparedBatch): Promise<Outcome> {
    const done = await transact(pool, batch, watch);
    if (!done.ok) return done;
    if (done.value === undefined) return ok({ indices: [], log_size: await size() });
    // Without a local leader somebody else must hear of it; if the message is lost, their poll finds it.
    if (!sealer.kick()) void pool.query(`SELECT pg_notify('${LOG_CHANNEL}', 'pending')`).catch(() => undefined);
    const sealed = await done.value.wait();
    return sealed.ok ? sealed : failed(sealed.error);
  }

  function tracked<T>(work: Promise<T>): Promise<T> {
    const settled = work
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => void open.delete(settled));
    open.add(settled);
    return work;
  }

  return ok({
    dialect: "postgres",
    builder: <Tables>() => compilingBuilder<Tables>("postgres"),
    rows: (query) => reader.rows(query),
    snapshot: async (read) => {
      if (waiting_snapshots >= limits.snapshots + limits.queued_snapshots)
        throw new FailureError(failure("RUMI-STO-001", { limit: limits.queued_snapshots }));
      waiting_snapshots += 1;
      return tracked(snapshot(snapshots, read)).finally(() => {
        waiting_snapshots -= 1;
      });
    },
    commit: async (batch) => {
      if (closing !== undefined) return failed(failure("RUMI-SYS-009"));
      if (waiting >= limits.queued_batches) return failed(failure("RUMI-STO-001", { limit: limits.queued_batches }));
      const prepared = prepareBatch(batch, limits, (count) => options.random.bytes(count));
      if (!prepared.ok) return failed(prepared.error);
      waiting += 1;
      const outcome = commit(prepared.value).catch((cause: unknown) => {
        if (cause instanceof FailureError) return failed(cause.failure);
        throw cause;
      });
      return tracked(outcome).finally(() => {
        waiting -= 1;
      });
    },
    onAppended: (listener) => follower.add(listener),
    close: () =>
      (closing ??= (async () => {
        await Promise.all(open);
        await sealer.stop();
        await follower.look().catch(() => undefined); // the server may be gone; closing does not need it
        await Promise.all([pool.end(), snapshots.end()]);
      })()),
  });
}

/** Migrates, checks the head; answers with the size of the log. */
async function prepare(options: PostgresStoreOptions, signer: NoteSigner): Promise<Result<number, Failure>> {
  const client = new pg.Client(clientConfig(options.server));
  client.on("error", () => undefined); // the query under way fails with it
  try {
    await client.connect();
    const migrated = await migratePostgres(client, [STORE_MIGRATIONS, ...options.migrations], options.before_migration);
    if (!migrated.ok) return migrated;
    return ok((await readHead(client, signer)).size);
  } catch (cause) {
    return err(cause instanceof FailureError ? cause.failure : failureOf(cause));
  } finally {
    await client.end().catch(() => undefined); // it may never have been connected
  }
}

type Awaited = ReturnType<ReturnType<typeof sealWatch>["expect"]>;

/** One batch, one transaction. Answers with what to wait for; undefined when there are no events. */
async function transact(
  pool: pg.Pool,
  { writes, entries }: PreparedBatch,
  watch: ReturnType<typeof sealWatch>,
): Promise<Result<Awaited | undefined, CommitError>> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (cause) {
    return failed(failureOf(cause));
  }
  let broken: Error | undefined;
  const onError = (cause: Error): void => {
    broken = cause;
  };
  client.on("error", onError);
  let awaited: Awaited | undefined;
  let step = 0;
  let ready = false;
  try {
    await client.query("BEGIN");
    for (const write of writes) {
      const changed = (await client.query(write.sql, [...write.parameters])).rowCount ?? 0;
      if (write.expect !== "any" && changed !== write.expect) {
        await client.query("ROLLBACK");
        return err({ kind: "conflict", write_index: step, changed });
      }
      step += 1;
    }
    if (entries.length > 0) {
      const batch = await insertPending(client, entries);
      if (batch === undefined) {
        await client.query("ROLLBACK");
        return err({ kind: "conflict", write_index: step, changed: 0 });
      }
      awaited = watch.expect(
        batch,
        entries.map((entry) => entry.event_id),
      );
    }
    ready = true;
  } catch (cause) {
    await client.query("ROLLBACK").catch((second: Error) => onError(second));
    const problem = postgresProblem(cause);
    return problem.kind === "contention"
      ? err({ kind: "conflict", write_index: step, changed: 0 })
      : failed(problem.failure);
  } finally {
    if (!ready) release(client, broken, onError);
  }
  try {
    await client.query("COMMIT");
    return ok(awaited);
  } catch (cause) {
    awaited?.forget();
    const of = failureOf(cause);
    // Only a server that answered with an SQLSTATE surely did not commit.
    return failed(of.code === "RUMI-STO-008" ? failure("RUMI-STO-011", of.params, { cause }) : of);
  } finally {
    release(client, broken, onError);
  }
}

function release(client: pg.PoolClient, broken: Error | undefined, onError: (cause: Error) => void): void {
  client.off("error", onError);
  client.release(broken);
}

/** The number of its batch; undefined when one of its events is in the log already. */
async function insertPending(client: pg.PoolClient, entries: PreparedBatch["entries"]): Promise<number | undefined> {
  const values: unknown[] = [];
  const rows = entries.map((entry, item) => {
    const end = values.push(item, ...entry.columns, entry.leaf, entry.salt, entry.payload);
    const places = Array.from({ length: PENDING_COLUMNS - 1 }, (_, i) => `$${end - (PENDING_COLUMNS - 1) + i + 1}`);
    return `((SELECT batch FROM number), ${places.join(", ")})`;
  });
  const sql = `WITH number AS MATERIALIZED (SELECT nextval('log_pending_batch') AS batch) ${INSERT_PENDING}${rows.join(", ")} RETURNING batch`;
  const inserted = await client.query<{ batch: number }>(sql, values);
  const known = await client.query<{ known: number }>(SELECT_KNOWN, [entries.map((entry) => entry.event_id)]);
  const batch = inserted.rows[0]?.batch;
  invariant(batch !== undefined, "an insert returned no batch number");
  return known.rows[0]?.known === 0 ? batch : undefined;
}

function failed(of: Failure): { readonly ok: false; readonly error: CommitError } {
  return { ok: false, error: { kind: "failed", failure: of } };
}

function readerOver(client: Pick<pg.Pool, "query">): Reader {
  return {
    rows: async <Row>(query: { compile(): Statement } | Statement) => {
      const { sql, parameters } = "compile" in query ? query.compile() : query;
      const values = parameters.map((value) => (Array.isArray(value) ? value : checkedParameters([value])[0]));
      try {
        return plainRows((await client.query<Record<string, unknown>>(sql, values)).rows) as readonly Row[];
      } catch (cause) {
        throw cause instanceof FailureError ? cause : new FailureError(failureOf(cause));
      }
    },
  };
}

async function snapshot<T>(pool: pg.Pool, read: (reader: Reader) => Promise<T>): Promise<T> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (cause) {
    throw new FailureError(failureOf(cause));
  }
  let broken: Error | undefined;
  const onError = (cause: Error): void => {
    broken = cause;
  };
  client.on("error", onError);
  let over = false;
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await client.query("SELECT 1"); // the first query is what takes the snapshot
    const reader = readerOver(client);
    return await read({
      rows: (query) => {
        invariant(!over, "a snapshot was read after its end");
        return reader.rows(query);
      },
    });
  } finally {
    over = true;
    await client.query("ROLLBACK").catch((second: Error) => onError(second));
    release(client, broken, onError);
  }
}
