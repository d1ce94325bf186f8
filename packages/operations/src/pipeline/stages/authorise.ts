/** Whether the principal holds a role that may, and no policy forbids it; default deny. */
import { type Failure, failure } from "@rumi/kernel";
import type { OperationDefinition, Principal, QueryDefinition } from "../../operation.ts";
import type { PipelineContext, Run, Stage, StageEnd } from "../run.ts";
import { refuse } from "../run.ts";

export const authorise: Stage = {
  name: "authorise",
  run: (run, context) => {
    const { definition } = run.operation;
    const refusal = permissionRefusal(definition, run.principal, run.target, context);
    return refusal instanceof Promise ? refusal.then((why) => judged(run, why)) : judged(run, refusal);
  },
};

/**
 * A policy that forbids a tightening forbids nothing; which way it goes is known once the facts are loaded (load.ts).
 * Invariant (tighten-always.test.ts in rumi): no policies at all keep anybody with the role from tightening.
 */
function judged(run: Run, why: Failure | undefined): StageEnd | undefined {
  if (why === undefined) return undefined;
  const { emergency, above_policies } = run.operation.definition;
  const isAbove = emergency === true || above_policies?.(run.input) === true;
  if (!isAbove || why.code === "RUMI-AUTH-003") return refuse(why);
  run.forbidden = why;
  return undefined;
}

export function permissionRefusal(
  definition: Pick<OperationDefinition | QueryDefinition, "name" | "permission">,
  principal: Principal,
  target: { readonly resource_type: string; readonly resource_id: string },
  { guards: { policy } }: Pick<PipelineContext, "guards">,
): Failure | undefined | Promise<Failure | undefined> {
  const { name: operation, permission } = definition;
  if (!principal.roles.some((role) => permission.includes(role)))
    return failure(
      "RUMI-AUTH-003",
      { principal: principal.id, action: operation },
      { reasonCode: "PERMISSION_DENIED" },
    );
  return policy?.refusal({ principal, operation, target });
}
