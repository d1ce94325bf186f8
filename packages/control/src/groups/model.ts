/**
 * Who may join a group or leave it. Pure.
 *
 * How to think: what restrains a group (kill switch, hold) restrains its bots, so leaving it can set a bot free and is
 * judged as raising risk, under whatever holds the bot now. A bot joins from no group, and only while nothing of it runs:
 * its runner goes by the group that the bot was started with.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { nextVersion, type BotSpec } from "../bots/model.ts";
import { specOf, type BotRow } from "../bots/tables.ts";
import type { InstanceRow } from "../instances/tables.ts";

export type Member = { readonly bot: BotRow; readonly instances: readonly InstanceRow[] };
export type Change = "add" | "remove";

/** The bot's row as another generation of itself, or why it stays where it is; undefined where it is so already. */
export function judgeChange(
  { bot, instances }: Member,
  group_id: string,
  change: Change,
): Result<BotRow | undefined, Failure> {
  const { bot_id } = bot;
  const before = specOf(bot);
  if (change === "add" && before.group_id === group_id) return ok(undefined);
  if (change === "add" && before.group_id !== undefined)
    return err(failure("RUMI-BOT-071", { bot_id, group_id: before.group_id }));
  if (change === "remove" && before.group_id !== group_id) return err(failure("RUMI-BOT-072", { bot_id, group_id }));
  if (!standsStill(bot, instances))
    return err(failure("RUMI-BOT-073", { bot_id, state: bot.state, act: `to ${change} it` }));
  const { group_id: _, ...alone } = before;
  const after: BotSpec = change === "add" ? { ...alone, group_id } : alone;
  const generation = bot.generation + 1;
  return ok({
    ...bot,
    spec: JSON.stringify(after),
    generation,
    observed_generation: generation,
    version: nextVersion(bot.version, before, after),
  });
}

/** Nothing of it runs, or may come to run by itself. */
export function standsStill(bot: Pick<BotRow, "state">, instances: readonly InstanceRow[]): boolean {
  const isOver = instances.every(({ desired, holder }) => desired === "stopped" && holder === null);
  return (bot.state === "IDLE" || bot.state === "ERROR") && isOver;
}
