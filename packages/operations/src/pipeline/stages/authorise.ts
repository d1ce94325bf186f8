/** Whether the principal holds a role that may, and no policy forbids it; default deny. */
import { type Failure, failure } from "@rumi/kernel";
import type { OperationDefinition, Principal, QueryDefinition } from "../../operation.ts";
import type { PipelineContext, Stage } from "../run.ts";
import { refuse } from "../run.ts";

export const authorise: Stage = {
  name: "authorise",
  run: ({ operation: { definition }, principal, target }, context) => {
    const refusal = permissionRefusal(definition, principal, target, context);
    if (refusal instanceof Promise) return refusal.then((why) => (why === undefined ? undefined : refuse(why)));
    return refusal === undefined ? undefined : refuse(refusal);
  },
};

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
