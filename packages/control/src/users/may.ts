/**
 * What a principal may ask for at all, by name: its roles allow it and no policy forbids it whatever it is about.
 *
 * For a door that hides what it would refuse. Where a policy looks at what an operation is about, only the asking itself
 * is judged, as ever. No policy forbids a tightening, so an operation that can tighten stays (docs/policies.md).
 */
import type { Principal, Registry } from "@rumi/operations";
import type { PolicyKeeper } from "../policies/keeper.ts";

export async function permittedTo(
  principal: Principal,
  { operations, queries }: Pick<Registry, "operations" | "queries">,
  policy: Pick<PolicyKeeper, "refusalAtAll">,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { definition } of [...operations.values(), ...queries.values()]) {
    const { name, permission } = definition;
    if (!principal.roles.some((role) => permission.includes(role))) continue;
    const tightens = "emergency" in definition && definition.emergency;
    if (tightens || (await policy.refusalAtAll({ principal, operation: name })) === undefined) found.push(name);
  }
  return found.toSorted();
}
