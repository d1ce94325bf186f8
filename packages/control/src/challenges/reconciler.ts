/** Says of every challenge whose time has passed that it has expired: nobody has to ask, and the log tells. */
import type { Clock, Random } from "@rumi/kernel";
import { rehearsedAction } from "@rumi/operations";
import { systemEvent, type Reconciler } from "@rumi/platform";
import type { Store } from "@rumi/store";
import { CONTROL_LIMITS } from "../limits.ts";
import { challengeEvent } from "./told.ts";
import { OPEN_STATES } from "./states.ts";
import { updateChallenge, type ChallengeRow, type ChallengeTables } from "./tables.ts";

type Deps = { readonly store: Store; readonly clock: Clock; readonly random: Random };

export function challengeReconciler(deps: Deps): Reconciler {
  const { store, clock } = deps;
  return {
    name: "challenges",
    run: async () => {
      const now = clock.now();
      const due = await store.rows<ChallengeRow>(
        store
          .builder<ChallengeTables>()
          .selectFrom("challenge")
          .selectAll()
          .where("state", "in", [...OPEN_STATES])
          .where("deadline", "<=", now)
          .orderBy("deadline")
          .limit(CONTROL_LIMITS.challenges_expired_per_round),
      );
      for (const row of due) {
        const told = challengeEvent("expire", row);
        const draft =
          row.training === 1
            ? { ...told, action: rehearsedAction(told.action), details: { ...told.details, training: true } }
            : told;
        // Whoever settled it meanwhile was first; a log that cannot be written is tried again in the next round.
        await store.commit({
          writes: [updateChallenge(store, row, { state: "EXPIRED", settled_at: now, settled_by: "system:challenges" })],
          events: [
            systemEvent({ ...deps, actor: "system:challenges" }, draft, {
              trace_id: row.trace_id,
              request_id: row.command_id,
              ...(row.run_id === null ? {} : { run_id: row.run_id }),
            }),
          ],
        });
      }
    },
  };
}
