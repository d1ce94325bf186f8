/**
 * Goes on with every command that was accepted and not decided when the program ended.
 *
 * Invariant: after it, every such command has a final answer or a run that failed inside and is counted; one
 * that cannot be carried out any more (its secret is gone, its operation too, its form is another now) ends
 * as interrupted (recovery.test.ts).
 */
import { authorise } from "./stages/authorise.ts";
import { type Failure, failure } from "@rumi/kernel";
import { finishKey, type OperationKeyRow, unfinishedKeys } from "@rumi/store";
import { type Answer, encodeOutcome, refused } from "../answer.ts";
import { auditEvent, commandDraft, denialDetails, type EventFrame, PIPELINE_EVENTS } from "../audit.ts";
import type { StoredRequest } from "../stored-request.ts";
import { PIPELINE_LIMITS } from "../limits.ts";
import { causeChain } from "../logging.ts";
import { NO_INPUT } from "../validate/raw-input.ts";
import { deny, takeOver } from "./engine.ts";
import { newRun } from "./new-run.ts";
import type { PipelineContext, Run } from "./run.ts";

export type Recovery = {
  readonly found: number;
  readonly applied: number;
  readonly refused: number;
  readonly failed: number;
};

/** Call once at start, before requests are taken; safe to call again. */
export async function recover(context: PipelineContext): Promise<Recovery> {
  const { store, running, logger } = context;
  const rows = await unfinishedKeys(store, store, PIPELINE_LIMITS.recovered_commands);
  const counts = { found: rows.length, applied: 0, refused: 0, failed: 0 };
  for (const row of rows) {
    if (running.has(row.key)) continue;
    running.set(row.key, row.fingerprint);
    try {
      counts[await resume(row, context)] += 1;
    } catch (error) {
      counts.failed += 1; // one command must not keep the program from starting
      logger.error("an unfinished command could not be resumed", {
        command_id: row.key,
        causes: causeChain(error),
      });
    } finally {
      running.delete(row.key);
    }
  }
  if (rows.length > 0) logger.info("unfinished commands were resumed", counts);
  return counts;
}

async function resume(row: OperationKeyRow, context: PipelineContext): Promise<"applied" | "refused" | "failed"> {
  if (row.recovery_point === null) return "failed";
  const stored = JSON.parse(row.recovery_point) as StoredRequest;
  const frame = frameOf(row, stored);
  const interrupted = failure("RUMI-CMD-012", { command_id: row.key }, { reasonCode: "INTERRUPTED" });
  const operation = context.registry.operations.get(row.operation);
  if (operation === undefined) return endUnknown(row, row.recovery_point, frame, interrupted, context);
  const run: Run = {
    ...newRun(operation, {
      raw: NO_INPUT,
      principal: stored.principal,
      idempotencyKey: row.key,
      trace_id: row.trace_id,
      remote: "recovery",
    }),
    principal: stored.principal,
    training: stored.training ?? null,
    input: stored.input,
    command_id: row.key,
    fingerprint: row.fingerprint,
    recovery_point: row.recovery_point,
    frame,
  };
  // A newer program may want another form; an older request is never bent into it.
  if (stored.withheld || !operation.validate(structuredClone(stored.input)).ok)
    return kindOf(await deny(run, interrupted, context));
  run.target = operation.definition.target(stored.input);
  // What policies say against it is asked again: it was only remembered by the run that died.
  const forbidden = await authorise.run(run, context);
  if (forbidden?.kind === "refuse") return kindOf(await deny(run, forbidden.failure, context));
  return kindOf(await takeOver(run, row, context));
}

function kindOf(answer: Answer): "applied" | "refused" | "failed" {
  if (answer.kind === "done") return "applied";
  return answer.status >= 500 ? "failed" : "refused";
}

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

function frameOf(row: OperationKeyRow, { principal, input, run_id, training }: StoredRequest): EventFrame {
  return {
    actor: principal.id,
    reason: text(input["reason"]),
    approval_id: null,
    expires_at: text(input["expires_at"]),
    trace_id: row.trace_id,
    run_id,
    request_id: row.key,
    fingerprint: row.fingerprint,
    ...(training === undefined ? {} : { training: true }),
  };
}

/** Ends a command whose operation this program does not have. */
async function endUnknown(
  row: OperationKeyRow,
  seen: string,
  frame: EventFrame,
  why: Failure,
  context: PipelineContext,
): Promise<"refused" | "failed"> {
  const now = context.now();
  const outcome = refused(why);
  const target = { resource_type: "operation", resource_id: row.operation };
  const draft = commandDraft(PIPELINE_EVENTS.denied, target, "REJECTED", {
    operation: row.operation,
    ...denialDetails(why),
  });
  const committed = await context.store.commit({
    writes: [
      finishKey(context.store, row.key, seen, outcome.status, encodeOutcome(context.scrubber.value(outcome)), now),
    ],
    events: [auditEvent(draft, frame, context.newId(), now)],
  });
  return committed.ok ? "refused" : "failed";
}
