/**
 * The one evaluator of the supply chain: facts, a policy, exceptions and a time give allow, deny or allow_with_exception.
 * Pure; gate, certificate, deploy, report and command line all ask here, so that an exception ends everywhere at once.
 *
 * How to think: facts become items, each an obstacle with its probable fix and next step. An exception covers items, never
 * facts. What remains uncovered denies. What is not known (a lock that cannot be read, a stale or missing directory) is an
 * item like any other where the policy asks for it, never a pass.
 *
 * Invariants (judge.test.ts)
 * - From `expires_at` on, and without it, an exception covers nothing; nor does it for another digest.
 * - A directory that is unknown, empty, stale or from the future denies under a policy that needs one.
 * - A severity that nobody rated counts as `unknown` against the policy's own number for it.
 */
import { micros, type Failure, type Micros, type Result } from "@rumi/kernel";
import type { Advisories, Severity } from "./advisories/finding.ts";
import { exceptionItem, exceptionProblem, isCovered } from "./exceptions.ts";
import type {
  AdvisoryFacts,
  RefusedException,
  SeverityCounts,
  SupplyException,
  SupplyFacts,
  SupplyPolicy,
  TriageItem,
} from "./facts.ts";
import { directoryTime, factItems } from "./items.ts";
import type { Component } from "./locks/component.ts";

export type PolicyDecision = "allow" | "deny" | "allow_with_exception";

export type SupplyJudgement = {
  readonly policy_decision: PolicyDecision;
  /** Empty for `allow`; for `allow_with_exception` what is excepted; for `deny` all, why an exception does not count among it. */
  readonly triage: readonly TriageItem[];
  /** Findings by severity, excepted ones included. */
  readonly vulnerabilities: SeverityCounts;
  readonly exceptions_used: readonly string[];
  readonly exceptions_refused: readonly RefusedException[];
  /** When this answer ends by itself: an exception's end, a key's end, the directory's age. Null for never, and for `deny`. */
  readonly valid_until: Micros | null;
};

export function judge(
  facts: SupplyFacts,
  policy: SupplyPolicy,
  exceptions: readonly SupplyException[],
  now: Micros,
): SupplyJudgement {
  const items = factItems(facts, policy, now);
  const counting: SupplyException[] = [];
  const refused: RefusedException[] = [];
  for (const one of exceptions) {
    const code = exceptionProblem(one, facts.artifact_digest, policy, now);
    if (code === undefined) counting.push(one);
    else refused.push({ exception_id: one.exception_id, code });
  }
  const covered = items.map((item) => ({
    ...item,
    excepted_by: counting.find((one) => isCovered(item, one))?.exception_id ?? null,
  }));
  const open = countsOf(covered.filter(({ excepted_by }) => excepted_by === null));
  const denied = covered.filter((item) => item.excepted_by === null && isObstacle(item, open, policy));
  const used = new Set(covered.flatMap(({ excepted_by }) => excepted_by ?? []));
  const policy_decision = items.length === 0 ? "allow" : denied.length === 0 ? "allow_with_exception" : "deny";
  return {
    policy_decision,
    triage: policy_decision === "deny" ? [...covered, ...refused.map(exceptionItem)] : covered,
    vulnerabilities: countsOf(facts.advisories.kind === "known" ? facts.advisories.findings : []),
    exceptions_used: [...used].toSorted(),
    exceptions_refused: refused,
    valid_until:
      policy_decision === "deny"
        ? null
        : endOf(
            facts,
            policy,
            counting.filter(({ exception_id }) => used.has(exception_id)),
            now,
          ),
  };
}

/** Findings of a severity are tolerated as long as those that nothing covers are few enough; all else is an obstacle. */
function isObstacle({ severity }: TriageItem, open: SeverityCounts, { max_allowed }: SupplyPolicy): boolean {
  return severity === null || open[severity] > max_allowed[severity];
}

export function countsOf(of: readonly { readonly severity: Severity | null }[]): SeverityCounts {
  const counts: Record<Severity, number> = { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 };
  for (const { severity } of of) if (severity !== null) counts[severity] += 1;
  return counts;
}

/** What the gate asks a directory, whether it opened or not. `null`: none is set. */
export function advisoryFacts(
  opened: Result<Advisories, Failure> | null,
  components: readonly Component[],
): AdvisoryFacts {
  if (opened === null) return { kind: "unknown", why: "no directory of advisories is set" };
  if (!opened.ok) return { kind: "unknown", why: `the directory cannot be read: ${opened.error.code}` };
  const { digest, count, newest_modified, fetched_at } = opened.value;
  return { kind: "known", digest, count, newest_modified, fetched_at, findings: opened.value.match(components) };
}

/** What is over already, an exception covers; it ends nothing. */
function endOf(facts: SupplyFacts, policy: SupplyPolicy, used: readonly SupplyException[], now: Micros): Micros | null {
  const read = directoryTime(facts.advisories);
  const ends: (Micros | null)[] = used.map(({ expires_at }) => expires_at);
  if (policy.require_signature && facts.signature.verified) ends.push(facts.signature.valid_until);
  if (policy.require_advisories && read !== undefined)
    ends.push(micros(Math.min(Number.MAX_SAFE_INTEGER, read + policy.advisories_max_age_seconds * 1_000_000)));
  const ahead = ends.filter((end) => end !== null && end > now);
  return ahead.length === 0 ? null : micros(Math.min(...ahead.map(Number)));
}
