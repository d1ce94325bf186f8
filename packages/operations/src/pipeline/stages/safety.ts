/** The safety mode; only what tightens passes every mode, and nobody is above it. */
import { failure } from "@rumi/kernel";
import { type Stage, refuse } from "../run.ts";

export const safety: Stage = {
  name: "safety",
  run: async (run, context) => {
    if (run.risk === "tighten") return undefined;
    const { definition } = run.operation;
    const { mode, fence } = await context.guards.safety.read(run.reader);
    if (!(definition.safety ?? ["NORMAL"]).includes(mode)) {
      return refuse(failure("RUMI-CMD-005", { mode, operation: definition.name }, { reasonCode: `G.SAFETY.${mode}` }));
    }
    if (fence !== null) run.fences.push(fence);
    return undefined;
  },
};
