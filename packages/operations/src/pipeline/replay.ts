/** The stored answer of a finished command, and the audit event that a duplicate was suppressed. */
import type { OperationKeyRow } from "@rumi/store";
import type { Answer } from "../answer.ts";
import { decodeOutcome, refused } from "../answer.ts";
import { auditEvent, commandDraft, PIPELINE_EVENTS } from "../audit.ts";
import { auditFailure } from "./audit-failure.ts";
import type { PipelineContext, Run } from "./run.ts";

export async function replay(row: OperationKeyRow, run: Run, context: PipelineContext): Promise<Answer> {
  const draft = commandDraft(PIPELINE_EVENTS.duplicateSuppressed, run.target, "SUCCESS", {
    operation: row.operation,
    duplicate_suppressed: true,
    original_trace_id: row.trace_id,
  });
  const committed = await context.store.commit({
    writes: [],
    events: [auditEvent(draft, run.frame, context.newId(), context.now())],
  });
  if (!committed.ok) {
    const failure = auditFailure(
      committed.error.kind === "failed" ? committed.error.failure : undefined,
      row.operation,
    );
    return { ...refused(failure), command_id: row.key, duplicate_suppressed: false };
  }
  return { ...decodeOutcome(row.answer ?? ""), command_id: row.key, duplicate_suppressed: true };
}
