/** The gates that the operation names; one that nobody registered is UNKNOWN, and UNKNOWN refuses. */
import { failure } from "@rumi/kernel";
import { guardContext } from "../guard-context.ts";
import { type Stage, refuse } from "../run.ts";

export const gates: Stage = {
  name: "gates",
  run: async (run, context) => {
    if (run.risk === "tighten") return undefined;
    for (const gate of run.operation.definition.gates) {
      const rule = context.guards.gates.get(gate);
      if (rule === undefined) {
        return refuse(
          failure(
            "RUMI-CMD-006",
            { gate, state: "UNKNOWN", problem: "nobody reports it" },
            { reasonCode: "G.GATE.UNKNOWN" },
          ),
        );
      }
      const verdict = await rule.check(run.reader, guardContext(run, context));
      if (!verdict.ok) return refuse(verdict.error);
    }
    return undefined;
  },
};
