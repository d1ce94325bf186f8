/** Capital and limits at a start: what the preflight says of them, and what a bot from before there were pools still needs. Pure. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { Decision } from "@rumi/operations";
import { isCapital, type BotSpec } from "../bots/model.ts";
import type { Sql } from "../shared/sql.ts";
import { allocationEvent } from "./events.ts";
import { amountOf, judgeAllocation, type Room } from "./model.ts";
import { notedConditions, soundConditions, type Noted } from "./stop-field.ts";
import { isOpen, trippedOf, type StopRow } from "./stop-tables.ts";
import { allocationWrites } from "./tables.ts";

/** Sound, and covered by pool and balance as they are now. */
export function judgeCapital(
  bot_id: string,
  spec: Pick<BotSpec, "capital">,
  room: Result<Room, Failure>,
): Result<Noted, Failure> {
  if (!isCapital(spec.capital)) return err(failure("RUMI-BOT-030", { capital: spec.capital }));
  if (!room.ok) return room;
  const fits = judgeAllocation(room.value, bot_id, amountOf(spec.capital));
  return fits.ok ? ok({ note: `${spec.capital} ${room.value.account.currency} of pool ${room.value.pool_id}` }) : fits;
}

/** Understood, and no trip that nobody has acknowledged; errors RUMI-RSK-007 and RUMI-RSK-008. */
export function judgeLimits(
  bot_id: string,
  spec: Pick<BotSpec, "stop_conditions">,
  stops: StopRow | undefined,
): Result<Noted, Failure> {
  const conditions = soundConditions(bot_id, spec.stop_conditions);
  if (!conditions.ok) return conditions;
  const tripped = isOpen(stops) ? trippedOf(stops) : null;
  if (tripped === null) return ok(notedConditions(conditions.value));
  const { condition, observed, limit } = tripped;
  return err(
    failure(
      "RUMI-RSK-007",
      { bot_id, condition, observed, limit },
      { reasonCode: "L.STOP_CONDITION.NOT_ACKNOWLEDGED", details: { tripped } },
    ),
  );
}

/** Nothing where the allocation stands already. */
export function allocatedWithStart(
  sql: Sql,
  bot_id: string,
  spec: Pick<BotSpec, "capital">,
  { room, now }: { readonly room: Room; readonly now: number },
): Pick<Decision, "writes" | "events"> {
  const capital = amountOf(spec.capital);
  return room.own === capital
    ? { writes: [], events: [] }
    : {
        writes: allocationWrites(sql, room, { bot_id, capital, now }),
        events: [allocationEvent(room, bot_id, capital)],
      };
}
