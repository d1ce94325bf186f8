/**
 * A lock ends what runs in its scope: every such bot goes to QUARANTINED by the cause `safety`, and its instances stop.
 *
 * Level-triggered: whatever runs under a lock when a round looks is ended, however it came to run.
 */
import type { Clock } from "@rumi/kernel";
import type { Reconciler } from "@rumi/platform";
import type { Store } from "@rumi/store";
import type { BotRow, BotTables } from "../bots/tables.ts";
import { readInstances } from "../instances/tables.ts";
import { killTarget } from "../kill-switch/guard.ts";
import { quarantineWrites } from "../lifecycle/quarantine.ts";
import { mayMove } from "../lifecycle/states.ts";
import type { RunnerHub } from "../runners/hub.ts";
import { holdOn } from "./model.ts";
import { readHolds, type HoldRow } from "./tables.ts";

const SYSTEM = "system:locks";
const STOPPED_BY_LOCK = "LOCKED";

export type LockDeps = { readonly store: Store; readonly clock: Clock; readonly hub: Pick<RunnerHub, "recorder"> };

export function lockReconciler({ store, clock, hub }: LockDeps): Reconciler {
  return {
    name: "locks",
    run: async () => {
      const locks = (await readHolds(store, store)).filter(({ kind }) => kind === "lock");
      if (locks.length === 0) return;
      const moving = await store.rows<BotRow>(
        store
          .builder<BotTables>()
          .selectFrom("bot")
          .selectAll()
          .where("state", "in", ["RUNNING_PAPER", "RUNNING_SHADOW", "RUNNING_LIVE", "PAUSED", "ERROR"]),
      );
      for (const bot of moving) {
        const lock = holdOn(locks, killTarget(bot));
        if (lock !== undefined && mayMove("safety", bot.state, "QUARANTINED")) await end(bot, lock);
      }
    },
  };

  async function end(bot: BotRow, { hold_id, reason }: HoldRow): Promise<void> {
    const now = clock.now();
    const { writes, events } = quarantineWrites(
      store,
      bot,
      await readInstances(store, store, bot.bot_id),
      STOPPED_BY_LOCK,
      now,
    );
    // A conflict means that it moved meanwhile: the next round looks again.
    await hub.recorder.commit(SYSTEM, writes, events, {
      reason: `lock ${hold_id}: ${reason}`.slice(0, 1_024),
      run_id: bot.run_id,
    });
  }
}
