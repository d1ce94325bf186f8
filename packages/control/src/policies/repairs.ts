/**
 * The way back: what no policy can forbid, so that nobody is locked out of a home for ever.
 *
 * How to think: the home's own principal can replace the policies. Where that takes a second person, somebody has to be
 * let through to read and approve just that, and where there is nobody, one can be made. A break-glass session of the
 * home's own principal keeps it from asking until it is reviewed, so that review is let through too. Roles, challenges
 * and second persons hold as ever: only the policies step aside.
 *
 * Invariant (policies.test.ts): policies that forbid everything to everybody, second persons asked for everywhere, end
 * with two people's replacement of them.
 */
import { ROOT } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { readSession } from "../break-glass/tables.ts";
import { OPEN_STATES } from "../challenges/states.ts";
import type { ChallengeTables } from "../challenges/tables.ts";
import { first } from "../shared/sql.ts";
import type { Asked } from "./cedar.ts";

const ROOTS: readonly string[] = [
  "policies.show",
  "policies.list",
  "policies.simulate",
  "policies.set",
  "challenges.show",
  "challenges.confirm",
  "users.list",
  "users.create",
  "users.roles_set",
  "tokens.issue",
  // Whatever else is broken: everything can be stopped. Loosening is confirmed as ever.
  "safety.set",
];
const HELP: readonly string[] = ["challenges.show", "challenges.approve", "break_glass.review"];

export function isRootsRepair({ principal, operation }: Asked): boolean {
  return principal.id === ROOT.id && ROOTS.includes(operation);
}

/** Whether it could be somebody's help with a repair; {@link helpsRepair} looks. */
export function mayHelpRepair({ principal, operation }: Asked): boolean {
  return principal.roles.includes("admin") && HELP.includes(operation);
}

export async function helpsRepair(store: Store, { operation, target }: Asked): Promise<boolean> {
  if (operation === "break_glass.review")
    return (await readSession(store, store, target.resource_id))?.holder === ROOT.id;
  let repair = store
    .builder<ChallengeTables>()
    .selectFrom("challenge")
    .select("challenge_id")
    .where("requester", "=", ROOT.id)
    .where("kind", "=", "challenge")
    .where("state", "in", [...OPEN_STATES])
    .where("operation", "=", "policies.set")
    .limit(1);
  // A query does not say which challenge it is about.
  if (operation === "challenges.approve") repair = repair.where("challenge_id", "=", target.resource_id);
  return (await first<{ challenge_id: string }>(store, repair)) !== undefined;
}
