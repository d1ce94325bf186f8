/**
 * Brings people's words on staged intents to the runner that holds the run, until it took them. Level-triggered: told
 * twice a word acts once, because the intent waits no more. What a runner refuses (paused, another lease) goes back to
 * waiting, with the reason beside it.
 *
 * Invariant: a word that no runner answered is told again, to whoever holds the run then (reconciler.test.ts).
 */
import type { Clock } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import type { InstanceSpec } from "@rumi/runtime";
import type { Store } from "@rumi/store";
import { readInstance } from "../instances/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import type { RunnerHub } from "../runners/hub.ts";
import { readStaged, readUndelivered, type StagedRow, updateStaged } from "./tables.ts";

type Deps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly hub: RunnerHub;
  readonly logger: Pick<Logger, "error">;
};

export function stagingReconciler({ store, clock, hub, logger }: Deps): Reconciler {
  const inFlight = new Set<string>();

  const deliver = async (row: StagedRow): Promise<void> => {
    const instance = await readInstance(store, store, row);
    const { decision, run_id } = row;
    if (decision === null) return;
    // A run that is over takes no word any more; its row says so wherever it is shown.
    if (instance === undefined || instance.run_id !== run_id || instance.holder === null) {
      if (instance?.run_id !== run_id || instance.desired === "stopped")
        await settle(row, { state: "voided", reason_code: "M.STAGING.NOT_RUNNING", delivered: 1 });
      return;
    }
    const reply = await hub.ask(instance.holder, {
      type: "staging",
      run_id: run_id as InstanceSpec["run_id"],
      epoch: instance.epoch,
      wish: {
        action: decision,
        idempotency_key: row.idempotency_key,
        actor: row.decided_by ?? "",
        reason: row.decision_reason ?? "",
      },
    });
    if (reply.type === "silence") return;
    await settle(
      row,
      reply.ok
        ? { delivered: 1 }
        : {
            decision: null,
            decided_by: null,
            decided_at: null,
            decision_reason: null,
            failure: JSON.stringify(reply.failure),
          },
    );
  };

  /** Only while it is still the word that was told; the journal may have been faster. */
  const settle = async (told: StagedRow, change: Partial<StagedRow>): Promise<void> => {
    for (let attempt = 0; attempt < CONTROL_LIMITS.conflict_attempts; attempt += 1) {
      const row = await readStaged(store, store, told);
      if (row === undefined || row.state !== "staged" || row.decided_at !== told.decided_at) return;
      const done = await store.commit({ writes: [updateStaged(store, row, change, clock.now())], events: [] });
      if (done.ok) return;
      if (done.error.kind === "failed") throw new Error(done.error.failure.code, { cause: done.error.failure });
    }
  };

  return {
    name: "staging",
    run: async () => {
      for (const row of await readUndelivered(store, store, CONTROL_LIMITS.staged_words_per_round)) {
        const key = `${row.run_id}/${row.idempotency_key}`;
        if (inFlight.has(key)) continue;
        inFlight.add(key);
        void deliver(row)
          .catch((error: unknown) =>
            logger.error("a word on a staged intent could not be told; it is told again", { intent: key, error }),
          )
          .finally(() => inFlight.delete(key));
      }
    },
  };
}
