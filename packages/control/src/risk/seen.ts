/** What a runner's report says to the stop conditions of its bot, over all of the bot's instances. Pure. */
import type { InstanceStatus, JournalEntry, StopConditions } from "@rumi/runtime";
import type { Facts, Observation } from "../instances/observe.ts";
import { isShadow } from "../instances/shards.ts";
import { statusOf } from "../instances/view.ts";
import { jsonOf } from "../shared/sql.ts";
import { judgeEntries, judgeStatuses, type Watched } from "./stops.ts";
import type { Seen, StopRow } from "./stop-tables.ts";

/** A shadow hands nothing to a venue: what it would have lost is nobody's loss. */
export function seenOf({ instance, others, stops }: Facts, status: InstanceStatus): Pick<Observation, "seen"> {
  if (stops === undefined || isShadow(instance)) return {};
  const beside = others.flatMap((one) => {
    const newest = isShadow(one) ? null : statusOf(one);
    return newest === null || newest.run_id !== one.run_id ? [] : [newest];
  });
  return { seen: judgeStatuses(watchedOf(stops), conditionsOf(stops), [status, ...beside]) };
}

/** Entries of one of its runs that were not seen before. */
export const seenIn = (stops: StopRow, entries: readonly JournalEntry[]): Seen =>
  judgeEntries(watchedOf(stops), conditionsOf(stops), entries);

const watchedOf = ({ watched }: StopRow): Watched => jsonOf<Watched>(watched);
const conditionsOf = ({ conditions }: StopRow): StopConditions => jsonOf<StopConditions>(conditions);
