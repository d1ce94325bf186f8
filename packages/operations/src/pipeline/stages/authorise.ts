/** Whether the principal holds a role that may; default deny. */
import { failure } from "@rumi/kernel";
import { type Stage, refuse } from "../run.ts";

export const authorise: Stage = {
  name: "authorise",
  run: ({ operation: { definition }, principal }) =>
    principal.roles.some((role) => definition.permission.includes(role))
      ? undefined
      : refuse(
          failure(
            "RUMI-AUTH-003",
            { principal: principal.id, action: definition.name },
            { reasonCode: "PERMISSION_DENIED" },
          ),
        ),
};
