/** The changelog that a bot's version is judged by: its own, or that of the version which it only rewords. */
import { ok, type Failure, type Result } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import { nextVersion, type BotSpec } from "../bots/model.ts";
import { specOf, type BotRow } from "../bots/tables.ts";
import type { Sql } from "../shared/sql.ts";
import { judgeChangelog } from "./model.ts";
import { readTold, type ToldVersion } from "./tables.ts";

/** Who puts back what ran before: its changelog was judged when it was new. */
const PUT_BACK_BY = "system:instances";

/** Of the version that a bot has: the text, and how it is judged. */
export type Told = {
  readonly version: string;
  readonly text: string;
  readonly judged: Result<null, Failure>;
};

type Of = Pick<BotRow, "bot_id" | "version" | "spec">;

export async function lookAtChangelog(reader: Reader, sql: Sql, bot: Of): Promise<Told> {
  const [told, before] = await readTold(reader, sql, bot.bot_id, 2);
  const version = told?.version ?? bot.version;
  if (told?.created_by === PUT_BACK_BY && told.text === null) return { version, text: told.reason, judged: ok(null) };
  return toldOf(bot.bot_id, specOf(bot), { version, text: textOf(told), before });
}

/** Of a version that is wished for, for this reason: a rewording needs none of its own. */
export async function lookAtWished(
  reader: Reader,
  sql: Sql,
  bot: Of,
  { spec, reason }: { readonly spec: BotSpec; readonly reason: string },
): Promise<Told> {
  const version = nextVersion(bot.version, specOf(bot), spec);
  if (!version.endsWith(".0")) return lookAtChangelog(reader, sql, bot);
  const [before] = await readTold(reader, sql, bot.bot_id, 1);
  return toldOf(bot.bot_id, spec, { version, text: reason, before });
}

export function toldOf(
  bot_id: string,
  { strategy }: Pick<BotSpec, "strategy">,
  {
    version,
    text,
    before,
  }: { readonly version: string; readonly text: string; readonly before: ToldVersion | undefined },
): Told {
  const names = [bot_id, strategy.strategy_id, strategy.pack_id, strategy.digest];
  const previous = before === undefined ? undefined : textOf(before);
  return { version, text, judged: judgeChangelog(bot_id, { text, previous, names }) };
}

export const textOf = (told: ToldVersion | undefined): string => told?.text ?? told?.reason ?? "";
