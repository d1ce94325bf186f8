/** The end of the program asked for by its operator (Ctrl-C, `rumi stop`): every bot is stopped, with proof. */
import { millis, type Clock, type Millis } from "@rumi/kernel";
import { transitionEvent } from "../bots/operations.ts";
import { updateBot, type BotRow, type BotTables } from "../bots/tables.ts";
import { readInstances, updateInstance } from "../instances/tables.ts";
import type { RunnerHub } from "../runners/hub.ts";
import type { Store } from "@rumi/store";
import { mayMove } from "./states.ts";

export type StopAllDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly hub: RunnerHub;
  readonly reconciler: { run(): Promise<void>; busy(): Promise<void> };
};

/** Ids of bots whose stop was not proven within `grace`. Stopping passes every safety mode. */
export async function stopAllBots(
  { store, clock, hub, reconciler }: StopAllDeps,
  reason: string,
  grace: Millis,
): Promise<readonly string[]> {
  const until = clock.monotonic() + grace;
  for (;;) {
    for (const bot of await botsIn(store, ["RUNNING_PAPER", "RUNNING_SHADOW", "RUNNING_LIVE", "PAUSED"])) {
      if (!mayMove("operator", bot.state, "STOPPING")) continue;
      const now = clock.now();
      const instances = (await readInstances(store, store, bot.bot_id)).filter((one) => one.desired !== "stopped");
      const writes = [
        updateBot(store, bot, { state: "STOPPING", state_reason: "PROGRAM_STOPPING", state_since: now }, now),
        ...instances.map((one) =>
          updateInstance(store, one, { desired: "stopped", desired_since: now, stop_reason: "PROGRAM_STOPPING" }, now),
        ),
      ];
      // A conflict means that the bot moved meanwhile: the next round looks again.
      await hub.recorder.commit(
        "system:program",
        writes,
        [transitionEvent(bot.bot_id, bot.state, "STOPPING", bot.generation, null, "PROGRAM_STOPPING")],
        { reason, run_id: bot.run_id },
      );
    }
    await reconciler.run();
    await reconciler.busy();
    await hub.idle();
    const left = await botsIn(store, ["RUNNING_PAPER", "RUNNING_SHADOW", "RUNNING_LIVE", "PAUSED", "STOPPING"]);
    if (left.length === 0 || clock.monotonic() >= until) return left.map((bot) => bot.bot_id);
    await clock.sleep(millis(25));
  }
}

function botsIn(store: Store, states: readonly BotRow["state"][]): Promise<readonly BotRow[]> {
  return store.rows<BotRow>(
    store.builder<BotTables>().selectFrom("bot").selectAll().where("state", "in", states).orderBy("bot_id"),
  );
}
