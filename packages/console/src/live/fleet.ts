/**
 * Keeps the list of bots current without reading all of it for each change: in a large fleet only what changed is read.
 */
import type { QueryClient } from "@tanstack/react-query";
import type { Bot } from "../answers/answers.ts";
import type { Api } from "../api.ts";
import type { LiveEvent } from "./sse.ts";

/** Up to here the whole list is one or two requests. */
export const SMALL_FLEET = 400;
/** More changes at once than this are read as a whole. */
const ONE_BY_ONE = 25;

/** The bot that an event of the feed is about; null where it is about none. */
export function botOf({ kind, data }: LiveEvent): string | null {
  const named = data["bot_id"];
  if (typeof named === "string") return named;
  const id = data["resource_id"];
  return kind.startsWith("bot.") && typeof id === "string" ? id : null;
}

/** `fresh` in its place by id, in a list that is in the order of ids. */
export function withBots(all: readonly Bot[], fresh: readonly Bot[]): readonly Bot[] {
  const byId = new Map(fresh.map((bot) => [bot.bot_id, bot]));
  const kept = all.map((bot) => {
    const newer = byId.get(bot.bot_id);
    byId.delete(bot.bot_id);
    return newer ?? bot;
  });
  if (byId.size === 0) return kept;
  return [...kept, ...byId.values()].toSorted((a, b) => (a.bot_id < b.bot_id ? -1 : 1));
}

/** The same objects where nothing changed, so that only rows that changed are drawn again. */
export function keepingSame(before: readonly Bot[] | undefined, now: readonly Bot[]): readonly Bot[] {
  if (before === undefined) return now;
  const known = new Map(before.map((bot) => [bot.bot_id, bot]));
  return now.map((bot) => {
    const old = known.get(bot.bot_id);
    return old !== undefined && isSame(old, bot) ? old : bot;
  });
}

function isSame(a: Bot, b: Bot): boolean {
  return (
    a.generation === b.generation &&
    a.state === b.state &&
    a.display_name === b.display_name &&
    a.status.since === b.status.since &&
    a.status.reason === b.status.reason &&
    a.status.mode === b.status.mode &&
    a.status.run_id === b.status.run_id &&
    JSON.stringify(a.labels) === JSON.stringify(b.labels)
  );
}

export async function refreshBots(queries: QueryClient, api: Api, changed: ReadonlySet<string>): Promise<void> {
  const known = queries.getQueryData<readonly Bot[]>(["bots"]);
  if (known === undefined || known.length <= SMALL_FLEET || changed.size === 0 || changed.size > ONE_BY_ONE) {
    await queries.invalidateQueries({ queryKey: ["bots"] });
    return;
  }
  const read = await Promise.allSettled([...changed].map((id) => api.bot(id)));
  const fresh = read.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  queries.setQueryData<readonly Bot[]>(["bots"], (before) => (before === undefined ? before : withBots(before, fresh)));
  // What cannot be read by itself may be gone.
  if (fresh.length < changed.size) await queries.invalidateQueries({ queryKey: ["bots"] });
}
