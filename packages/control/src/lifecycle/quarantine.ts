/** What it takes to end a bot by the cause `safety`: to QUARANTINED, with everything of it to be stopped. */
import type { EventDraft } from "@rumi/operations";
import type { Write } from "@rumi/store";
import { transitionEvent } from "../bots/operations.ts";
import { updateBot, type BotRow } from "../bots/tables.ts";
import { updateInstance, type InstanceRow } from "../instances/tables.ts";
import type { Sql } from "../shared/sql.ts";

export function quarantineWrites(
  sql: Sql,
  bot: BotRow,
  instances: readonly InstanceRow[],
  reason_code: string,
  now: number,
): { readonly writes: readonly Write[]; readonly events: readonly EventDraft[] } {
  const open = instances.filter((one) => one.desired !== "stopped");
  const stop = { desired: "stopped", desired_since: now, stop_reason: reason_code, next: null } as const;
  return {
    writes: [
      updateBot(sql, bot, { state: "QUARANTINED", state_reason: reason_code, state_since: now }, now),
      ...open.map((one) => updateInstance(sql, one, stop, now)),
    ],
    events: [transitionEvent(bot.bot_id, bot.state, "QUARANTINED", bot.generation, null, reason_code)],
  };
}
