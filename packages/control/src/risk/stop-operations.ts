/** What a bot's stop conditions saw, and a person's word that they have seen what tripped. */
import { err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { readBot, specOf, type BotRow } from "../bots/tables.ts";
import { BotIdField, CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { feed, jsonOf } from "../shared/sql.ts";
import { isOpen, readStops, trippedOf, updateStops, type StopRow } from "./stop-tables.ts";
import type { Watched } from "./stops.ts";
import { AcknowledgedStopsAnswer, StopsAnswer } from "./answers.ts";

export const stopDeclarations = (): readonly Declaration[] => [showStops, acknowledge];

const showStops = defineQuery({
  name: "bots.stops",
  summary: "A bot's stop conditions: the limits, what was seen against them, what tripped and who has acknowledged it",
  http: { method: "GET", path: "/api/bots/{bot_id}/stops" },
  input: Type.Object({ bot_id: BotIdField }, CLOSED),
  output: StopsAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id }, { store }) => {
    const bot = await readBot(reader, store, bot_id);
    if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    return ok({
      bot_id,
      conditions: specOf(bot).stop_conditions ?? {},
      ...stopsView(await readStops(reader, store, bot_id)),
    });
  },
});

type Facts = { readonly bot: BotRow | undefined; readonly stops: StopRow | undefined };

const acknowledge = defineOperation({
  name: "bots.stops_acknowledge",
  summary: "Say that a tripped stop condition was seen; only then is a start taken again, and it begins a new run",
  http: { method: "POST", path: "/api/bots/{bot_id}/stops/acknowledge" },
  input: Type.Object({ command_id: CommandIdField, bot_id: BotIdField, reason: ReasonField }, CLOSED),
  output: AcknowledgedStopsAnswer,
  key: "command_id",
  permission: ["operator", "admin"],
  risk: () => "increase",
  danger: noDanger,
  target: ({ bot_id }) => ({ resource_type: "bot", resource_id: bot_id }),
  gates: [],
  load: async (reader, { bot_id }, { store }): Promise<Facts> => ({
    bot: await readBot(reader, store, bot_id),
    stops: await readStops(reader, store, bot_id),
  }),
  preview: ({ bot, stops }, { bot_id }) => ({ bot_id, current_state: bot?.state ?? null, ...stopsView(stops) }),
  decide: ({ bot, stops }: Facts, { bot_id }, { now, principal, store }) => {
    if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    const tripped = isOpen(stops) ? trippedOf(stops) : null;
    if (!isOpen(stops) || tripped === null)
      return ok({ writes: [], events: [], outbox: [], data: { bot_id, changed: false, ...stopsView(stops) } });
    const change = { acknowledged_by: principal.id, acknowledged_at: now };
    const data = { bot_id, changed: true, ...stopsView({ ...stops, ...change }) };
    return ok({
      writes: [updateStops(store, stops, change), feed(store, "stops", bot_id, data, now)],
      events: [
        {
          action: "bot.stop_condition.acknowledged",
          resource_type: "bot",
          resource_id: bot_id,
          outcome: "SUCCESS",
          details: tripped,
        },
      ],
      outbox: [],
      data,
    });
  },
});

function stopsView(row: StopRow | undefined) {
  const tripped = row === undefined ? null : trippedOf(row);
  return {
    state: tripped === null ? "watching" : isOpen(row) ? "tripped" : "acknowledged",
    tripped:
      row === undefined || tripped === null || row.tripped_at === null
        ? null
        : { ...tripped, at: isoFromMicros(micros(row.tripped_at)) },
    acknowledged_by: row?.acknowledged_by ?? null,
    acknowledged_at:
      row === undefined || row.acknowledged_at === null ? null : isoFromMicros(micros(row.acknowledged_at)),
    seen: row === undefined ? null : countsOf(jsonOf<Watched>(row.watched)),
  };
}

const countsOf = ({ rejections, orders }: Watched) => ({ rejections: rejections.length, orders: orders.length });
