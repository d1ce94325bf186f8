/** Dangerous commands run only when confirmed; where nothing can confirm, they do not run. */
import { failure } from "@rumi/kernel";
import { guardContext } from "../guard-context.ts";
import { type Stage, refuse } from "../run.ts";

export const challenge: Stage = {
  name: "challenge",
  run: async (run, context) => {
    const { definition } = run.operation;
    const danger = definition.danger(run.input, run.facts);
    if (danger.kind === "none") return undefined;
    const port = context.guards.challenge;
    if (port === null)
      return refuse(failure("RUMI-CMD-003", { operation: definition.name }, { reasonCode: "DANGEROUS_OPS_DISABLED" }));
    const approved = await port.check(run.reader, {
      ...guardContext(run, context),
      danger,
      fingerprint: run.fingerprint,
    });
    if (!approved.ok) return refuse(approved.error);
    run.frame = { ...run.frame, approval_id: approved.value.approval_id };
    return undefined;
  },
};
