/** Who asks, and whether they are in training. Tokens were compared at the rim; a command without a principal goes no further. */
import { failure } from "@rumi/kernel";
import { causeChain } from "../../logging.ts";
import { type PipelineContext, type Run, type Stage, turnAway } from "../run.ts";

export const authenticate: Stage = {
  name: "authenticate",
  run: async (run, context) => {
    if (run.request.principal === null) return turnAway(failure("RUMI-AUTH-001"));
    run.principal = run.request.principal;
    run.training = await trainingOf(run, context);
    return undefined;
  },
};

async function trainingOf(run: Run, { guards, store, logger, now }: PipelineContext): Promise<string | null> {
  const { rehearsal, emergency } = run.operation.definition;
  if (guards.training === null || run.request.continues === true || rehearsal === "real") return null;
  try {
    return await guards.training.sessionOf(store, run.principal.id, now());
  } catch (error) {
    // A store that cannot be read holds up no tightening that works without it.
    if (emergency !== true) throw error;
    logger.error("whether somebody is in training cannot be read", { causes: causeChain(error) });
    return null;
  }
}
