/**
 * What a command would do: every guard is asked, and the decision is made and thrown away. Nothing is written
 * but the audit event that somebody tried, and what a guardrail keeps of that.
 */
import { failure } from "@rumi/kernel";
import { type Answer, refused } from "../answer.ts";
import { auditEvent, commandDraft, PIPELINE_EVENTS } from "../audit.ts";
import type { Write } from "@rumi/store";
import { auditFailure } from "./audit-failure.ts";
import { guardrailContext } from "./guard-context.ts";
import { JUDGEMENT } from "./order.ts";
import type { PipelineContext, Run } from "./run.ts";
import { decide } from "./stages/decide.ts";
import { trial } from "./trial.ts";

export async function answerDryRun(run: Run, context: PipelineContext): Promise<Answer> {
  const { definition } = run.operation;
  let refusals: Awaited<ReturnType<typeof trial>> = [];
  let left: Left = { told: {}, writes: [] };
  try {
    await context.store.snapshot(async (reader) => {
      run.reader = reader;
      refusals = await trial([...JUDGEMENT, decide], run, context);
      left = await leftBehind(run, refusals, context);
    });
  } catch (error) {
    return {
      ...refused(failure("RUMI-SYS-001", { trace_id: run.frame.trace_id }, { cause: error })),
      command_id: null,
      duplicate_suppressed: false,
    };
  }
  const would =
    refusals.length === 0
      ? "apply"
      : refusals.every(({ error_code }) => error_code === "RUMI-CMD-004")
        ? "challenge"
        : "refuse";
  const draft = commandDraft(PIPELINE_EVENTS.dryRun, run.target, "SUCCESS", {
    operation: definition.name,
    dry_run: true,
    would: { verdict: would },
    refused_by: refusals.map(({ stage }) => stage),
  });
  const committed = await context.store.commit({
    writes: left.writes,
    events: [auditEvent(draft, run.frame, context.newId(), context.now())],
  });
  if (!committed.ok) {
    const why = auditFailure(committed.error.kind === "failed" ? committed.error.failure : undefined, definition.name);
    return { ...refused(why), command_id: null, duplicate_suppressed: false };
  }
  const preview = definition.preview?.(run.facts, run.input) ?? {};
  return {
    kind: "done",
    status: 200,
    data: { dry_run: true, would, refusals, preview, ...left.told },
    command_id: null,
    duplicate_suppressed: false,
  };
}

type Left = { readonly told: Readonly<Record<string, unknown>>; readonly writes: readonly Write[] };

/** What guardrails tell of it and keep; of a tightening, which passes them, nothing. */
async function leftBehind(
  run: Run,
  refusals: Awaited<ReturnType<typeof trial>>,
  context: PipelineContext,
): Promise<Left> {
  let left: Left = { told: {}, writes: [] };
  if (run.risk === "tighten") return left;
  for (const { dryRan } of context.guards.guardrails) {
    const one = await dryRan?.(run.reader, guardrailContext(run, context), refusals);
    if (one != null) left = { told: { ...left.told, ...one.told }, writes: [...left.writes, ...one.writes] };
  }
  return left;
}
