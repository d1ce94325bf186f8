/** The command becomes durable with its audit event, or turns out to be known already. */
import { failure } from "@rumi/kernel";
import { claimKey, findKey, type OperationKeyRow } from "@rumi/store";
import { auditEvent, commandDraft, PIPELINE_EVENTS } from "../../audit.ts";
import type { StoredRequest } from "../../stored-request.ts";
import { auditFailure } from "../audit-failure.ts";
import { replay } from "../replay.ts";
import { stillRunning } from "../still-running.ts";
import { type PipelineContext, type Run, type Stage, type StageEnd, refuse, unlogged } from "../run.ts";

export const request: Stage = {
  name: "request",
  run: async (run, context) => {
    if (run.dry_run) return undefined;
    const {
      command_id: key,
      operation: { definition },
    } = run;
    const busy = context.running.get(key);
    if (busy !== undefined) return busy === run.fingerprint ? stillRunning(key) : idReused(key);
    context.running.set(key, run.fingerprint);
    run.holdsRunning = true; // the engine takes it off again
    run.recovery_point = JSON.stringify(storedRequest(run, context));
    run.attempts = 1;
    const now = context.now();
    const draft = commandDraft(PIPELINE_EVENTS.requested, run.target, "SUCCESS", {
      operation: definition.name,
      remote: run.request.remote,
    });
    const committed = await context.store.commit({
      writes: [
        claimKey(
          context.store,
          {
            key,
            operation: definition.name,
            fingerprint: run.fingerprint,
            actor: run.principal.id,
            trace_id: run.frame.trace_id,
          },
          run.recovery_point,
          now,
        ),
      ],
      events: [auditEvent(draft, run.frame, context.newId(), now)],
    });
    if (committed.ok) return undefined;
    run.recovery_point = null;
    if (committed.error.kind === "failed") return unlogged(run, auditFailure(committed.error.failure, definition.name));
    const row = await findKey(context.store, context.store, key);
    return row === undefined ? stillRunning(key) : known(row, run, context);
  },
};

/** The row exists: another run of it here or elsewhere, a finished one, or somebody else's request. */
async function known(row: OperationKeyRow, run: Run, context: PipelineContext): Promise<StageEnd> {
  if (row.fingerprint !== run.fingerprint || row.actor !== run.principal.id) return idReused(row.key);
  if (row.state !== "requested") return { kind: "answer", answer: await replay(row, run, context) };
  const owner = row.recovery_point === null ? "" : (JSON.parse(row.recovery_point) as StoredRequest).owner;
  // Mine and not running: an earlier run of it failed inside. Somebody else's: `recover()` decides.
  return owner === context.owner ? { kind: "take_over", row } : stillRunning(row.key);
}

function storedRequest(
  { operation: { definition }, principal, input, frame, training }: Run,
  { owner, scrubber }: PipelineContext,
): StoredRequest {
  const secret = definition.secret_fields ?? [];
  // What holds a stored secret elsewhere is not kept either.
  const kept = Object.entries(input).filter(
    ([name, value]) => !secret.includes(name) && scrubber.value(value) === value,
  );
  return {
    version: 1,
    owner,
    attempts: 1,
    principal,
    input: Object.fromEntries(kept),
    withheld: kept.length < Object.keys(input).length,
    run_id: frame.run_id,
    ...(training === null ? {} : { training }),
  };
}

/** Audited as denied, but never an answer of the command that owns the id. */
export function idReused(command_id: string): StageEnd {
  return refuse(failure("RUMI-CMD-002", { command_id }, { reasonCode: "COMMAND_ID_REUSED" }));
}
