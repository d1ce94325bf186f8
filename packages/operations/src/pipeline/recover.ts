/** Goes on with every command that was accepted and not decided when the program ended. */
import { failure } from "@rumi/kernel";
import { type OperationKeyRow, unfinishedKeys } from "@rumi/store";
import type { Answer } from "../answer.ts";
import type { StoredRequest } from "../keys.ts";
import { PIPELINE_LIMITS } from "../limits.ts";
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
  const rows = await unfinishedKeys(
    context.store,
    context.store,
    PIPELINE_LIMITS.recovered_commands,
  );
  const counts = { found: rows.length, applied: 0, refused: 0, failed: 0 };
  for (const row of rows) {
    if (context.running.has(row.key)) continue;
    context.running.set(row.key, row.fingerprint);
    try {
      const answer = await resume(row, context);
      if (answer === undefined || (answer.kind === "refused" && answer.status >= 500))
        counts.failed += 1;
      else if (answer.kind === "done") counts.applied += 1;
      else counts.refused += 1;
    } finally {
      context.running.delete(row.key);
    }
  }
  if (rows.length > 0) context.logger.info("unfinished commands were resumed", counts);
  return counts;
}

async function resume(row: OperationKeyRow, context: PipelineContext): Promise<Answer | undefined> {
  const operation = context.registry.operations.get(row.operation);
  if (operation === undefined || row.recovery_point === null) {
    context.logger.error(
      "an unfinished command names an operation that this program does not have",
      { command_id: row.key, operation: row.operation },
    );
    return undefined;
  }
  const stored = JSON.parse(row.recovery_point) as StoredRequest;
  const run: Run = newRun(operation, {
    raw: { params: {}, query: {}, body: undefined },
    principal: stored.principal,
    idempotencyKey: row.key,
    trace_id: row.trace_id,
    remote: "recovery",
  });
  const { reason, expires_at } = stored.input;
  Object.assign(run, {
    principal: stored.principal,
    input: stored.input,
    command_id: row.key,
    fingerprint: row.fingerprint,
    target: operation.definition.target(stored.input as never),
    recovery_point: row.recovery_point,
    frame: {
      actor: stored.principal.id,
      reason: typeof reason === "string" ? reason : null,
      approval_id: null,
      expires_at: typeof expires_at === "string" ? expires_at : null,
      trace_id: row.trace_id,
      run_id: stored.run_id,
      request_id: row.key,
      fingerprint: row.fingerprint,
    },
  } satisfies Partial<Run>);
  if (stored.withheld)
    return deny(
      run,
      failure("RUMI-CMD-012", { command_id: row.key }, { reasonCode: "INTERRUPTED" }),
      context,
    );
  return takeOver(run, row, context);
}
