/**
 * What a restored home has to say and to do before anything else happens in it.
 *
 * How to think: the world went on after the backup was made. Whoever held a lease may still act under epochs that this home
 * has never seen, so its own begin far above them. No journal came with the backup, so what ran is not gone on with but begun
 * anew. And an incident for everybody holds every start, also one that was under way in the backup, until a person has looked
 * and lifts it by a confirmed act. Stopping and tightening pass it, as every hold.
 *
 * Invariant (packages/rumi/test/recovery.e2e.test.ts): nothing starts by itself after a restore.
 */
import { uuidv7, type Clock, type Random } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import { systemEvent } from "@rumi/platform";
import { write, type LeaseTables, type Write } from "@rumi/store";
import { holdsChanged, insertHold, type HoldRow } from "../holds/tables.ts";
import { holdView } from "../holds/model.ts";
import type { InstanceTables } from "../instances/tables.ts";
import type { Sql } from "../shared/sql.ts";

/** More epochs than an instance can have used since the backup. */
export const EPOCHS_AHEAD = 1_000_000;
const ACTOR = "system:restore";

export type RestoredFrom = {
  readonly home_id: string;
  readonly environment: string;
  readonly layout_version: number;
  /** Of the restored home's log. */
  readonly origin: string;
  /** The last signed head of the log that it continues. */
  readonly old_checkpoint: string;
  /** The backup's name. */
  readonly backup: string;
};

/** To be committed at once, as the first thing after the old log's last entry. */
export function restored(
  sql: Sql,
  from: RestoredFrom,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): { readonly writes: readonly Write[]; readonly events: readonly LedgerEvent[] } {
  const now = clock.now();
  const { home_id, environment, layout_version, origin, old_checkpoint, backup } = from;
  const reason = `restored from ${backup}: look at venues and bots, then lift this`.slice(0, 1_024);
  const hold: HoldRow = {
    hold_id: uuidv7(now, random),
    kind: "incident",
    scope: "all",
    id: "",
    reason,
    set_by: ACTOR,
    set_at: now,
    ends_at: null,
    lifted_at: null,
    lifted_by: null,
  };
  const by = { clock, random, actor: ACTOR };
  const db = sql.builder<LeaseTables & InstanceTables>();
  return {
    writes: [
      write(
        db.updateTable("lease").set((of) => ({
          holder: null,
          epoch: of("max_epoch", "+", EPOCHS_AHEAD),
          max_epoch: of("max_epoch", "+", EPOCHS_AHEAD),
          expires_at: 0,
        })),
        "any",
      ),
      write(db.updateTable("instance").set({ starts: 0 }), "any"),
      holdsChanged(sql),
      insertHold(sql, hold),
    ],
    events: [
      systemEvent(by, {
        action: "home.restored",
        resource_type: "home",
        resource_id: home_id,
        outcome: "SUCCESS",
        details: { environment, layout_version, origin, old_checkpoint, backup },
      }),
      systemEvent(
        by,
        {
          action: "incident.enabled",
          resource_type: "hold",
          resource_id: hold.hold_id,
          outcome: "SUCCESS",
          details: { hold_id: hold.hold_id, scope: holdView(hold, now).scope, ends_at: null },
        },
        { reason },
      ),
    ],
  };
}
