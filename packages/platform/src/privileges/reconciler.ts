/**
 * Restarts the program when a committed command asked for it.
 *
 * The wish is taken from the outbox before the program is told, so that the next start does not find it again.
 */
import type { Clock } from "@rumi/kernel";
import { dueOf } from "@rumi/operations";
import { doneOutboxWrite, type Store } from "@rumi/store";
import type { Reconciler } from "../packs/reconciler.ts";

export const RESTART_KIND = "program.restart";

export function restartReconciler(deps: {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  readonly restart: () => void;
}): Reconciler {
  return {
    name: "restart",
    run: async () => {
      const [wish] = await dueOf(deps.store, [RESTART_KIND], deps.clock.now(), 1);
      if (wish === undefined) return;
      const taken = await deps.store.commit({ writes: [doneOutboxWrite(deps.store, wish)], events: [] });
      if (taken.ok) deps.restart();
    },
  };
}
