/**
 * Ends bots whose stop condition tripped: every instance is told to stop, and the bot is in ERROR, where only a person's start
 * after a person's acknowledgement leads out (L-08). Level-triggered from the rows; a restart in between goes on.
 */
import type { Clock } from "@rumi/kernel";
import type { Reconciler } from "@rumi/platform";
import type { Store } from "@rumi/store";
import { transitionEvent } from "../bots/operations.ts";
import { readBot, updateBot } from "../bots/tables.ts";
import { readInstances, updateInstance } from "../instances/tables.ts";
import { mayMove } from "../lifecycle/states.ts";
import type { RunnerHub } from "../runners/hub.ts";
import { feed } from "../shared/sql.ts";
import { readTripped, trippedOf, updateStops, type StopRow } from "./stop-tables.ts";

const SYSTEM = "system:risk";

export type StopDeps = { readonly store: Store; readonly clock: Clock; readonly hub: Pick<RunnerHub, "recorder"> };

export function riskReconciler({ store, clock, hub }: StopDeps): Reconciler {
  const end = async (row: StopRow): Promise<void> => {
    const bot = await readBot(store, store, row.bot_id);
    const tripped = trippedOf(row);
    if (bot === undefined || tripped === null) return;
    const now = clock.now();
    const { reason_code } = tripped;
    const open = (await readInstances(store, store, row.bot_id)).filter(({ desired }) => desired !== "stopped");
    const ends = mayMove("fault", bot.state, "ERROR") && bot.state !== "STOPPING" && bot.state !== "CREATED";
    const move = { state: "ERROR", state_reason: reason_code, state_since: now } as const;
    const stop = { desired: "stopped", desired_since: now, stop_reason: reason_code, next: null } as const;
    // A conflict means that something moved meanwhile: the next round looks again.
    await hub.recorder.commit(
      SYSTEM,
      [
        updateStops(store, row, { acted: 1 }),
        ...open.map((one) => updateInstance(store, one, stop, now)),
        ...(ends
          ? [
              updateBot(store, bot, move, now),
              feed(store, "bot", bot.bot_id, { bot_id: bot.bot_id, state: "ERROR", reason: reason_code }, now),
            ]
          : []),
      ],
      [
        {
          action: "bot.stop_condition.tripped",
          resource_type: "bot",
          resource_id: bot.bot_id,
          outcome: "FAILURE",
          details: { ...tripped, instances: open.map(({ instance_id }) => instance_id) },
        },
        ...(ends ? [transitionEvent(bot.bot_id, bot.state, "ERROR", bot.generation, null, reason_code)] : []),
      ],
      { run_id: bot.run_id },
    );
  };
  return {
    name: "risk",
    run: async () => {
      for (const row of await readTripped(store, store)) await end(row);
    },
  };
}
