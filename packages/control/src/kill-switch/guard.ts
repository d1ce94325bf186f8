/**
 * Asks the kill switch before risk may grow on a bot. The runner asks it again for every order (L-N13); this only spares
 * a person the surprise of a bot that starts and may not trade.
 */
import { err, failure } from "@rumi/kernel";
import { PASSES, type Guard, type GuardContext } from "@rumi/operations";
import { strictestKill, type KillTarget } from "@rumi/runtime";
import { readBot, specOf, type BotRow } from "../bots/tables.ts";
import type { Tightened } from "../emergency/spool.ts";
import type { Sql } from "../shared/sql.ts";
import { scopeText } from "./model.ts";
import { killFence, readKillSwitch, wireRules } from "./tables.ts";

export function killTarget(bot: Pick<BotRow, "bot_id" | "spec">): KillTarget {
  const { strategy, venue, group_id } = specOf(bot);
  return { bot_id: bot.bot_id, strategy_id: strategy.strategy_id, venue, group_id };
}

/** Loosening a rule is how one gets out of it; its own confirmation guards it. */
export const KILL_SET = "killswitch.set";

/** The bot that a command is about, also where its target is something of that bot (an intent, a rule). */
export function botOf({ bot_id, target }: Pick<GuardContext, "bot_id" | "target">): string | null {
  return bot_id ?? (target.resource_type === "bot" ? target.resource_id : null);
}

export function killSwitchGuard(sql: Sql, spool: Pick<Tightened, "rules">): Guard {
  return {
    name: "kill_switch",
    check: async (reader, context) => {
      const bot_id = botOf(context);
      if (context.risk !== "increase" || bot_id === null || context.operation === KILL_SET) return PASSES;
      const now = await readKillSwitch(reader, sql);
      context.fence(killFence(sql, now));
      const rules = spool.rules(wireRules(now));
      if (rules.length === 0) return PASSES;
      const bot = await readBot(reader, sql, bot_id);
      const holds = bot === undefined ? null : strictestKill(rules, killTarget(bot));
      if (holds === null) return PASSES;
      return err(
        failure(
          "RUMI-CMD-007",
          {
            target: `bot ${bot_id}`,
            rule: "kill switch",
            problem: `${holds.level} for ${scopeText(holds)}`,
          },
          { reasonCode: `G.KILLSWITCH.${holds.level}` },
        ),
      );
    },
  };
}
