/** Guards against slips (previews, blast radius, required steps); tightening passes. */
import type { Metrics } from "../../metrics.ts";
import { guardrailContext } from "../guard-context.ts";
import { refuse, type Stage } from "../run.ts";

export const guardrails: Stage = {
  name: "guardrails",
  run: async (run, context) => {
    if (run.risk === "tighten") return undefined;
    for (const rule of context.guards.guardrails) {
      const verdict = await rule.check(run.reader, guardrailContext(run, context));
      if (verdict.ok) continue;
      // A trial or a rehearsal is no block: nobody was kept from anything.
      if (!run.dry_run && run.training === null)
        guardrailBlocks(context.metrics).add({ action: run.operation.definition.name });
      return refuse(verdict.error);
    }
    return undefined;
  },
};

export const guardrailBlocks = (metrics: Metrics): ReturnType<Metrics["counter"]> =>
  metrics.counter("guardrail_block_count", "Commands that a guardrail refused, by action.");
