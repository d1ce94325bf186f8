/** Reads everything the decision needs and, from it, which way the command moves risk. */
import { refuse, type Stage } from "../run.ts";

export const load: Stage = {
  name: "load",
  run: async (run, context) => {
    const { definition } = run.operation;
    run.fences = [];
    run.decision = null;
    run.facts = await definition.load(run.reader, run.input, {
      store: context.store,
      now: context.now(),
      principal: run.principal,
    });
    run.risk = definition.risk(run.input, run.facts);
    return run.forbidden !== null && run.risk !== "tighten" ? refuse(run.forbidden) : undefined;
  },
};
