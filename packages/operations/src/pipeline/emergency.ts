/**
 * A tightening that the log cannot take works all the same: it is spooled, takes effect, and is carried out as the
 * command that it is once the log can be written again. Nothing else works then.
 *
 * Invariant (emergency.test.ts in control): only what shrinks risk by the facts of this moment passes; a loosening,
 * a wish that its own decision refuses, and whoever lacks the role are refused as ever.
 */
import { type Failure } from "@rumi/kernel";
import { type Answer, refused } from "../answer.ts";
import { causeChain } from "../logging.ts";
import { actingId } from "./guard-context.ts";
import type { PipelineContext, Run, StageEnd } from "./run.ts";
import { decide } from "./stages/decide.ts";
import { load } from "./stages/load.ts";

export async function tightenAnyway(run: Run, why: Failure, context: PipelineContext): Promise<Answer> {
  const { command_id } = run;
  const port = context.guards.emergency;
  const answered = (failure: Failure): Answer => ({ ...refused(failure), command_id, duplicate_suppressed: false });
  if (port === null || run.confirmation !== null) return answered(why);
  let end: StageEnd | undefined;
  try {
    end = await context.store.snapshot(async (reader) => {
      run.reader = reader;
      return (await load.run(run, context)) ?? (run.risk === "tighten" ? await decide.run(run, context) : undefined);
    });
  } catch (error) {
    // Without facts nobody knows which way it goes.
    context.logger.error("a tightening could not be judged", { command_id, causes: causeChain(error) });
    return answered(why);
  }
  if (run.risk !== "tighten") return answered(why);
  if (end?.kind === "refuse") return answered(end.failure);
  const { name: operation } = run.operation.definition;
  const kept = port.tighten({
    command_id: actingId(run),
    operation,
    principal: run.principal,
    input: run.input,
    trace_id: run.frame.trace_id,
    at: context.now(),
  });
  context.logger.error("a tightening took effect that the audit log could not take", { operation, command_id, kept });
  return {
    kind: "done",
    status: 202,
    data: { command_id, spooled: true, durable: kept === "spooled", effect: "in force; audited when the log returns" },
    command_id,
    duplicate_suppressed: false,
  };
}
