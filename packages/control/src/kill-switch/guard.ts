/**
 * Asks the kill switch before risk may grow on a bot. The runner asks it again for every order (L-N13); this only spares
 * a person the surprise of a bot that starts and may not trade.
 */
import { err, failure } from "@rumi/kernel";
import { PASSES, type Guard } from "@rumi/operations";
import { strictestKill, type KillTarget } from "@rumi/runtime";
import { readBot, specOf, type BotRow } from "../bots/tables.ts";
import type { Sql } from "../shared/sql.ts";
import { scopeText } from "./model.ts";
import { readKillSwitch } from "./tables.ts";

export function killTarget(bot: Pick<BotRow, "bot_id" | "spec">): KillTarget {
  const { strategy, venue, group_id } = specOf(bot);
  return { bot_id: bot.bot_id, strategy_id: strategy.strategy_id, venue, group_id };
}

export function killSwitchGuard(sql: Sql): Guard {
  return {
    name: "kill_switch",
    check: async (reader, { risk, target }) => {
      if (risk !== "increase" || target.resource_type !== "bot") return PASSES;
      const { rules } = await readKillSwitch(reader, sql);
      if (rules.length === 0) return PASSES;
      const bot = await readBot(reader, sql, target.resource_id);
      const holds = bot === undefined ? null : strictestKill(rules, killTarget(bot));
      if (holds === null) return PASSES;
      return err(
        failure(
          "RUMI-CMD-007",
          {
            target: `bot ${target.resource_id}`,
            rule: "kill switch",
            problem: `${holds.level} for ${scopeText(holds)}`,
          },
          { reasonCode: `G.KILLSWITCH.${holds.level}` },
        ),
      );
    },
  };
}
