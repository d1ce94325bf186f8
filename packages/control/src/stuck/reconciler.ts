/** Says of every bot whether it is stuck, and has the evidence of each time collected once (G-10.1). */
import { uuidv7, type Clock, type Random } from "@rumi/kernel";
import type { Reconciler } from "@rumi/platform";
import type { Store, Write } from "@rumi/store";
import type { LadderRow, LadderTables } from "../attestation/tables.ts";
import { conditionWrite, readConditions, updateBot, type BotRow, type BotTables } from "../bots/tables.ts";
import { changedConditions, conditionEvent } from "../instances/observe.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import type { RunnerHub } from "../runners/hub.ts";
import { requestedBundle } from "../support-bundles/operations.ts";
import { insertBundle, readOccasion } from "../support-bundles/tables.ts";
import { isStuck, stuckCondition, stuckOccasion, unstuckCondition } from "./model.ts";

const SYSTEM = "system:instances";
/** Bots of one round; the others follow in the next, since who was seen drops out. */
const PER_ROUND = 100;

export type StuckDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly hub: Pick<RunnerHub, "recorder">;
};

export function stuckReconciler(deps: StuckDeps): Reconciler {
  return {
    name: "stuck bots",
    run: async () => {
      for (const bot of await candidates(deps)) await sayOf(deps, bot);
    },
  };
}

/** In STOPPING for too long and not said to be stuck, or said to be and in STOPPING no more; bots at rest are not gone through. */
function candidates({ store, clock }: StuckDeps): Promise<readonly BotRow[]> {
  const since = clock.now() - CONTROL_LIMITS.stuck_stopping_ms * 1_000;
  return store.rows<BotRow>(
    store
      .builder<BotTables>()
      .selectFrom("bot")
      .selectAll("bot")
      .leftJoin("bot_condition as said", (on) =>
        on.onRef("said.bot_id", "=", "bot.bot_id").on("said.type", "=", "Stuck").on("said.status", "=", "True"),
      )
      .where((of) =>
        of.or([
          of("bot.state", "=", "STOPPING"),
          of(
            "bot.bot_id",
            "in",
            of.selectFrom("bot_condition").select("bot_id").where("type", "=", "Stuck").where("status", "=", "True"),
          ),
        ]),
      )
      .where((of) =>
        of.or([
          of.and([of("bot.state", "=", "STOPPING"), of("bot.state_since", "<", since), of("said.bot_id", "is", null)]),
          of.and([of("bot.state", "!=", "STOPPING"), of("said.bot_id", "is not", null)]),
          // It left STOPPING and came back between two rounds.
          of.and([of("bot.state_since", ">", since), of("said.bot_id", "is not", null)]),
        ]),
      )
      .orderBy("bot.bot_id")
      .limit(PER_ROUND),
  );
}

async function sayOf({ store, clock, random, hub }: StuckDeps, bot: BotRow): Promise<void> {
  const now = clock.now();
  const conditions = await readConditions(store, store, bot.bot_id);
  const stuck = isStuck(bot, now);
  const wanted = stuck ? stuckCondition(bot, await blockedOf(store, bot.bot_id)) : unstuckCondition(bot);
  const [condition] = changedConditions({ conditions }, [wanted]);
  if (condition === undefined) return;
  const collected = stuck ? await evidence(store, bot, uuidv7(now, random), now) : [];
  await hub.recorder.commit(
    SYSTEM,
    [updateBot(store, bot, {}, now), conditionWrite(store, bot.bot_id, condition, now), ...collected],
    [conditionEvent({ bot, conditions }, condition)],
  );
}

async function evidence(store: Store, bot: BotRow, bundle_id: string, now: number): Promise<readonly Write[]> {
  const occasion = stuckOccasion(bot);
  if ((await readOccasion(store, store, occasion)) !== undefined) return [];
  const row = requestedBundle({
    bundle_id,
    bot_id: bot.bot_id,
    description: "a stop that cannot be proven",
    reason: "STOPPING_TOO_LONG",
    requested_by: SYSTEM,
    trace_id: bundle_id,
    occasion,
    created_at: now,
  });
  return [insertBundle(store, row)];
}

function blockedOf(store: Store, bot_id: string): Promise<readonly LadderRow[]> {
  return store.rows<LadderRow>(
    store
      .builder<LadderTables>()
      .selectFrom("stop_ladder")
      .selectAll()
      .where("bot_id", "=", bot_id)
      .where("attested_at", "is", null)
      .orderBy("run_id", "desc")
      .limit(16),
  );
}
