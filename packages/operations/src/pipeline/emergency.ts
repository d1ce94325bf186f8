/**
 * A tightening that the log cannot take works all the same: it is spooled, takes effect, and is carried out as the
 * command that it is once the log can be written again. Nothing else works then.
 *
 * Invariants
 * - Only what shrinks risk by the facts of this moment passes; a loosening, a wish that its own decision refuses, and whoever
 *   lacks the role are refused as ever (packages/control/src/emergency/emergency.test.ts), and so is another wish under an id
 *   that is known (packages/control/src/emergency/return.test.ts).
 * - What is in force already is not spooled, and is told as no more than that: an outcome that no log has would be another
 *   one when the id is sent again (packages/control/src/emergency/return.test.ts).
 */
import { type Failure } from "@rumi/kernel";
import { findKey } from "@rumi/store";
import { type Answer, decodeOutcome, refused } from "../answer.ts";
import { causeChain } from "../logging.ts";
import { actingId } from "./guard-context.ts";
import type { PipelineContext, Run, StageEnd } from "./run.ts";
import { decide } from "./stages/decide.ts";
import { load, notStopped } from "./stages/load.ts";
import { idReused } from "./stages/request.ts";

export async function tightenAnyway(run: Run, why: Failure, context: PipelineContext): Promise<Answer> {
  const { command_id } = run;
  const port = context.guards.emergency;
  const answered = (failure: Failure): Answer => ({ ...refused(failure), command_id, duplicate_suppressed: false });
  const done = (status: number, data: unknown): Answer => ({
    kind: "done",
    status,
    data,
    command_id,
    duplicate_suppressed: false,
  });
  if (run.training !== null) return answered(notStopped(run));
  if (port === null || run.confirmation !== null) return answered(why);
  let known: StageEnd | undefined;
  let judged: StageEnd | undefined;
  try {
    await context.store.snapshot(async (reader) => {
      run.reader = reader;
      known = await knownAlready(run, context);
      judged = await load.run(run, context);
      if (judged === undefined && run.risk === "tighten") judged = await decide.run(run, context);
    });
  } catch (error) {
    // Without facts nobody knows which way it goes.
    context.logger.error("a tightening could not be judged", { command_id, causes: causeChain(error) });
    return answered(why);
  }
  if (known?.kind === "answer") return known.answer;
  if (known?.kind === "refuse") return answered(known.failure);
  if (run.risk !== "tighten") return answered(why);
  if (judged?.kind === "refuse") return answered(judged.failure);
  const { decision } = run;
  const isInRows = decision !== null && decision.writes.length + decision.events.length === 0;
  const { name: operation } = run.operation.definition;
  const taken = port.tighten(
    {
      command_id: actingId(run),
      operation,
      principal: run.principal,
      input: run.input,
      trace_id: run.frame.trace_id,
      at: context.now(),
    },
    isInRows,
  );
  if (taken.kind === "refused") return answered(taken.failure);
  const { durable, added } = taken;
  if (added)
    context.logger.error("a tightening took effect that the audit log could not take", {
      operation,
      command_id,
      durable,
    });
  const effect = added ? "in force; audited when the log returns" : "in force already; nothing was added";
  return done(202, { command_id, spooled: true, durable, effect });
}

/** The log has this id: its stored answer, or a refusal where it belongs to another request. */
async function knownAlready(run: Run, { store }: PipelineContext): Promise<StageEnd | undefined> {
  const row = await findKey(store, run.reader, run.command_id);
  if (row === undefined) return undefined;
  if (row.fingerprint !== run.fingerprint || row.actor !== run.principal.id) return idReused(row.key);
  // Accepted and not decided: it is this very command that goes on.
  if (row.state === "requested") return undefined;
  return {
    kind: "answer",
    answer: { ...decodeOutcome(row.answer ?? ""), command_id: row.key, duplicate_suppressed: true },
  };
}
