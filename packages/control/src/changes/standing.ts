/** What a change of a bot or a group stands on: its generation, or that there is none of that name. */
import type { StandingReader } from "@rumi/operations";
import { write } from "@rumi/store";
import { readBot, type BotTables } from "../bots/tables.ts";
import { readGroup } from "../groups/tables.ts";
import type { Sql } from "../shared/sql.ts";

export function standingReader(sql: Sql): StandingReader {
  return {
    read: async (reader, { target: { resource_type, resource_id }, bot_id: named }) => {
      if (resource_type === "group" && named === null)
        return {
          base: { group_generation: (await readGroup(reader, sql, resource_id))?.generation ?? null },
          fences: [],
        };
      const bot_id = named ?? (resource_type === "bot" ? resource_id : null);
      if (bot_id === null) return { base: {}, fences: [] };
      const generation = (await readBot(reader, sql, bot_id))?.generation ?? null;
      if (generation === null) return { base: { bot_generation: null }, fences: [] };
      const unmoved = sql
        .builder<BotTables>()
        .updateTable("bot")
        .set({ generation })
        .where("bot_id", "=", bot_id)
        .where("generation", "=", generation);
      return { base: { bot_generation: generation }, fences: [write(unmoved, 1)] };
    },
  };
}
