/**
 * Walks a command through the stages in their order, and performs what a stage's end asks for.
 *
 * How to think: admission happens once; judgement and actuation happen as often as it takes until one commit
 * holds the whole outcome. Whatever interrupts this leaves either nothing, or a row in state `requested` from
 * which {@link carryOut} goes on.
 */
import { ERROR_CATALOGUE, type Failure, failure, invariant } from "@rumi/kernel";
import { type OperationKeyRow, takeOverKey } from "@rumi/store";
import { type Answer, refused } from "../answer.ts";
import { auditEvent, commandDraft, denialDetails, PIPELINE_EVENTS } from "../audit.ts";
import { feedOfEvents } from "../feed.ts";
import type { StoredRequest } from "../stored-request.ts";
import { PIPELINE_LIMITS } from "../limits.ts";
import { causeChain } from "../logging.ts";
import { auditFailure } from "./audit-failure.ts";
import { claimNow, settlement } from "./claim.ts";
import { confirmationEvents } from "./confirmation.ts";
import { answerDryRun } from "./dry-run.ts";
import { tightenAnyway } from "./emergency.ts";
import { ACTUATION, ADMISSION, JUDGEMENT } from "./order.ts";
import { rehearsed } from "./rehearsal.ts";
import type { PipelineContext, Run, Stage, StageEnd } from "./run.ts";
import { stillRunning } from "./still-running.ts";

export async function admit(run: Run, context: PipelineContext): Promise<Answer> {
  try {
    const end = await walk(ADMISSION, run, context);
    if (run.dry_run && end === undefined) return rehearsed(run, await answerDryRun(run, context));
    if (end?.kind === "take_over") return rehearsed(run, await takeOver(run, end.row, context));
    if (end?.kind === "answer") return end.answer; // as it was, rehearsed or not
    if (end !== undefined) return rehearsed(run, await finish(run, end, context));
    return rehearsed(run, await carryOut(run, context));
  } finally {
    if (run.holdsRunning) context.running.delete(run.command_id);
  }
}

export async function walk(
  stages: readonly Stage[],
  run: Run,
  context: PipelineContext,
): Promise<StageEnd | undefined> {
  for (const stage of stages) {
    context.onStage?.(stage.name, run.command_id === "" ? null : run.command_id);
    const going = stage.run(run, context);
    const end = going instanceof Promise ? await going : going;
    if (end !== undefined) return end;
  }
  return undefined;
}

/** From the durable request to the durable outcome. */
export function carryOut(run: Run, context: PipelineContext): Promise<Answer> {
  if (run.operation.definition.turns === "none") return attempt(run, context);
  return context.turns.take(`${run.target.resource_type} ${run.target.resource_id}`, () => attempt(run, context));
}

async function attempt(run: Run, context: PipelineContext): Promise<Answer> {
  const { name } = run.operation.definition;
  try {
    for (let tried = 0; tried < PIPELINE_LIMITS.conflict_attempts; tried += 1) {
      const judged = await context.store.snapshot((reader) => {
        run.reader = reader;
        return walk(JUDGEMENT, run, context);
      });
      const end = judged ?? (await walk(ACTUATION, run, context));
      if (end !== undefined && end.kind !== "again") return await finish(run, end, context);
      context.metrics
        .counter("rumi_command_conflicts_total", "Commits that had to be decided again.")
        .add({ operation: name });
    }
  } catch (error) {
    return failedInside(run, error, context);
  }
  const attempts = PIPELINE_LIMITS.conflict_attempts;
  return finish(
    run,
    {
      kind: "refuse",
      failure: failure("RUMI-CMD-009", { operation: name, attempts }, { reasonCode: "CONTENDED" }),
    },
    context,
  );
}

/** Another run of a command whose row is in state `requested`; the row counts the runs, so it ends. */
export async function takeOver(run: Run, row: OperationKeyRow, context: PipelineContext): Promise<Answer> {
  const seen = row.recovery_point ?? "";
  const stored = JSON.parse(seen) as StoredRequest;
  run.recovery_point = seen;
  run.attempts = stored.attempts;
  const { training: _, ...frame } = run.frame;
  run.training = stored.training ?? null;
  run.frame = stored.training === undefined ? frame : { ...frame, training: true };
  if (stored.attempts >= PIPELINE_LIMITS.failed_attempts) return giveUp(run, context);
  const next: StoredRequest = { ...stored, owner: context.owner, attempts: stored.attempts + 1 };
  const recovery_point = JSON.stringify(next);
  const now = context.now();
  const resumed = commandDraft(PIPELINE_EVENTS.resumed, run.target, "SUCCESS", {
    operation: row.operation,
  });
  const taken = await context.store.commit({
    writes: [takeOverKey(context.store, row.key, seen, recovery_point, now)],
    events: [auditEvent(resumed, run.frame, context.newId(), now)],
  });
  if (!taken.ok) {
    const { error } = taken;
    return finish(
      run,
      error.kind === "conflict"
        ? stillRunning(row.key)
        : { kind: "turn_away", failure: auditFailure(error.failure, row.operation) },
      context,
    );
  }
  run.recovery_point = recovery_point;
  run.attempts = next.attempts;
  return carryOut(run, context);
}

async function finish(run: Run, end: StageEnd, context: PipelineContext): Promise<Answer> {
  const command_id = run.command_id === "" ? null : run.command_id;
  const extras = run.operation.definition.error_extras?.(run.input) ?? {};
  switch (end.kind) {
    case "answer":
      return end.answer;
    case "turn_away":
      return {
        ...refused(end.failure, extras),
        command_id,
        duplicate_suppressed: false,
        ...(end.retry_after_seconds === undefined ? {} : { retry_after_seconds: end.retry_after_seconds }),
      };
    case "refuse":
      return deny(run, end.failure, context);
    case "challenge":
      return challenged(run, end, context);
    case "emergency":
      return tightenAnyway(run, end.failure, context);
    case "again":
    case "take_over":
      throw new Error(`a stage ended with ${end.kind} where it cannot`);
  }
}

/** A refusal is durable before it is told; where it cannot be, the caller learns that instead. */
export async function deny(run: Run, why: Failure, context: PipelineContext): Promise<Answer> {
  const { definition } = run.operation;
  const outcome = rehearsed(run, refused(why, definition.error_extras?.(run.input) ?? {}));
  const command_id = run.command_id === "" ? null : run.command_id;
  const now = context.now();
  const draft = commandDraft(PIPELINE_EVENTS.denied, run.target, "REJECTED", {
    operation: definition.name,
    ...denialDetails(why),
  });
  const settled = settlement(run, outcome, now, context);
  const committed = await context.store.commit({
    writes: [...settled.writes, ...(run.confirmation === null ? [] : [run.confirmation.redeemed.spend(why.code)])],
    events: [
      ...settled.events,
      ...confirmationEvents(run, PIPELINE_EVENTS.denied, denialDetails(why), context.newId, now),
      auditEvent(draft, run.frame, context.newId(), now),
    ],
  });
  if (committed.ok) return { ...outcome, command_id, duplicate_suppressed: false };
  if (committed.error.kind === "conflict") return finish(run, stillRunning(run.command_id), context);
  return {
    ...refused(auditFailure(committed.error.failure, definition.name)),
    command_id,
    duplicate_suppressed: false,
  };
}

/** The challenge, the event that it was made and the answer that tells of it are durable together. */
async function challenged(
  run: Run,
  { failure: why, opened }: Extract<StageEnd, { readonly kind: "challenge" }>,
  context: PipelineContext,
): Promise<Answer> {
  const { definition } = run.operation;
  const { command_id } = run;
  invariant(run.recovery_point !== null || run.unclaimed !== null, "a challenge for a command without a key");
  const extras = { ...definition.error_extras?.(run.input), challenge: opened.challenge };
  const outcome = rehearsed(run, refused(why, extras));
  const now = context.now();
  const event = auditEvent(opened.event, run.frame, context.newId(), now);
  const settled = settlement(run, outcome, now, context);
  const committed = await context.store.commit({
    writes: [...settled.writes, ...opened.writes, ...feedOfEvents(context, [event])],
    events: [...settled.events, event],
  });
  if (committed.ok) return { ...outcome, command_id, duplicate_suppressed: false };
  if (committed.error.kind === "conflict") return finish(run, stillRunning(command_id), context);
  return {
    ...refused(auditFailure(committed.error.failure, definition.name)),
    command_id,
    duplicate_suppressed: false,
  };
}

/** An exception is a fault of ours: logged with its chain, told as internal, and tried again only so often. */
async function failedInside(run: Run, error: unknown, context: PipelineContext): Promise<Answer> {
  const { name } = run.operation.definition;
  context.logger.error("a command failed inside", {
    operation: name,
    command_id: run.command_id,
    attempts: run.attempts,
    correlation_id: run.frame.trace_id,
    causes: causeChain(error),
  });
  context.metrics.counter("rumi_command_faults_total", "Commands that failed inside.").add({ operation: name });
  if (run.attempts >= PIPELINE_LIMITS.failed_attempts) return giveUp(run, context);
  // That it was asked for is on record all the same, and sent again it is counted.
  const claimed = run.unclaimed === null ? undefined : await claimNow(run, run.unclaimed, context);
  if (claimed?.ok === false)
    context.logger.error("a command that failed inside could not be kept", {
      command_id: run.command_id,
      problem: claimed.error.kind,
    });
  return {
    ...refused(failure("RUMI-SYS-001", { trace_id: run.frame.trace_id })),
    command_id: run.command_id,
    duplicate_suppressed: false,
  };
}

function giveUp(run: Run, context: PipelineContext): Promise<Answer> {
  return deny(
    run,
    failure("RUMI-CMD-010", { command_id: run.command_id, attempts: run.attempts }, { reasonCode: "GAVE_UP" }),
    context,
  );
}

export function outcomeLabel(answer: Answer): string {
  if (answer.duplicate_suppressed) return "duplicate";
  if (answer.training === true) return "rehearsed";
  return answer.kind === "done" ? "applied" : ERROR_CATALOGUE[answer.failure.code].key;
}
