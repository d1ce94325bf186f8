/** Reads what an allocation is judged by: the pool, the bot's own part, and the account's balance from its ledger. */
import { ok, type Failure, type Result } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import type { FundsAccount, FundsLedger } from "@rumi/venues";
import type { Sql } from "../shared/sql.ts";
import type { VenueSpec } from "../venues/model.ts";
import { accountOf, amountOf, poolIdOf, type Room } from "./model.ts";
import { heldOf, readAllocation, readPool, sizeOf } from "./tables.ts";

export type RoomDeps = { readonly funds: FundsLedger };

/** Of a bot on its venue; errors RUMI-RSK-002 and RUMI-RSK-005. */
export async function roomFor(
  deps: RoomDeps,
  reader: Reader,
  sql: Sql,
  of: { readonly bot_id: string; readonly venue: VenueSpec; readonly instruments: readonly string[] },
): Promise<Result<Room, Failure>> {
  const account = accountOf(of.venue, of.instruments);
  return account.ok ? roomOf(deps, reader, sql, account.value, of.bot_id) : account;
}

/** Error RUMI-RSK-005. */
export async function roomOf(
  { funds }: RoomDeps,
  reader: Reader,
  sql: Sql,
  account: FundsAccount,
  bot_id?: string,
): Promise<Result<Room, Failure>> {
  const pool_id = poolIdOf(account);
  const row = await readPool(reader, sql, pool_id);
  const allocation = bot_id === undefined ? undefined : await readAllocation(reader, sql, bot_id);
  const balance = await funds.balance(account);
  if (!balance.ok) return balance;
  return ok({
    account,
    pool_id,
    size: row === undefined ? null : sizeOf(row),
    funds: balance.value,
    held: row === undefined ? 0n : heldOf(row),
    own: allocation === undefined ? null : amountOf(allocation.capital),
  });
}
