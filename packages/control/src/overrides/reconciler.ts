/** Says of every override whose time is over that it is: it ended by itself, and the log tells. */
import type { Clock } from "@rumi/kernel";
import type { Reconciler } from "@rumi/platform";
import type { Store } from "@rumi/store";
import type { RunnerHub } from "../runners/hub.ts";
import { EXPIRED_BY, overrideEvent } from "./model.ts";
import { endOverride, readOpen } from "./tables.ts";

type Deps = { readonly store: Store; readonly clock: Clock; readonly hub: Pick<RunnerHub, "recorder"> };

export function overrideReconciler({ store, clock, hub }: Deps): Reconciler {
  return {
    name: "overrides",
    run: async () => {
      const now = clock.now();
      const over = (await readOpen(store, store)).filter(({ ends_at }) => ends_at <= now);
      for (const row of over)
        // A conflict means that somebody ended it first; a log that cannot be written is tried again in the next round.
        await hub.recorder.commit(
          EXPIRED_BY,
          [endOverride(store, row.override_id, EXPIRED_BY, now)],
          [overrideEvent("expired", row)],
          { reason: row.reason, run_id: null },
        );
    },
  };
}
