/** Who may do what, as data: for the console, the documents and the matrix test. */
import { ROLES, type Role } from "../operation.ts";
import type { Registry } from "../registry.ts";

export type PermissionRow = {
  readonly action: string;
  readonly kind: "operation" | "query";
  readonly roles: Readonly<Record<Role, boolean>>;
};

export function permissionMatrix(registry: Registry): readonly PermissionRow[] {
  const row = (action: string, kind: PermissionRow["kind"], permission: readonly Role[]): PermissionRow => ({
    action,
    kind,
    roles: Object.fromEntries(ROLES.map((role) => [role, permission.includes(role)])) as Record<Role, boolean>,
  });
  return [
    ...[...registry.operations.values()].map(({ definition }) =>
      row(definition.name, "operation", definition.permission),
    ),
    ...[...registry.queries.values()].map(({ definition }) => row(definition.name, "query", definition.permission)),
  ].toSorted((a, b) => (a.action < b.action ? -1 : 1));
}
