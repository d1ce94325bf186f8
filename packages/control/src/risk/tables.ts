/**
 * Pools and allocations. What a pool's bots hold together stands in the pool's own row, as whole units and the rest of one
 * (scaled by 10^8), so that the statement which adds to it also compares it with the bound: two bots that are made at once
 * do not have to know of each other.
 */
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import { sql as rawSql } from "kysely";
import type { Sql } from "../shared/sql.ts";
import { stopStatements } from "./stop-tables.ts";
import { amountOf, boundOf, money, type Room } from "./model.ts";

export type PoolRow = {
  pool_id: string;
  venue: string;
  account: string;
  currency: string;
  /** Null where nobody set a size. */
  size_units: number | null;
  size_parts: number | null;
  held_units: number;
  held_parts: number;
  set_by: string | null;
  updated_at: number;
};
export type AllocationRow = { bot_id: string; pool_id: string; capital: string; updated_at: number };
export type RiskTables = { capital_pool: PoolRow; capital_allocation: AllocationRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE capital_pool (
    pool_id TEXT NOT NULL PRIMARY KEY, venue TEXT NOT NULL, account TEXT NOT NULL, currency TEXT NOT NULL,
    size_units ${integer}, size_parts ${integer}, held_units ${integer} NOT NULL, held_parts ${integer} NOT NULL,
    set_by TEXT, updated_at ${integer} NOT NULL)`,
  `CREATE TABLE capital_allocation (
    bot_id TEXT NOT NULL PRIMARY KEY, pool_id TEXT NOT NULL, capital TEXT NOT NULL, updated_at ${integer} NOT NULL)`,
  "CREATE INDEX capital_allocation_of_pool ON capital_allocation (pool_id, bot_id)",
];
export const RISK_MIGRATIONS: Migrations = {
  owner: "control.risk",
  steps: [
    { name: "001-pools", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-stop-conditions", sqlite: stopStatements("INTEGER"), postgres: stopStatements("BIGINT") },
  ],
};

/** Parts of one unit. */
const UNIT = 100_000_000n;
const joined = (units: number, parts: number): bigint => BigInt(units) * UNIT + BigInt(parts);

/** `parts` from 0 to below one unit, `units` of the amount's sign. */
function split(amount: bigint): { readonly units: number; readonly parts: number } {
  const parts = ((amount % UNIT) + UNIT) % UNIT;
  return { units: Number((amount - parts) / UNIT), parts: Number(parts) };
}

export const sizeOf = ({ size_units, size_parts }: PoolRow): bigint | null =>
  size_units === null || size_parts === null ? null : joined(size_units, size_parts);
export const heldOf = ({ held_units, held_parts }: PoolRow): bigint => joined(held_units, held_parts);

const SELECT_POOL = compiledText<RiskTables>((db) =>
  db.selectFrom("capital_pool").selectAll().where("pool_id", "=", ""),
);
const SELECT_ALLOCATION = compiledText<RiskTables>((db) =>
  db.selectFrom("capital_allocation").selectAll().where("bot_id", "=", ""),
);

export async function readPool(reader: Reader, sql: Sql, pool_id: string): Promise<PoolRow | undefined> {
  return (await reader.rows<PoolRow>({ sql: SELECT_POOL(sql), parameters: [pool_id] }))[0];
}

export async function readAllocation(reader: Reader, sql: Sql, bot_id: string): Promise<AllocationRow | undefined> {
  return (await reader.rows<AllocationRow>({ sql: SELECT_ALLOCATION(sql), parameters: [bot_id] }))[0];
}

/** Most pools that are listed at once; a home has one for each venue and currency. */
const POOLS_LISTED = 1_000;

export function readPools(reader: Reader, sql: Sql, venue?: string): Promise<readonly PoolRow[]> {
  const all = sql.builder<RiskTables>().selectFrom("capital_pool").selectAll().orderBy("pool_id").limit(POOLS_LISTED);
  return reader.rows<PoolRow>(venue === undefined ? all : all.where("venue", "=", venue));
}

export function readAllocations(
  reader: Reader,
  sql: Sql,
  of: { readonly pool_id: string; readonly after: string; readonly limit: number },
): Promise<readonly AllocationRow[]> {
  return reader.rows<AllocationRow>(
    sql
      .builder<RiskTables>()
      .selectFrom("capital_allocation")
      .selectAll()
      .where("pool_id", "=", of.pool_id)
      .where("bot_id", ">", of.after)
      .orderBy("bot_id")
      .limit(of.limit),
  );
}

/** The pool's row where there is none yet; what it holds is added by {@link allocationWrites}. */
function poolThere(sql: Sql, { pool_id, account }: Room, now: number): Write {
  const empty = { size_units: null, size_parts: null, held_units: 0, held_parts: 0, set_by: null, updated_at: now };
  return write(
    sql
      .builder<RiskTables>()
      .insertInto("capital_pool")
      .values({ pool_id, ...account, ...empty })
      .onConflict((on) => on.column("pool_id").doNothing()),
    "any",
  );
}

/** What the pool holds with so much more or less of it, as the statement itself counts. */
function heldWith(change: bigint) {
  const { units, parts } = split(change);
  return {
    units: rawSql<number>`held_units + cast(${units} as bigint) + (held_parts + cast(${parts} as bigint)) / 100000000`,
    parts: rawSql<number>`(held_parts + cast(${parts} as bigint)) % 100000000`,
  };
}

/** `bot_id` has `capital` of the pool from here on; fits only while the pool's bound is as it was judged and not exceeded. */
export function allocationWrites(
  sql: Sql,
  room: Room,
  { bot_id, capital, now }: { readonly bot_id: string; readonly capital: bigint; readonly now: number },
): readonly Write[] {
  const { pool_id, own, size } = room;
  const db = sql.builder<RiskTables>();
  const row = { pool_id, capital: money(capital), updated_at: now };
  const held =
    own === null
      ? write(db.insertInto("capital_allocation").values({ bot_id, ...row }), 1)
      : write(
          db.updateTable("capital_allocation").set(row).where("bot_id", "=", bot_id).where("capital", "=", money(own)),
          1,
        );
  const most = split(boundOf(room));
  const { units, parts } = heldWith(capital - (own ?? 0n));
  const known = size === null ? null : split(size);
  const change = db
    .updateTable("capital_pool")
    .set({ held_units: units, held_parts: parts, updated_at: now })
    .where("pool_id", "=", pool_id)
    .where("size_units", known === null ? "is" : "=", known?.units ?? null)
    .where("size_parts", known === null ? "is" : "=", known?.parts ?? null);
  const grows = capital > (own ?? 0n);
  const fits = rawSql<boolean>`(${units} < cast(${most.units} as bigint) or (${units} = cast(${most.units} as bigint) and ${parts} <= cast(${most.parts} as bigint)))`;
  return [poolThere(sql, room, now), write(grows ? change.where(fits) : change, 1), held];
}

/** What it was allocated is its pool's again; fits only while it is so much. */
export function releaseWrites(sql: Sql, { bot_id, pool_id, capital }: AllocationRow, now: number): readonly Write[] {
  const db = sql.builder<RiskTables>();
  const gone = db.deleteFrom("capital_allocation").where("bot_id", "=", bot_id).where("capital", "=", capital);
  const held = heldWith(-amountOf(capital));
  const change = { held_units: held.units, held_parts: held.parts, updated_at: now };
  return [write(gone, 1), write(db.updateTable("capital_pool").set(change).where("pool_id", "=", pool_id), 1)];
}

/** Gives the pool its size; fits only while it does not hold more. */
export function sizeWrites(
  sql: Sql,
  room: Room,
  { size, by, now }: { readonly size: bigint; readonly by: string; readonly now: number },
): readonly Write[] {
  const { units, parts } = split(size);
  const holdsLess = rawSql<boolean>`(held_units < cast(${units} as bigint) or (held_units = cast(${units} as bigint) and held_parts <= cast(${parts} as bigint)))`;
  const change = sql
    .builder<RiskTables>()
    .updateTable("capital_pool")
    .set({ size_units: units, size_parts: parts, set_by: by, updated_at: now })
    .where("pool_id", "=", room.pool_id)
    .where(holdsLess);
  return [poolThere(sql, room, now), write(change, 1)];
}
