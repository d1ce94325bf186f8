/** The operation's own pure decision. */
import { type Stage, refuse } from "../run.ts";

export const decide: Stage = {
  name: "decide",
  run: (run, context) => {
    const decided = run.operation.definition.decide(run.facts, run.input, {
      now: context.now(),
      principal: run.principal,
      command_id: run.command_id,
      trace_id: run.frame.trace_id,
      reason: run.frame.reason,
      newId: context.newId,
      store: context.store,
    });
    if (!decided.ok) return refuse(decided.error);
    run.decision = decided.value;
    return undefined;
  },
};
