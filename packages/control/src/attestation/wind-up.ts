/**
 * A live run that died at its venue, or ended before the venue had spoken, owes the venue's word: its orders may stand there
 * and nobody would take them back (L-N8).
 *
 * How to think: another life of the same run is begun under a newer epoch, standing still. It takes no event and wishes
 * nothing; it only knows, from checkpoint and journal, which orders are its own. It is told to stop at once, and a stop
 * cancels them and asks the venue. What came to ERROR is left alone until somebody stops it: a person may want it to go on.
 *
 * Invariants (wind-up.test.ts, explore.test.ts)
 * - No wind-up while another may act under the run's lease, and none of a run whose venue said that it holds nothing of it.
 * - One that fails is tried again, and never oftener than {@link CONTROL_LIMITS.wind_up_every_ms}.
 */
import type { Reader } from "@rumi/store";
import type { BotTables } from "../bots/tables.ts";
import type { InstanceRow, InstanceTables } from "../instances/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import type { Sql } from "../shared/sql.ts";
import { openOutside, ownStatus } from "./facts.ts";
import type { LadderTables } from "./tables.ts";

/** Whether its stop lacks the venue's word. */
export function lacksWord(instance: InstanceRow): boolean {
  const { mode, desired, epoch } = instance;
  return mode === "live" && desired === "stopped" && epoch > 0 && openOutside(ownStatus(instance)) !== 0;
}

/** Whether it is time to get it; `now` in microseconds. */
export function owesWord(instance: InstanceRow, now: number): boolean {
  const { holder, phase, updated_at } = instance;
  if (!lacksWord(instance)) return false;
  return holder !== null || phase === "none" || updated_at + CONTROL_LIMITS.wind_up_every_ms * 1_000 <= now;
}

/** Live runs that nobody holds, whose stop is neither proven nor asserted, of bots that are not left to a person. */
export function readUnheld(reader: Reader, sql: Sql): Promise<readonly InstanceRow[]> {
  return reader.rows<InstanceRow>(
    sql
      .builder<InstanceTables & BotTables & LadderTables>()
      .selectFrom("stop_ladder")
      .innerJoin("instance", "instance.run_id", "stop_ladder.run_id")
      .innerJoin("bot", "bot.bot_id", "instance.bot_id")
      .selectAll("instance")
      .where("stop_ladder.attested_at", "is", null)
      .where("stop_ladder.asserted_by", "is", null)
      .where("stop_ladder.venue", "=", "outside")
      .where("instance.holder", "is", null)
      .where("instance.desired", "=", "stopped")
      .where("bot.state", "!=", "ERROR")
      .orderBy("instance.run_id"),
  );
}
