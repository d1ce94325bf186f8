/**
 * Leases: who alone may run an instance, decided by one conditional UPDATE on one row.
 *
 * How to think: the database is the only judge and its clock the only clock. Each acquisition raises the
 * epoch; an epoch is a fencing token, and whoever presents an older one is refused where it matters (the
 * order gateway and the journal put {@link fenceWrite} into the same batch as their own write).
 * The holder's own deadline is its monotonic clock from before the request was sent, plus the time to
 * live, minus a margin ({@link holderDeadline}).
 *
 * Invariants
 * - Two racers never both hold, on both stores, with real concurrency (leases.test.ts, M-7.1.1).
 * - A holder that slept past its time to live can neither renew nor pass the fence once another
 *   acquired (leases.test.ts, M-7.1.2). Rows are never deleted, so an epoch never comes back.
 */
import { err, millis, ok, type Failure, type Millis, type Result } from "@rumi/kernel";
import { sql } from "kysely";
import { databaseNow, write } from "../builder.ts";
import type { Reader, Store, Write } from "../port.ts";

export const LEASE_TTL_MS = 20_000;
export const LEASE_RENEWAL_MS = 5_000;

export type LeaseKey = { readonly bot_id: string; readonly strategy_id: string; readonly instance_id: string };
export type LeaseRow = LeaseKey & {
  /** Null after a release. */
  readonly holder: string | null;
  readonly epoch: number;
  /** Highest epoch seen at the resource; equal to `epoch` from the acquisition on. */
  readonly max_epoch: number;
  readonly acquired_at: number;
  readonly renewed_at: number;
  /** Microseconds, database clock. */
  readonly expires_at: number;
};
export type LeaseTables = { lease: { -readonly [name in keyof LeaseRow]: LeaseRow[name] } };
export type HeldLease = LeaseKey & { readonly holder: string; readonly epoch: number };

type Sql = Pick<Store, "builder" | "dialect">;

/** Makes the row, free and expired, unless it is there. Idempotent; commit it before the first acquire. */
export function ensureLeaseWrite(store: Sql, key: LeaseKey): Write {
  const row = { ...key, holder: null, epoch: 0, max_epoch: 0, acquired_at: 0, renewed_at: 0, expires_at: 0 };
  return write(
    store
      .builder<LeaseTables>()
      .insertInto("lease")
      .values(row)
      .onConflict((on) => on.doNothing()),
    "any",
  );
}

/** Takes a lease that is free or expired. A conflict means somebody holds it. */
export function acquireLeaseWrite(store: Sql, key: LeaseKey, holder: string, ttl: Millis): Write {
  return write(taking(store, key, holder, ttl), 1);
}

/**
 * Takes it as `epoch` or not at all: whoever has read the row knows which epoch is next, and can say so in the same batch.
 * A conflict means that it is held, or that somebody had it in between.
 */
export function acquireEpochWrite(store: Sql, of: HeldLease, ttl: Millis): Write {
  return write(taking(store, of, of.holder, ttl).where("max_epoch", "=", of.epoch - 1), 1);
}

function taking(store: Sql, key: LeaseKey, holder: string, ttl: Millis) {
  const now = databaseNow(store.dialect);
  return store
    .builder<LeaseTables>()
    .updateTable("lease")
    .set({
      holder,
      epoch: sql<number>`max_epoch + 1`,
      max_epoch: sql<number>`max_epoch + 1`,
      acquired_at: now,
      renewed_at: now,
      expires_at: sql<number>`${now} + ${ttlMicros(ttl)}`,
    })
    .$call((update) => where(update, key))
    .where(sql<boolean>`(holder is null or expires_at <= ${now})`);
}

/** Prolongs a lease that is still held under this epoch and not yet expired. A conflict means it is lost. */
export function renewLeaseWrite(store: Sql, held: HeldLease, ttl: Millis): Write {
  const now = databaseNow(store.dialect);
  const query = store
    .builder<LeaseTables>()
    .updateTable("lease")
    .set({ renewed_at: now, expires_at: sql<number>`${now} + ${ttlMicros(ttl)}` })
    .$call((update) => where(update, held))
    .where("holder", "=", held.holder)
    .where("epoch", "=", held.epoch)
    .where(sql<boolean>`expires_at > ${now}`);
  return write(query, 1);
}

/**
 * Prolongs several leases of one holder in one statement, or none of them: a conflict means that at least one is lost.
 * No lease may be named twice.
 */
export function renewLeasesWrite(
  store: Sql,
  holder: string,
  leases: readonly (LeaseKey & { readonly epoch: number })[],
  ttl: Millis,
): Write {
  const now = databaseNow(store.dialect);
  const query = store
    .builder<LeaseTables>()
    .updateTable("lease")
    .set({ renewed_at: now, expires_at: sql<number>`${now} + ${ttlMicros(ttl)}` })
    .where("holder", "=", holder)
    .where(sql<boolean>`expires_at > ${now}`)
    .where(among(leases));
  return write(query, leases.length);
}

/** Which of these the holder still has, as far as a read can tell: only a write decides. */
export function heldLeases(
  store: Sql,
  reader: Reader,
  holder: string,
  leases: readonly (LeaseKey & { readonly epoch: number })[],
): Promise<readonly (LeaseKey & { readonly epoch: number })[]> {
  return reader.rows<LeaseKey & { readonly epoch: number }>(
    store
      .builder<LeaseTables>()
      .selectFrom("lease")
      .select(["bot_id", "strategy_id", "instance_id", "epoch"])
      .where("holder", "=", holder)
      .where(sql<boolean>`expires_at > ${databaseNow(store.dialect)}`)
      .where(among(leases)),
  );
}

/** Gives a lease back; the row and its epoch stay. Expired or not: nobody else can have it under this epoch. */
export function releaseLeaseWrite(store: Sql, held: HeldLease): Write {
  return write(giving(store, held), 1);
}

/**
 * Takes a lease from whoever has not renewed it since `renewed_at`, though the database's clock may say that it runs. For
 * those who know by another clock that the holder's time is over. A conflict means that it was renewed or changed hands.
 */
export function releaseUnrenewedWrite(store: Sql, held: HeldLease & Pick<LeaseRow, "renewed_at">): Write {
  return write(giving(store, held).where("renewed_at", "=", held.renewed_at), 1);
}

function giving(store: Sql, held: HeldLease) {
  return store
    .builder<LeaseTables>()
    .updateTable("lease")
    .set({ holder: null, expires_at: databaseNow(store.dialect) })
    .$call((update) => where(update, held))
    .where("holder", "=", held.holder)
    .where("epoch", "=", held.epoch);
}

/**
 * The fence: put it first into the batch that has the effect. A conflict means a newer holder exists
 * (or this epoch expired), and the whole batch is undone.
 */
export function fenceWrite(store: Sql, held: HeldLease): Write {
  const now = databaseNow(store.dialect);
  const query = store
    .builder<LeaseTables>()
    .updateTable("lease")
    .set({ max_epoch: held.epoch })
    .$call((update) => where(update, held))
    .where("holder", "=", held.holder)
    .where("epoch", "=", held.epoch)
    .where("max_epoch", "<=", held.epoch)
    .where(sql<boolean>`expires_at > ${now}`);
  return write(query, 1);
}

/** Takes every lease whose time is over away from its holder; what the failover reconciler calls. */
export function expireLeasesWrite(store: Sql): Write {
  const now = databaseNow(store.dialect);
  return write(
    store
      .builder<LeaseTables>()
      .updateTable("lease")
      .set({ holder: null })
      .where("holder", "is not", null)
      .where(sql<boolean>`expires_at <= ${now}`),
    "any",
  );
}

export async function readLease(store: Sql, reader: Reader, key: LeaseKey): Promise<LeaseRow | undefined> {
  const rows = await reader.rows<LeaseRow>(
    store
      .builder<LeaseTables>()
      .selectFrom("lease")
      .selectAll()
      .$call((select) => where(select, key)),
  );
  return rows[0];
}

/** Leases that are held but over, oldest first. */
export function expiredLeases(store: Sql, reader: Reader, limit: number): Promise<readonly LeaseRow[]> {
  const now = databaseNow(store.dialect);
  return reader.rows<LeaseRow>(
    store
      .builder<LeaseTables>()
      .selectFrom("lease")
      .selectAll()
      .where("holder", "is not", null)
      .where(sql<boolean>`expires_at <= ${now}`)
      .orderBy("expires_at")
      .limit(limit),
  );
}

export type AcquireError =
  | { readonly kind: "held"; readonly row: LeaseRow | undefined }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Acquires and reads the epoch it got, without audit events: for callers that have none of their own to commit. */
export async function acquireLease(
  store: Store,
  key: LeaseKey,
  holder: string,
  ttl: Millis,
): Promise<Result<HeldLease, AcquireError>> {
  const ensured = await store.commit({ writes: [ensureLeaseWrite(store, key)], events: [] });
  if (!ensured.ok && ensured.error.kind === "failed") return err(ensured.error);
  const taken = await store.commit({ writes: [acquireLeaseWrite(store, key, holder, ttl)], events: [] });
  if (!taken.ok && taken.error.kind === "failed") return err(taken.error);
  const row = await readLease(store, store, key);
  if (!taken.ok || row?.holder !== holder) return err({ kind: "held", row });
  return ok({ ...key, holder, epoch: row.epoch });
}

/** Until when (own monotonic milliseconds) the holder may act: counted from before it sent, minus a margin. */
export function holderDeadline(sent_at: Millis, ttl: Millis, margin: Millis): Millis {
  return millis(Math.max(0, sent_at + ttl - margin));
}

function ttlMicros(ttl: Millis): number {
  return Math.round(ttl * 1_000);
}

function among(leases: readonly (LeaseKey & { readonly epoch: number })[]): ReturnType<typeof sql<boolean>> {
  const rows = leases.map(
    ({ bot_id, strategy_id, instance_id, epoch }) =>
      sql`(${bot_id}, ${strategy_id}, ${instance_id}, cast(${epoch} as bigint))`,
  );
  return sql<boolean>`(bot_id, strategy_id, instance_id, epoch) in (values ${sql.join(rows)})`;
}

// Kysely's where() keeps the builder's type; this names the three columns once.
function where<
  Query extends { where(column: "bot_id" | "strategy_id" | "instance_id", is: "=", value: string): Query },
>(query: Query, key: LeaseKey): Query {
  return query
    .where("bot_id", "=", key.bot_id)
    .where("strategy_id", "=", key.strategy_id)
    .where("instance_id", "=", key.instance_id);
}
