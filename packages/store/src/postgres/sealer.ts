/**
 * The one elected sealer: folds committed, pending leaves into the log in order and signs the new head.
 *
 * Every open store runs one; an advisory lock on the connection that also seals decides which works. When
 * that connection dies the lock goes with it, and so does its unfinished transaction: two cannot seal.
 *
 * Invariants
 * - Batches stay whole and contiguous; the order is that of the batch numbers (conformance.ts).
 * - One REPEATABLE READ snapshot per group: what was signed is what was moved (sealer.test.ts).
 */
import { FailureError, failure, type Clock, millis } from "@rumi/kernel";
import type { LogHead, NoteSigner } from "@rumi/ledger";
import pg from "pg";
import type { StoreLimits } from "../limits.ts";
import { checkedHead, HEAD_QUERIES, type HeadRows } from "../log/head.ts";
import { fillLookup, lookupBound, moveHead } from "../log/lookup.ts";
import { planLeaves, signHead } from "../log/leaves.ts";
import { clientConfig, plainRows, type PostgresServer } from "./client.ts";
import { LOCKS, LOG_CHANNEL, POLL_MS } from "./locks.ts";

const GROUP_LEAVES = 4_000;
const MOVED =
  "event_id, action, actor, resource_type, resource_id, outcome, occurred_at, trace_id, run_id, request_id, leaf";
const INSERT_ENTRIES = `INSERT INTO log_entry (idx, ${MOVED})
  SELECT $1::bigint - 1 + row_number() OVER (ORDER BY batch, item), ${MOVED} FROM log_pending WHERE batch <= $2`;
const INSERT_PAYLOADS = `INSERT INTO log_payload (idx, salt, payload)
  SELECT $1::bigint - 1 + row_number() OVER (ORDER BY batch, item), salt, payload FROM log_pending WHERE batch <= $2`;
const UPSERT_TILES = `INSERT INTO log_tile (level, idx, data) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])
  ON CONFLICT (level, idx) DO UPDATE SET data = excluded.data`;
const UPDATE_CHECKPOINT =
  "UPDATE log_checkpoint SET size = $2, root = $3, note = $4 WHERE kind = 'current' AND size = $1";
const INSERT_CHECKPOINT = "INSERT INTO log_checkpoint (kind, size, root, note) VALUES ($1, $2, $3, $4)";
const FILL_LOOKUP = fillLookup("$1");
const MOVE_LOOKUP_HEAD = moveHead("$1");
const NUMBER_FEED = `UPDATE change_feed f SET seq = n.seq FROM (
    SELECT id, nextval('change_feed_seq') AS seq FROM (SELECT id FROM change_feed WHERE seq IS NULL ORDER BY id LIMIT 10000) ordered
  ) n WHERE f.id = n.id`;

/** First index of each batch sealed, and the size of the log whose checkpoint covers them. */
export type Sealed = { readonly first_index: ReadonlyMap<number, number>; readonly log_size: number };

export type SealerOptions = {
  readonly server: PostgresServer;
  readonly signer: NoteSigner;
  readonly limits: StoreLimits;
  readonly clock: Clock;
  /** This process sealed a group. */
  readonly onSealed: (sealed: Sealed) => void;
  /** Somebody sealed, or it is time to look. */
  readonly onLook: () => void;
};

export type Sealer = {
  /** There is something to seal; answers whether this process is the one that seals. */
  kick(): boolean;
  stop(): Promise<void>;
};

export function startSealer(options: SealerOptions): Sealer {
  const stopping = new AbortController();
  let leads = false;
  let kicked = false;
  let wake = new AbortController();
  const kick = (): void => {
    kicked = true;
    wake.abort();
  };

  async function pause(): Promise<void> {
    if (!kicked && !stopping.signal.aborted) await options.clock.sleep(millis(POLL_MS), wake.signal);
    kicked = false;
    wake = new AbortController();
  }

  async function connected(): Promise<pg.Client> {
    const client = new pg.Client(clientConfig(options.server));
    client.on("error", kick); // the next query on it fails, and serve() ends
    client.on("notification", () => {
      options.onLook();
      kick();
    });
    await client.connect();
    return client;
  }

  /** Serves until the connection breaks or the store closes. */
  async function serve(client: pg.Client): Promise<void> {
    await client.query(`LISTEN ${LOG_CHANNEL}`);
    let head: LogHead | undefined;
    while (!stopping.signal.aborted) {
      if (!leads) {
        const { rows } = await client.query<{ won: number }>("SELECT pg_try_advisory_lock($1) AS won", [LOCKS.sealer]);
        leads = rows[0]?.won === 1;
        if (leads) head = await readHead(client, options.signer);
      }
      const sealed = leads && head !== undefined ? await sealGroup(client, head, options) : undefined;
      if (sealed !== undefined) {
        head = sealed.head;
        options.onSealed(sealed);
      } else {
        await pause();
        options.onLook();
      }
    }
  }

  const running = (async () => {
    while (!stopping.signal.aborted) {
      let client: pg.Client | undefined;
      try {
        client = await connected();
        await serve(client);
      } catch {
        // Whatever broke, nothing was half done: take a new connection, stand for election again. Those who
        // wait for a seal get RUMI-STO-007 in the meantime, so the trouble is not hidden.
        await pause();
      } finally {
        leads = false;
        await client?.end().catch(() => undefined); // it may be broken already
      }
    }
  })();

  return {
    kick: () => {
      kick();
      return leads;
    },
    stop: async () => {
      stopping.abort();
      kick();
      await running;
    },
  };
}

export async function readHead(client: pg.ClientBase, signer: NoteSigner): Promise<LogHead> {
  const read = async (query: string): Promise<unknown> =>
    plainRows((await client.query<Record<string, unknown>>(query)).rows);
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const rows = {
    checkpoints: await read(HEAD_QUERIES.checkpoint),
    last: await read(HEAD_QUERIES.last),
    tiles: await read(HEAD_QUERIES.tiles),
  };
  await client.query("COMMIT");
  const head = checkedHead(rows as HeadRows, signer);
  if (!head.ok) throw new FailureError(head.error);
  return head.value;
}

type Pending = { readonly batch: number; readonly leaf: Uint8Array };

async function sealGroup(
  client: pg.Client,
  head: LogHead,
  options: SealerOptions,
): Promise<(Sealed & { readonly head: LogHead }) | undefined> {
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  const fed = await client.query(NUMBER_FEED);
  const { rows } = await client.query<Pending>("SELECT batch, leaf FROM log_pending ORDER BY batch, item LIMIT $1", [
    GROUP_LEAVES,
  ]);
  const group = wholeBatches(rows);
  const last = group.at(-1);
  if (last === undefined) {
    await client.query(fed.rowCount === 0 ? "ROLLBACK" : "COMMIT");
    return undefined;
  }
  const plan = planLeaves(head, group);
  await client.query(INSERT_ENTRIES, [head.size, last.batch]);
  await client.query(INSERT_PAYLOADS, [head.size, last.batch]);
  await client.query("DELETE FROM log_pending WHERE batch <= $1", [last.batch]);
  await client.query(UPSERT_TILES, [
    plan.tiles.map((t) => t.level),
    plan.tiles.map((t) => t.index),
    plan.tiles.map((t) => Buffer.from(t.data)),
  ]);
  const signed = [plan.head.size, plan.root, signHead(options.signer, plan.head.size, plan.root)];
  const updated = await client.query(UPDATE_CHECKPOINT, [head.size, ...signed]);
  if (updated.rowCount === 0) {
    if (head.size > 0) throw new FailureError(failure("RUMI-STO-002", { problem: "the log grew under the sealer" }));
    await client.query(INSERT_CHECKPOINT, ["current", ...signed]);
  }
  const every = options.limits.leaves_per_kept_checkpoint;
  if (Math.floor(plan.head.size / every) > Math.floor(head.size / every))
    await client.query(INSERT_CHECKPOINT, ["kept", ...signed]);
  const bound = lookupBound(head.size, plan.head.size);
  if (bound !== undefined) {
    await client.query(FILL_LOOKUP, [bound]);
    await client.query(MOVE_LOOKUP_HEAD, [bound]);
  }
  await client.query(`SELECT pg_notify('${LOG_CHANNEL}', 'sealed')`);
  await client.query("COMMIT");
  const first_index = new Map<number, number>();
  group.forEach(({ batch }, offset) => {
    if (!first_index.has(batch)) first_index.set(batch, head.size + offset);
  });
  return { first_index, log_size: plan.head.size, head: plan.head };
}

/** Leaves a batch that the limit may have cut for the next group; a batch alone always fits. */
function wholeBatches(rows: readonly Pending[]): readonly Pending[] {
  const last = rows.at(-1);
  if (last === undefined || rows.length < GROUP_LEAVES) return rows;
  return rows.filter(({ batch }) => batch !== last.batch);
}
