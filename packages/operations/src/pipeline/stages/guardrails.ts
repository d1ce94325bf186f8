/** Guards against slips (previews, blast radius, required steps); tightening passes. */
import { firstRefusal } from "../guard-context.ts";
import type { Stage } from "../run.ts";

export const guardrails: Stage = {
  name: "guardrails",
  run: (run, context) => (run.risk === "tighten" ? undefined : firstRefusal(context.guards.guardrails, run, context)),
};
