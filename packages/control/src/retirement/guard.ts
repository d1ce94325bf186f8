/** A retired bot refuses whatever would change it; what only tightens is refused by the decision that it is for. */
import { PASSES, type Guard } from "@rumi/operations";
import { readBot } from "../bots/tables.ts";
import { LIFT } from "../holds/guard.ts";
import { botOf, KILL_SET } from "../kill-switch/guard.ts";
import type { Sql } from "../shared/sql.ts";
import { judgeRetired } from "./model.ts";

export function retiredGuard(sql: Sql): Guard {
  return {
    name: "retired",
    check: async (reader, context) => {
      const bot_id = botOf(context);
      // Rules about it are lifted like any other: they are no part of the bot.
      if (bot_id === null || context.operation === KILL_SET || context.operation === LIFT) return PASSES;
      const bot = await readBot(reader, sql, bot_id);
      const verdict = bot === undefined ? undefined : judgeRetired(bot);
      return verdict === undefined || verdict.ok ? PASSES : verdict;
    },
  };
}
