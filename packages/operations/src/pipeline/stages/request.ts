/** The command becomes durable with its audit event, or turns out to be known already. */
import { failure } from "@rumi/kernel";
import { findKey, type OperationKeyRow } from "@rumi/store";
import { auditEvent, commandDraft, PIPELINE_EVENTS } from "../../audit.ts";
import type { StoredRequest } from "../../stored-request.ts";
import { auditFailure } from "../audit-failure.ts";
import { claimNow } from "../claim.ts";
import { replay } from "../replay.ts";
import { stillRunning } from "../still-running.ts";
import { type PipelineContext, type Run, type Stage, type StageEnd, type Unclaimed, refuse, unlogged } from "../run.ts";

export const request: Stage = {
  name: "request",
  run: async (run, context) => {
    if (run.dry_run) return undefined;
    const { command_id: key, operation } = run;
    const busy = context.running.get(key);
    if (busy !== undefined) return busy === run.fingerprint ? stillRunning(key) : idReused(key);
    context.running.set(key, run.fingerprint);
    run.holdsRunning = true; // the engine takes it off again
    run.attempts = 1;
    const unclaimed = askedFor(run, context);
    if (operation.definition.claimed === "with_outcome") {
      const row = run.key_is_new ? undefined : await findKey(context.store, context.store, key);
      if (row !== undefined) return known(row, run, context);
      run.unclaimed = unclaimed;
      return undefined;
    }
    const committed = await claimNow(run, unclaimed, context);
    if (committed.ok) return undefined;
    if (committed.error.kind === "failed")
      return unlogged(run, auditFailure(committed.error.failure, operation.definition.name));
    const row = await findKey(context.store, context.store, key);
    return row === undefined ? stillRunning(key) : known(row, run, context);
  },
};

function askedFor(run: Run, context: PipelineContext): Unclaimed {
  const at = context.now();
  const draft = commandDraft(PIPELINE_EVENTS.requested, run.target, "SUCCESS", {
    operation: run.operation.definition.name,
    remote: run.request.remote,
  });
  return { requested: auditEvent(draft, run.frame, context.newId(), at), at };
}

/** The row exists: another run of it here or elsewhere, a finished one, or somebody else's request. */
async function known(row: OperationKeyRow, run: Run, context: PipelineContext): Promise<StageEnd> {
  if (row.fingerprint !== run.fingerprint || row.actor !== run.principal.id) return idReused(row.key);
  if (row.state !== "requested") return { kind: "answer", answer: await replay(row, run, context) };
  const owner = row.recovery_point === null ? "" : (JSON.parse(row.recovery_point) as StoredRequest).owner;
  // Mine and not running: an earlier run of it failed inside. Somebody else's: `recover()` decides.
  return owner === context.owner ? { kind: "take_over", row } : stillRunning(row.key);
}

/** Audited as denied, but never an answer of the command that owns the id. */
export function idReused(command_id: string): StageEnd {
  return refuse(failure("RUMI-CMD-002", { command_id }, { reasonCode: "COMMAND_ID_REUSED" }));
}
