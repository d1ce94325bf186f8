/** Reads what triage judges: bot, instances, stops, the last refusal, the last rejections. */
import { isoFromMicros, micros, type Micros } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import { readEvents } from "../audit/events.ts";
import { ladderView } from "../attestation/operations.ts";
import type { LadderRow, LadderTables } from "../attestation/tables.ts";
import type { BotRow } from "../bots/tables.ts";
import { readInstances, type InstanceRow } from "../instances/tables.ts";
import { instanceView } from "../instances/view.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { jsonOf, type Sql } from "../shared/sql.ts";
import { stuckOccasion } from "../stuck/model.ts";
import { readOccasion } from "../support-bundles/tables.ts";
import type { OrderRow, ViewTables } from "../views/tables.ts";
import { triageBot, type Triage, type TriageFacts } from "./model.ts";

/** What is looked at for rejections by a venue, and for refusals of commands. */
const NEWEST_ORDERS = 50;
const NEWEST_EVENTS = 50;

export async function triageOf(
  reader: Reader,
  sql: Sql,
  bot: BotRow,
  now: Micros,
  instances?: readonly InstanceRow[],
): Promise<Triage> {
  const rows = instances ?? (await readInstances(reader, sql, bot.bot_id));
  return triageBot({
    bot: {
      bot_id: bot.bot_id,
      state: bot.state,
      reason: bot.state_reason,
      since: iso(bot.state_since),
      run_id: bot.run_id,
    },
    instances: rows.map(instanceView),
    stops: await unprovenStops(reader, sql, bot, rows),
    stuck: await stuckFact(reader, sql, bot, now),
    refused: await lastRefusal(reader, sql, bot),
    rejected: await rejections(reader, sql, bot),
  });
}

/** Of every bot that has a finding. */
export async function triagesOf(reader: Reader, sql: Sql, bots: readonly BotRow[], now: Micros) {
  const all = await Promise.all(
    bots.map(async (bot) => ({ bot_id: bot.bot_id, ...(await triageOf(reader, sql, bot, now)) })),
  );
  return all.filter(({ findings }) => findings.length > 0);
}

async function unprovenStops(
  reader: Reader,
  sql: Sql,
  bot: BotRow,
  instances: readonly InstanceRow[],
): Promise<TriageFacts["stops"]> {
  if (bot.state !== "STOPPING" || instances.length === 0) return [];
  const ladders = await reader.rows<LadderRow>(
    sql
      .builder<LadderTables>()
      .selectFrom("stop_ladder")
      .selectAll()
      .where(
        "run_id",
        "in",
        instances.map(({ run_id }) => run_id),
      )
      .where("attested_at", "is", null),
  );
  return ladders.map((row) => {
    const { run_id, blocked } = ladderView(row);
    return { run_id, blocked: blocked === null ? null : { ...blocked, why: blocked.why ?? "" } };
  });
}

async function stuckFact(reader: Reader, sql: Sql, bot: BotRow, now: Micros): Promise<TriageFacts["stuck"]> {
  if (bot.state !== "STOPPING" || now - bot.state_since < CONTROL_LIMITS.stuck_stopping_ms * 1_000) return null;
  const bundle = await readOccasion(reader, sql, stuckOccasion(bot));
  return { since: iso(bot.state_since), bundle_id: bundle?.bundle_id ?? null };
}

async function lastRefusal(reader: Reader, sql: Sql, bot: BotRow): Promise<TriageFacts["refused"]> {
  // Among the newest, so that a bot with a long history costs no more than a young one.
  const newest = await readEvents(reader, sql, {
    resource_type: "bot",
    resource_id: bot.bot_id,
    order: "desc",
    limit: NEWEST_EVENTS,
  });
  const since = iso(bot.state_since);
  const event = newest.find((one) => one.action === "controlplane.command.denied" && one.occurred_at >= since);
  if (event === undefined) return null;
  const word = (name: string): string | null => {
    const value = event.details[name];
    return typeof value === "string" ? value : null;
  };
  return {
    command_id: word("request_id") ?? event.event_id,
    event_id: event.event_id,
    error_code: word("error_code"),
    reason_code: word("reason_code"),
    at: event.occurred_at,
  };
}

/** Of the run in hand: what a venue refused long ago is no trouble of today. */
async function rejections(reader: Reader, sql: Sql, bot: BotRow): Promise<TriageFacts["rejected"]> {
  if (bot.run_id === null) return null;
  const orders = await reader.rows<OrderRow>(
    sql
      .builder<ViewTables>()
      .selectFrom("order_view")
      .selectAll()
      .where("bot_id", "=", bot.bot_id)
      .where("run_id", "=", bot.run_id)
      .orderBy("seq", "desc")
      .limit(NEWEST_ORDERS),
  );
  const rejected = orders.filter(({ status }) => status === "rejected");
  const [newest] = rejected;
  if (newest === undefined) return null;
  const { reason_code } = jsonOf<{ readonly reason_code?: string | null }>(newest.report);
  return {
    client_order_id: newest.client_order_id,
    reason_code: reason_code ?? null,
    at: iso(newest.at_us),
    count: rejected.length,
  };
}

const iso = (at: number): string => isoFromMicros(micros(at));
