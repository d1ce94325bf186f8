/**
 * Capital: how much of an account's money all bots there may risk together, and each of them. Pure.
 *
 * How to think: a pool is one account at one venue in one currency. It has a size where somebody set one; without, it is as
 * large as the account. What bots are allocated never exceeds the smaller of the two. Amounts are whole numbers scaled by
 * 10^8; a bot without a pool of its own size is still within the account's balance.
 *
 * Invariants (pools.test.ts)
 * - Whatever is created and changed at once, allocations sum within the pool (L-07).
 * - A balance that is not known allocates nothing.
 */
import { MONEY_DIGITS } from "@rumi/abi";
import { err, failure, formatDecimal, invariant, ok, type Failure, type Result } from "@rumi/kernel";
import { parseMoney } from "@rumi/runtime";
import type { Funds, FundsAccount } from "@rumi/venues";
import { instrumentsOf, type VenueSpec } from "../venues/model.ts";

/** A venue's registration names one key, and a key is one account. */
export const VENUE_ACCOUNT = "main";

export const poolIdOf = ({ venue, account, currency }: FundsAccount): string => `${venue}/${account}/${currency}`;

/** What a pool has and holds, and what one bot has of it. */
export type Room = {
  readonly account: FundsAccount;
  readonly pool_id: string;
  /** `null`: nobody set one. */
  readonly size: bigint | null;
  readonly funds: Funds;
  /** Of all bots, this one's own included. */
  readonly held: bigint;
  /** `null`: this bot has no allocation yet. */
  readonly own: bigint | null;
};

/** The smaller of what was set and what is there. */
export const boundOf = ({ size, funds }: Pick<Room, "size" | "funds">): bigint =>
  size === null || size > funds.balance ? funds.balance : size;

export const money = (amount: bigint): string => formatDecimal(amount, MONEY_DIGITS);

/** Of text whose form was checked. */
export function amountOf(text: string): bigint {
  const amount = parseMoney(text);
  invariant(amount !== undefined, "an amount's form is checked where it comes in");
  return amount;
}

/** Exposures are added up, so a bot trades in one currency. Error RUMI-RSK-002. */
export function accountOf(venue: VenueSpec, instruments: readonly string[]): Result<FundsAccount, Failure> {
  const wanted = new Set(instruments);
  const currencies = new Set(
    instrumentsOf(venue).flatMap((one) => (wanted.has(one.instrument_id) ? [one.quote_currency] : [])),
  );
  const [currency = ""] = currencies;
  return currencies.size > 1
    ? err(
        failure(
          "RUMI-RSK-002",
          { currencies: [...currencies].join(", ") },
          { reasonCode: "L.CAPITAL.MIXED_CURRENCIES" },
        ),
      )
    : ok({ venue: venue.venue_id, account: VENUE_ACCOUNT, currency });
}

/** Whether the bot may have so much; error RUMI-RSK-001. */
export function judgeAllocation(room: Room, bot_id: string, capital: bigint): Result<null, Failure> {
  const bound = boundOf(room);
  const others = room.held - (room.own ?? 0n);
  if (others + capital <= bound) return ok(null);
  const free = bound > others ? bound - others : 0n;
  return err(
    failure(
      "RUMI-RSK-001",
      {
        bot_id,
        capital: money(capital),
        pool_id: room.pool_id,
        free: money(free),
        bound: money(bound),
        currency: room.account.currency,
      },
      { reasonCode: "L.CAPITAL.POOL_EXCEEDED", details: { pool: roomView(room) } },
    ),
  );
}

/** What may stand between the account and the pool's size; errors RUMI-RSK-003 and RUMI-RSK-004. */
export function judgeSize(room: Room, size: bigint): Result<null, Failure> {
  const { pool_id, held, funds } = room;
  if (size < held)
    return err(
      failure(
        "RUMI-RSK-003",
        { pool_id, size: money(size), held: money(held) },
        { reasonCode: "L.CAPITAL.POOL_IN_USE" },
      ),
    );
  return size > funds.balance
    ? err(
        failure(
          "RUMI-RSK-004",
          { pool_id, size: money(size), balance: money(funds.balance) },
          { reasonCode: "L.CAPITAL.BEYOND_BALANCE" },
        ),
      )
    : ok(null);
}

export function roomView(room: Room) {
  const bound = boundOf(room);
  return {
    pool_id: room.pool_id,
    ...room.account,
    size: room.size === null ? null : money(room.size),
    balance: money(room.funds.balance),
    balance_source: room.funds.source,
    allocated: money(room.held),
    free: money(bound > room.held ? bound - room.held : 0n),
    state: room.held > bound ? "short" : "covered",
  };
}
