/** Bugs that are planted into the store's batches, or once, in the middle of a run. */
import type { Batch } from "@rumi/store";
import { type Bug, dropAudit, forgetGate, forgetOutcome, widenBulk } from "./bugs.ts";
import type { SimControl } from "./parts/control.ts";

export function plantOf(bug: Bug | undefined, bots: readonly string[]): ((batch: Batch) => Batch) | undefined {
  if (bug === "drop_audit") return dropAudit();
  if (bug === "forget_outcome") return forgetOutcome;
  if (bug === "forget_gate") return forgetGate;
  return bug === "widen_bulk" ? widenBulk(bots) : undefined;
}

export async function plantLate(bug: Bug | undefined, control: SimControl, bot_id: string): Promise<void> {
  if (bug === "edit_log") await editLog(control);
  if (bug === "live_by_itself") await goLive(control, bot_id);
}

async function editLog({ real }: SimControl): Promise<void> {
  await real.commit({
    writes: [{ sql: "UPDATE log_payload SET payload = payload || ' ' WHERE idx = 1", parameters: [], expect: 1 }],
    events: [],
  });
}

async function goLive({ real, control, process }: SimControl, bot_id: string): Promise<void> {
  const [bot] = await real.rows<{ state: string; generation: number }>({
    sql: "SELECT state, generation FROM bot WHERE bot_id = ?",
    parameters: [bot_id],
  });
  const rogue = control.hub.recorder.commit(
    "system:instances",
    [{ sql: "UPDATE bot SET state = 'RUNNING_LIVE' WHERE bot_id = ?", parameters: [bot_id], expect: 1 }],
    [
      {
        action: "bot.state.transition",
        resource_type: "bot",
        resource_id: bot_id,
        outcome: "SUCCESS",
        details: {
          from: bot?.state ?? null,
          to: "RUNNING_LIVE",
          generation: bot?.generation ?? 1,
          command_id: null,
          reason_code: "RESUMED",
        },
      },
    ],
  );
  rogue.catch((error: unknown) => process.world.note("planted", String(error)));
}
