/** The operation's own pure decision. */
import { actingId } from "../guard-context.ts";
import { type Stage, refuse } from "../run.ts";

/** A dry run shows what would happen once confirmed; nothing of it is kept. */
const DRY_RUN_APPROVAL = "dry-run";

export const decide: Stage = {
  name: "decide",
  run: (run, context) => {
    const decided = run.operation.definition.decide(run.facts, run.input, {
      now: context.now(),
      principal: run.principal,
      command_id: actingId(run),
      trace_id: run.frame.trace_id,
      fingerprint: run.fingerprint,
      reason: run.frame.reason,
      approval_id: run.dry_run ? DRY_RUN_APPROVAL : (run.confirmation?.redeemed.approval_id ?? null),
      training: run.training !== null,
      newId: context.newId,
      store: context.store,
    });
    if (!decided.ok) return refuse(decided.error);
    run.decision = decided.value;
    return undefined;
  },
};
