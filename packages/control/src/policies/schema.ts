/**
 * What policies may speak of: users in roles, one action for each operation and query, and what they act on.
 *
 * An action that does not exist is refused when a policy is stored, so that a misspelt name never silently forbids nothing.
 */
import { ROLES } from "@rumi/operations";

export type PolicySchema = {
  readonly environment: string;
  readonly actions: readonly string[];
  /** Cedar's JSON schema. */
  readonly json: Record<string, never>;
};

export type ActionNames = {
  readonly operations: readonly string[];
  readonly queries: readonly string[];
};

/** `Action::"changes"` holds every operation, `Action::"reads"` every query. */
export function policySchema(environment: string, { operations, queries }: ActionNames): PolicySchema {
  const action = (group: string) => ({
    memberOf: [{ id: group }],
    appliesTo: {
      principalTypes: ["User"],
      resourceTypes: ["Resource"],
      context: {
        type: "Record",
        attributes: { environment: { type: "String", required: true } },
      },
    },
  });
  const actions = Object.fromEntries([
    ["changes", {}],
    ["reads", {}],
    ...operations.map((name) => [name, action("changes")]),
    ...queries.map((name) => [name, action("reads")]),
  ]) as Record<string, unknown>;
  const text = { type: "String", required: true };
  const json = {
    "": {
      entityTypes: {
        Role: { enum: [...ROLES] },
        User: { memberOfTypes: ["Role"] },
        Resource: { shape: { type: "Record", attributes: { kind: text, name: text } } },
      },
      actions,
    },
  };
  return { environment, actions: [...operations, ...queries], json: json as unknown as PolicySchema["json"] };
}
