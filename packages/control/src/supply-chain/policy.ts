/**
 * What the gate demands of an artifact: immutable revisions, and what makes one looser than another. Pure.
 *
 * How to think: a policy without requirements asks for no report, so that a home works before anybody thought of its
 * supply chain; but what a report found counts against its numbers, always. One requirement, and every artifact needs a
 * report. Tightening is one person's; whatever loosens takes two.
 *
 * Invariants (policy.test.ts)
 * - Each field, moved alone in the loosening direction, is called looser; in the other direction it is not.
 */
import { canonicalJson, digestOf } from "@rumi/kernel";
import { SEVERITIES, type SupplyPolicy } from "@rumi/supply";
import { iso } from "../challenges/model.ts";
import { jsonOf } from "../shared/sql.ts";
import type { SupplyPolicyRow } from "./tables.ts";

/** In force until somebody sets another one: nothing is required; what weighs heavily or unknown denies where it is found. */
export const DEFAULT_POLICY: SupplyPolicy = {
  require_signature: false,
  require_lock_files: false,
  require_hashes: false,
  require_advisories: false,
  max_allowed: { critical: 0, high: 0, medium: 10_000, low: 10_000, unknown: 0 },
  advisories_max_age_seconds: 432_000,
  exceptions: { allowed: true, max_seconds: 604_800 },
};

const REQUIREMENTS = ["require_signature", "require_lock_files", "require_hashes", "require_advisories"] as const;

/** Whether an artifact that the gate never saw is denied. */
export function asksForReport(policy: SupplyPolicy): boolean {
  return REQUIREMENTS.some((name) => policy[name]);
}

export type PolicyInForce = { readonly revision: number; readonly policy: SupplyPolicy };

export function inForce(row: SupplyPolicyRow | undefined): PolicyInForce {
  return row === undefined
    ? { revision: 0, policy: DEFAULT_POLICY }
    : { revision: row.revision, policy: jsonOf<SupplyPolicy>(row.policy) };
}

/** Fields by which `next` lets more through than `before`. */
export function looserFields(before: SupplyPolicy, next: SupplyPolicy): readonly string[] {
  return [
    ...REQUIREMENTS.filter((name) => before[name] && !next[name]),
    ...SEVERITIES.filter((severity) => next.max_allowed[severity] > before.max_allowed[severity]).map(
      (severity) => `max_allowed.${severity}`,
    ),
    ...(next.advisories_max_age_seconds > before.advisories_max_age_seconds ? ["advisories_max_age_seconds"] : []),
    ...(next.exceptions.allowed && !before.exceptions.allowed ? ["exceptions.allowed"] : []),
    ...(next.exceptions.max_seconds > before.exceptions.max_seconds ? ["exceptions.max_seconds"] : []),
  ];
}

export const policyDigest = (policy: SupplyPolicy): string => digestOf(canonicalJson(policy));

export function policyView(row: SupplyPolicyRow | undefined) {
  const { revision, policy } = inForce(row);
  return {
    revision,
    policy,
    policy_digest: policyDigest(policy),
    asks_for_report: asksForReport(policy),
    reason: row?.reason ?? null,
    set_by: row?.set_by ?? null,
    approval_id: row?.approval_id ?? null,
    set_at: row === undefined ? null : iso(row.set_at),
  };
}
