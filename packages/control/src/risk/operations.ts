/** Pools of capital: their sizes, what they hold, and another limit for one bot. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { isCapital, nextVersion, type BotSpec } from "../bots/model.ts";
import { botResource, botView, insertBotVersion, versionDetails } from "../bots/operations.ts";
import { readBot, specOf, updateBot, type BotRow } from "../bots/tables.ts";
import { BotIdField, CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField, VenueIdField } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, feed } from "../shared/sql.ts";
import { instrumentsOf } from "../venues/model.ts";
import { readVenue } from "../venues/tables.ts";
import { allocationEvent } from "./events.ts";
import { amountOf, judgeAllocation, judgeSize, money, poolIdOf, roomView, VENUE_ACCOUNT, type Room } from "./model.ts";
import { StopConditionsField } from "./stop-field.ts";
import { roomFor, roomOf, type RoomDeps } from "./room.ts";
import { allocationWrites, readAllocations, readPools, sizeWrites } from "./tables.ts";
import { AllocationsAnswer, PoolAnswer, PoolsAnswer } from "./answers.ts";
import { LimitsAnswer } from "../bots/answers.ts";

export const riskDeclarations = (deps: RoomDeps): readonly Declaration[] => [
  setPool(deps),
  listPools(deps),
  listAllocations,
  setLimits(deps),
];

const AmountField = Type.String({
  pattern: "^\\d{1,15}(\\.\\d{1,8})?$",
  description: "Decimal string, in the pool's currency.",
});
const CurrencyField = Type.String({ pattern: "^[A-Z0-9]{1,16}$" });
const AccountField = Type.Literal(VENUE_ACCOUNT, { description: "The account of the venue's key." });
const PoolFields = { venue: VenueIdField, account: Type.Optional(AccountField), currency: CurrencyField };

/** The pool that is named, or why there is none: a venue that is not there, a currency that nothing of it is quoted in. */
type Named = { readonly room: Result<Room, Failure> };

const setPool = (deps: RoomDeps): Declaration =>
  defineOperation({
    name: "pools.set",
    summary: "Set how much of an account's balance its bots may be allocated together",
    http: { method: "POST", path: "/api/pools" },
    input: Type.Object({ command_id: CommandIdField, ...PoolFields, size: AmountField, reason: ReasonField }, CLOSED),
    output: PoolAnswer,
    key: "command_id",
    permission: ["admin"],
    risk: ({ size }, { room }: Named) =>
      room.ok && room.value.size !== null && amountOf(size) <= room.value.size ? "tighten" : "increase",
    danger: noDanger,
    target: ({ venue, currency }) => ({
      resource_type: "pool",
      resource_id: poolIdOf({ venue, account: VENUE_ACCOUNT, currency }),
    }),
    gates: [],
    load: async (reader, { venue, currency }, { store }): Promise<Named> => {
      const found = await readVenue(reader, store, venue);
      if (found === undefined) return { room: err(failure("RUMI-BOT-006", { venue_id: venue })) };
      if (!instrumentsOf(found).some((one) => one.quote_currency === currency))
        return {
          room: err(failure("RUMI-VAL-002", { field: "currency", problem: `nothing at ${venue} is quoted in it` })),
        };
      return { room: await roomOf(deps, reader, store, { venue, account: VENUE_ACCOUNT, currency }) };
    },
    preview: ({ room }, { size }) => ({ pool: room.ok ? roomView(room.value) : null, size }),
    decide: ({ room }, input, { now, principal, store }) => {
      if (!room.ok) return room;
      const size = amountOf(input.size);
      const fits = judgeSize(room.value, size);
      if (!fits.ok) return fits;
      const { pool_id, account } = room.value;
      const data = roomView({ ...room.value, size });
      return ok({
        writes: [
          ...sizeWrites(store, room.value, { size, by: principal.id, now }),
          feed(store, "pool", pool_id, data, now),
        ],
        events: [
          {
            action: "capital.pool.set",
            resource_type: "pool",
            resource_id: pool_id,
            outcome: "SUCCESS",
            details: {
              ...account,
              size: money(size),
              previous: room.value.size === null ? null : money(room.value.size),
              balance: data.balance,
              allocated: data.allocated,
            },
          },
        ],
        outbox: [],
        data,
      });
    },
  });

const listPools = (deps: RoomDeps) =>
  defineQuery({
    name: "pools.list",
    summary: "Pools of capital: size, the account's balance, what is allocated and what is free",
    http: { method: "GET", path: "/api/pools" },
    input: Type.Object({ venue: Type.Optional(VenueIdField) }, CLOSED),
    output: PoolsAnswer,
    permission: EVERYONE,
    read: async (reader, { venue }, { store }) => {
      const pools: Readonly<Record<string, unknown>>[] = [];
      for (const row of await readPools(reader, store, venue)) {
        const room = await roomOf(deps, reader, store, row);
        // A balance that is not known is said of its pool; the others are shown all the same.
        pools.push(
          room.ok
            ? roomView(room.value)
            : { pool_id: row.pool_id, state: "unknown", problem: String(room.error.params["problem"] ?? "") },
        );
      }
      return ok({ pools });
    },
  });

const listAllocations = defineQuery({
  name: "pools.allocations",
  summary: "What each bot of a pool is allocated",
  http: { method: "GET", path: "/api/pools/allocations" },
  input: Type.Object(
    {
      ...PoolFields,
      ...PAGE_FIELDS,
    },
    CLOSED,
  ),
  output: AllocationsAnswer,
  permission: EVERYONE,
  read: async (reader, { venue, currency, cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["string"]);
    if (!after.ok) return after;
    const pool_id = poolIdOf({ venue, account: VENUE_ACCOUNT, currency });
    const place = { pool_id, after: String(after.value?.[0] ?? ""), limit: limit + 1 };
    const rows = await readAllocations(reader, store, place);
    const { page, next_cursor } = pageOf(rows, limit, (row) => [row.bot_id]);
    return ok({
      pool_id,
      allocations: page.map(({ bot_id, capital }) => ({ bot_id, capital })),
      next_cursor,
    });
  },
});

const isLess = (capital: string, than: string): boolean =>
  isCapital(capital) && isCapital(than) && amountOf(capital) <= amountOf(than);

type LimitFacts = { readonly bot: BotRow | undefined; readonly room: Result<Room, Failure> };

/** Only at rest: a run judges its orders by the limits that it began under, and a replay of it has to do the same. */
const AT_REST: readonly string[] = ["CREATED", "IDLE", "QUARANTINED"];

const setLimits = (deps: RoomDeps): Declaration =>
  defineOperation({
    name: "bots.limits",
    summary: "Give a bot that stands still another capital, within its pool, or other stop conditions",
    http: { method: "POST", path: "/api/bots/{bot_id}/limits" },
    input: Type.Object(
      {
        command_id: CommandIdField,
        bot_id: BotIdField,
        capital: Type.Optional(
          Type.String({ minLength: 1, maxLength: 32, description: "Quote currency, decimal string." }),
        ),
        stop_conditions: Type.Optional(StopConditionsField),
        reason: ReasonField,
      },
      CLOSED,
    ),
    output: LimitsAnswer,
    key: "command_id",
    permission: ["operator", "admin"],
    risk: ({ capital, stop_conditions }, { bot }: LimitFacts) =>
      bot !== undefined &&
      stop_conditions === undefined &&
      capital !== undefined &&
      isLess(capital, specOf(bot).capital)
        ? "tighten"
        : "increase",
    danger: noDanger,
    target: ({ bot_id }) => ({ resource_type: "bot", resource_id: bot_id }),
    gates: [],
    load: async (reader, { bot_id }, { store }): Promise<LimitFacts> => {
      const bot = await readBot(reader, store, bot_id);
      if (bot === undefined) return { bot, room: err(failure("RUMI-BOT-001", { bot_id })) };
      const spec = specOf(bot);
      const venue = await readVenue(reader, store, spec.venue);
      const room =
        venue === undefined
          ? err(failure("RUMI-BOT-006", { venue_id: spec.venue }))
          : await roomFor(deps, reader, store, { bot_id, venue, instruments: spec.instruments });
      return { bot, room };
    },
    diff: ({ bot }, { capital, stop_conditions }) => {
      const before = bot === undefined ? undefined : specOf(bot);
      const wished = { capital, stop_conditions };
      return (["capital", "stop_conditions"] as const)
        .filter((field) => wished[field] !== undefined)
        .map((field) => ({ field, before: before?.[field] ?? null, after: wished[field] }));
    },
    preview: ({ bot, room }, { capital, stop_conditions }) => ({
      bot_id: bot?.bot_id ?? null,
      current_state: bot?.state ?? null,
      from: bot === undefined ? null : specOf(bot).capital,
      capital: capital ?? null,
      stop_conditions: stop_conditions ?? null,
      pool: room.ok ? roomView(room.value) : null,
    }),
    decide: ({ bot, room }, { bot_id, reason, ...wished }, { now, store, principal }) => {
      if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
      const before = specOf(bot);
      const { capital = before.capital, stop_conditions = before.stop_conditions } = wished;
      if (wished.capital === undefined && wished.stop_conditions === undefined)
        return err(failure("RUMI-VAL-002", { field: "capital", problem: "neither it nor stop_conditions is given" }));
      if (!isCapital(capital)) return err(failure("RUMI-BOT-030", { capital }));
      if (!AT_REST.includes(bot.state))
        return err(failure("RUMI-RSK-006", { bot_id, state: bot.state }, { reasonCode: "L.CAPITAL.NOT_AT_REST" }));
      if (!room.ok) return room;
      const wanted = amountOf(capital);
      const after: BotSpec = { ...before, capital, ...(stop_conditions === undefined ? {} : { stop_conditions }) };
      if (room.value.own === wanted && JSON.stringify(after) === JSON.stringify(before))
        return ok({ writes: [], events: [], outbox: [], data: { ...botView(bot), changed: false } });
      const moves = room.value.own !== wanted;
      const fits = moves ? judgeAllocation(room.value, bot_id, wanted) : ok(null);
      if (!fits.ok) return fits;
      const next: BotRow = {
        ...bot,
        spec: JSON.stringify(after),
        generation: bot.generation + 1,
        observed_generation: bot.generation + 1,
        version: nextVersion(bot.version, before, after),
      };
      const { spec, generation, observed_generation, version } = next;
      return ok({
        writes: [
          updateBot(store, bot, { spec, generation, observed_generation, version }, now),
          insertBotVersion(store, next, now, principal.id, reason),
          ...(moves ? allocationWrites(store, room.value, { bot_id, capital: wanted, now }) : []),
          feed(store, "bot", bot_id, { bot_id, state: bot.state, generation }, now),
        ],
        events: [
          {
            action: "bot.version.created",
            ...botResource(bot_id),
            details: {
              ...versionDetails(next, after),
              changed: Object.keys(wished).filter((name) => name !== "command_id"),
            },
          },
          ...(moves ? [allocationEvent(room.value, bot_id, wanted)] : []),
        ],
        outbox: [],
        data: { ...botView(next), changed: true },
      });
    },
  });
