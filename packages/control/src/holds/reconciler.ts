/**
 * A lock ends what runs in its scope: every such bot goes to QUARANTINED by the cause `safety`, and its instances stop.
 *
 * Level-triggered: whatever runs under a lock when a round looks is ended, however it came to run.
 */
import type { Clock } from "@rumi/kernel";
import type { Reconciler } from "@rumi/platform";
import type { Store } from "@rumi/store";
import { transitionEvent } from "../bots/operations.ts";
import { updateBot, type BotRow, type BotTables } from "../bots/tables.ts";
import { readInstances, updateInstance } from "../instances/tables.ts";
import { killTarget } from "../kill-switch/guard.ts";
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
    const open = (await readInstances(store, store, bot.bot_id)).filter((one) => one.desired !== "stopped");
    // A conflict means that it moved meanwhile: the next round looks again.
    await hub.recorder.commit(
      SYSTEM,
      [
        updateBot(store, bot, { state: "QUARANTINED", state_reason: STOPPED_BY_LOCK, state_since: now }, now),
        ...open.map((one) =>
          updateInstance(
            store,
            one,
            { desired: "stopped", desired_since: now, stop_reason: STOPPED_BY_LOCK, next: null },
            now,
          ),
        ),
      ],
      [transitionEvent(bot.bot_id, bot.state, "QUARANTINED", bot.generation, null, STOPPED_BY_LOCK)],
      { reason: `lock ${hold_id}: ${reason}`.slice(0, 1_024), run_id: bot.run_id },
    );
  }
}
