/**
 * What a principal may ask for at all, by name: its roles allow it and no policy forbids it whatever it is about.
 *
 * For a door that hides what it would refuse. Where a policy looks at what an operation is about, only the asking itself
 * is judged, as ever. No policy keeps anybody from tightening (docs/policies.md): what remains of an operation then is
 * told apart, in `may_tighten`.
 */
import type { Principal, Registry } from "@rumi/operations";
import type { PolicyKeeper } from "../policies/keeper.ts";

export type Permitted = { readonly may: readonly string[]; readonly may_tighten: readonly string[] };

export async function permittedTo(
  principal: Principal,
  { operations, queries }: Pick<Registry, "operations" | "queries">,
  policy: Pick<PolicyKeeper, "refusalAtAll">,
): Promise<Permitted> {
  const [may, may_tighten]: [string[], string[]] = [[], []];
  for (const { definition } of [...operations.values(), ...queries.values()]) {
    const { name, permission } = definition;
    if (!principal.roles.some((role) => permission.includes(role))) continue;
    const tightens =
      "decide" in definition && (definition.emergency === true || definition.above_policies !== undefined);
    if ((await policy.refusalAtAll({ principal, operation: name })) === undefined) may.push(name);
    else if (tightens) may_tighten.push(name);
  }
  return { may: may.toSorted(), may_tighten: may_tighten.toSorted() };
}
