/** What a version says for itself before it is deployed: its changelog and its certificate. */
import type { Failure, Micros, Result } from "@rumi/kernel";
import type { InstanceMode } from "@rumi/runtime";
import type { Reader } from "@rumi/store";
import { nextVersion, type BotSpec } from "../bots/model.ts";
import { specOf, type BotRow } from "../bots/tables.ts";
import { lookAtChangelog, lookAtWished } from "../changelog/look.ts";
import type { Sql } from "../shared/sql.ts";
import { releaseCheck, type ReleaseCheck } from "./standing.ts";

export type Words = { readonly changelog: Result<null, Failure>; readonly release: ReleaseCheck };
type Moment = { readonly mode: InstanceMode; readonly now: Micros };

/** Of the version that a bot has. */
export async function lookAtOwn(reader: Reader, sql: Sql, bot: BotRow, moment: Moment): Promise<Words> {
  const { judged, text } = await lookAtChangelog(reader, sql, bot);
  const release = { bot_id: bot.bot_id, version: bot.version, spec: specOf(bot), changelog: text };
  return { changelog: judged, release: await releaseCheck(reader, sql, release, moment) };
}

/** Of the version that an update or another configuration would make of it. */
export async function lookAtPlanned(
  reader: Reader,
  sql: Sql,
  bot: BotRow,
  { spec, reason, ...moment }: Moment & { readonly spec: BotSpec; readonly reason: string },
): Promise<Words> {
  const { judged, text } = await lookAtWished(reader, sql, bot, { spec, reason });
  const version = nextVersion(bot.version, specOf(bot), spec);
  const release = { bot_id: bot.bot_id, version, spec, changelog: text };
  return { changelog: judged, release: await releaseCheck(reader, sql, release, moment) };
}
