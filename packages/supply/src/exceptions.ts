/** Exceptions of the supply-chain gate: an approved override with an end, for one artifact and for named obstacles. Pure. */
import type { Micros } from "@rumi/kernel";
import type { RefusedException, SupplyException, SupplyPolicy, TriageCode, TriageItem } from "./facts.ts";

/** Why it does not count now; undefined where it does. */
export function exceptionProblem(
  one: SupplyException,
  artifact_digest: string,
  { exceptions }: SupplyPolicy,
  now: Micros,
): TriageCode | undefined {
  if (!exceptions.allowed) return "EXCEPTION_NOT_ALLOWED";
  if (one.artifact_digest !== artifact_digest) return "EXCEPTION_FOR_ANOTHER_ARTIFACT";
  if (one.expires_at === null) return "EXCEPTION_WITHOUT_EXPIRY";
  if (one.revoked_at !== null && one.revoked_at <= now) return "EXCEPTION_REVOKED";
  if (one.expires_at <= now) return "EXCEPTION_EXPIRED";
  if (one.granted_at > now) return "EXCEPTION_NOT_YET_GRANTED";
  if (one.expires_at - one.granted_at > exceptions.max_seconds * 1_000_000) return "EXCEPTION_TOO_LONG";
  return undefined;
}

/** `aliases`: other names of the item's advisory. */
export function isCovered(item: TriageItem, { covers }: SupplyException): boolean {
  if (covers === "all") return true;
  return covers.some(
    ({ code, advisory_id, component }) =>
      code === item.code &&
      (advisory_id === null || advisory_id === item.advisory_id || item.aliases.includes(advisory_id)) &&
      (component === null || component === item.component),
  );
}

const PROBLEMS: Readonly<Record<string, readonly [what: string, next: string]>> = {
  EXCEPTION_NOT_ALLOWED: ["The policy allows no exceptions.", "Mend the obstacles, or have the policy changed."],
  EXCEPTION_FOR_ANOTHER_ARTIFACT: [
    "It was granted for an artifact with another digest.",
    "Have one granted for this digest.",
  ],
  EXCEPTION_WITHOUT_EXPIRY: ["It has no end.", "Have one granted that ends."],
  EXCEPTION_REVOKED: ["It was revoked.", "Mend the obstacles, or have another granted."],
  EXCEPTION_EXPIRED: ["Its time is over.", "Mend the obstacles, or have another granted."],
  EXCEPTION_NOT_YET_GRANTED: [
    "It begins later than now.",
    "Wait for its begin, and look at the clock of this machine.",
  ],
  EXCEPTION_TOO_LONG: ["It lasts longer than the policy lets an exception last.", "Have a shorter one granted."],
};

export function exceptionItem({ exception_id, code }: RefusedException): TriageItem {
  const [what, next_step] = PROBLEMS[code] ?? ["It does not count.", "Have another granted."];
  return {
    code,
    what: `Exception ${exception_id} does not count: ${what}`,
    component: null,
    advisory_id: null,
    aliases: [],
    severity: null,
    probable_fix: "Mend what is denied; an exception only buys time.",
    next_step,
    excepted_by: null,
  };
}
