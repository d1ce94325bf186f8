import { describe, expect, it } from "vitest";
import { failure, err, isoFromMicros, micros, type Micros } from "@rumi/kernel";
import type { Finding, Severity } from "./advisories/finding.ts";
import type { SupplyException, SupplyFacts, SupplyPolicy } from "./facts.ts";
import { CLOCK_SKEW_SECONDS } from "./items.ts";
import { advisoryFacts, judge } from "./judge.ts";
import type { Component } from "./locks/component.ts";

const NOW = micros(1_800_000_000_000_000);
const SECOND = 1_000_000;
const DIGEST = `sha256:${"ab".repeat(32)}`;
const at = (seconds: number): Micros => micros(NOW + seconds * SECOND);

const lodash: Component = {
  ecosystem: "npm",
  name: "lodash",
  version: "4.17.20",
  purl: "pkg:npm/lodash@4.17.20",
  origin: "registry",
  hashes: [{ alg: "SHA-512", content: "00".repeat(64) }],
};
const finding = (severity: Severity, advisory_id: string): Finding => ({
  advisory_id,
  aliases: [`CVE-of-${advisory_id}`],
  component: lodash,
  severity,
  score: null,
  fixed_in: ["4.17.21"],
  withdrawn: false,
  applies_by: "range",
});
const known = (findings: readonly Finding[] = [], newest = at(-60)): SupplyFacts["advisories"] => ({
  kind: "known",
  digest: DIGEST,
  count: 2,
  newest_modified: isoFromMicros(newest),
  fetched_at: null,
  findings,
});
const FACTS: SupplyFacts = {
  artifact_digest: DIGEST,
  signature: { verified: true, keyid: "k", predicate_type: "p", envelope: 0, valid_until: null, reasons: [] },
  components: { kind: "known", components: [lodash] },
  advisories: known(),
};
const POLICY: SupplyPolicy = {
  require_signature: true,
  require_lock_files: true,
  require_hashes: true,
  require_advisories: true,
  max_allowed: { critical: 0, high: 0, medium: 1, low: 5, unknown: 0 },
  advisories_max_age_seconds: 3_600,
  exceptions: { allowed: true, max_seconds: 600 },
};
const exception = (changes: Partial<SupplyException> = {}): SupplyException => ({
  exception_id: "e1",
  artifact_digest: DIGEST,
  covers: "all",
  granted_at: at(-10),
  expires_at: at(60),
  revoked_at: null,
  ...changes,
});
const UNSIGNED: SupplyFacts["signature"] = {
  verified: false,
  keyid: null,
  predicate_type: null,
  envelope: null,
  valid_until: null,
  reasons: [{ code: "NO_ENVELOPE", what: "none", envelope: null, keyid: null }],
};
const codesOf = (facts: Partial<SupplyFacts>, policy: Partial<SupplyPolicy> = {}) => {
  const { policy_decision, triage } = judge({ ...FACTS, ...facts }, { ...POLICY, ...policy }, [], NOW);
  return [policy_decision, ...new Set(triage.map(({ code }) => code))];
};

describe("[L-51.1] the judgement", () => {
  it("[L-51.1] what is clean passes, until its directory grows too old", () => {
    expect(judge(FACTS, POLICY, [], NOW)).toEqual({
      policy_decision: "allow",
      triage: [],
      vulnerabilities: { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 },
      exceptions_used: [],
      exceptions_refused: [],
      valid_until: at(3_540),
    });
  });

  it("[L-51.1] every fact that the policy does not accept denies, with its code; what it does not ask for does not", () => {
    const wrong = { ...UNSIGNED, reasons: [{ code: "KEY_EXPIRED" as const, what: "over", envelope: 0, keyid: "k" }] };
    const bare = { kind: "known" as const, components: [{ ...lodash, hashes: [] }] };
    const rows: readonly (readonly [string, Partial<SupplyFacts>, Partial<SupplyPolicy> | null])[] = [
      ["SIGNATURE_MISSING", { signature: UNSIGNED }, { require_signature: false }],
      ["SIGNATURE_NOT_TRUSTED", { signature: wrong }, { require_signature: false }],
      ["LOCK_FILE_MISSING", { components: { kind: "none" } }, { require_lock_files: false }],
      ["LOCK_FILE_UNREADABLE", { components: { kind: "unreadable", why: "line 3" } }, null],
      ["COMPONENT_WITHOUT_HASH", { components: bare }, { require_hashes: false }],
      ["ADVISORIES_UNKNOWN", { advisories: { kind: "unknown", why: "x" } }, { require_advisories: false }],
      ["ADVISORIES_EMPTY", { advisories: { ...known(), count: 0 } as never }, { require_advisories: false }],
      ["ADVISORIES_STALE", { advisories: known([], at(-3_601)) }, { require_advisories: false }],
      [
        "ADVISORIES_FROM_THE_FUTURE",
        { advisories: known([], at(CLOCK_SKEW_SECONDS + 1)) },
        { require_advisories: false },
      ],
      [
        "VULNERABLE_COMPONENT",
        { advisories: known([finding("critical", "A")]) },
        { max_allowed: { ...POLICY.max_allowed, critical: 1 } },
      ],
      [
        "VULNERABLE_COMPONENT",
        { advisories: known([finding("unknown", "A")]) },
        { max_allowed: { ...POLICY.max_allowed, unknown: 1 } },
      ],
      [
        "VULNERABLE_COMPONENT",
        { advisories: known([finding("medium", "A"), finding("medium", "B")]) },
        { max_allowed: { ...POLICY.max_allowed, medium: 2 } },
      ],
    ];
    for (const [code, facts, lenient] of rows) {
      expect(codesOf(facts)).toEqual(["deny", code]);
      // A lock that cannot be read denies under every policy.
      if (lenient !== null) expect([code, ...codesOf(facts, lenient)]).toEqual([code, "allow"]);
    }
    expect(codesOf({ advisories: known([finding("medium", "A")]) })).toEqual(["allow"]);
  });

  it("[L-51.1] at exactly the age and the skew that are allowed a directory still counts; its own index may vouch for it", () => {
    expect(codesOf({ advisories: known([], at(-3_600)) })).toEqual(["allow"]);
    expect(codesOf({ advisories: known([], at(CLOCK_SKEW_SECONDS)) })).toEqual(["allow"]);
    const never = { ...known(), newest_modified: "0001-01-01T00:00:00.000000Z" };
    expect(codesOf({ advisories: never })).toEqual(["deny", "ADVISORIES_STALE"]);
    const far = { ...known(), newest_modified: "9999-01-01T00:00:00.000000Z" };
    expect(codesOf({ advisories: far })).toEqual(["deny", "ADVISORIES_FROM_THE_FUTURE"]);
    const indexed = { ...known([], at(-90_000)), fetched_at: isoFromMicros(at(-5)) };
    expect(codesOf({ advisories: indexed })).toEqual(["allow"]);
  });

  it("[L-51.1] a directory that is not set or does not open is unknown, never clean", () => {
    expect(advisoryFacts(null, [lodash]).kind).toBe("unknown");
    const broken = advisoryFacts(err(failure("RUMI-SYS-003", { path: "x" })), [lodash]);
    expect(codesOf({ advisories: broken })).toEqual(["deny", "ADVISORIES_UNKNOWN"]);
  });

  it("[L-51.1] an item names component, advisory, fix and next step", () => {
    const [item] = judge({ ...FACTS, advisories: known([finding("high", "GHSA-1")]) }, POLICY, [], NOW).triage;
    expect(item).toEqual({
      code: "VULNERABLE_COMPONENT",
      what: "pkg:npm/lodash@4.17.20 has the weakness GHSA-1 (high).",
      component: lodash.purl,
      advisory_id: "GHSA-1",
      aliases: ["CVE-of-GHSA-1"],
      severity: "high",
      probable_fix: "Update lodash to 4.17.21 or later.",
      next_step: expect.stringContaining("lock file") as string,
      excepted_by: null,
    });
    const [bare] = judge(
      { ...FACTS, advisories: known([{ ...finding("high", "A"), fixed_in: [] }]) },
      POLICY,
      [],
      NOW,
    ).triage;
    expect(bare?.probable_fix).toContain("replace or remove it");
  });
});

describe("[L-51.2] exceptions", () => {
  const vulnerable: SupplyFacts = { ...FACTS, advisories: known([finding("critical", "A"), finding("high", "B")]) };
  const decide = (exceptions: readonly SupplyException[], now = NOW, policy = POLICY) =>
    judge(vulnerable, policy, exceptions, now);

  it("[L-51.2] one in force lets it pass as allow_with_exception, until it ends", () => {
    const judged = decide([exception()]);
    expect(judged).toMatchObject({
      policy_decision: "allow_with_exception",
      exceptions_used: ["e1"],
      valid_until: at(60),
      vulnerabilities: { critical: 1, high: 1 },
    });
    expect(judged.triage.map(({ excepted_by }) => excepted_by)).toEqual(["e1", "e1"]);
  });

  it("[L-51.2] at its end, without an end, revoked, early, too long, for other bytes or where none is allowed: denied, and said why", () => {
    const forbidden = { ...POLICY, exceptions: { ...POLICY.exceptions, allowed: false } };
    const rows: readonly (readonly [string, Partial<SupplyException>, SupplyPolicy])[] = [
      ["EXCEPTION_EXPIRED", { expires_at: NOW }, POLICY],
      ["EXCEPTION_WITHOUT_EXPIRY", { expires_at: null }, POLICY],
      ["EXCEPTION_REVOKED", { revoked_at: NOW }, POLICY],
      ["EXCEPTION_NOT_YET_GRANTED", { granted_at: at(1) }, POLICY],
      ["EXCEPTION_TOO_LONG", { granted_at: at(0), expires_at: at(601) }, POLICY],
      ["EXCEPTION_FOR_ANOTHER_ARTIFACT", { artifact_digest: `sha256:${"00".repeat(32)}` }, POLICY],
      ["EXCEPTION_NOT_ALLOWED", {}, forbidden],
    ];
    for (const [code, changes, policy] of rows) {
      const judged = decide([exception(changes)], NOW, policy);
      expect(judged).toMatchObject({
        policy_decision: "deny",
        exceptions_used: [],
        exceptions_refused: [{ exception_id: "e1", code }],
        valid_until: null,
      });
      expect(judged.triage.at(-1)).toMatchObject({ code, excepted_by: null });
    }
    expect(decide([exception({ granted_at: NOW, expires_at: at(600) })]).policy_decision).toBe("allow_with_exception");
  });

  it("[L-51.2] the same exception, asked again over time: it holds to the moment before its end and never after", () => {
    for (let seconds = -5; seconds <= 5; seconds += 1) {
      const decision = decide([exception({ expires_at: at(0) })], at(seconds)).policy_decision;
      expect([seconds, decision]).toEqual([seconds, seconds < 0 ? "allow_with_exception" : "deny"]);
    }
  });

  it("[L-51.2] one that names its obstacle covers that one alone, by the advisory's id or alias and the component", () => {
    const cover = { code: "VULNERABLE_COMPONENT" as const, advisory_id: "A", component: null };
    const partly = decide([exception({ covers: [cover] })]);
    expect(partly.policy_decision).toBe("deny");
    expect(partly.triage.map(({ advisory_id, excepted_by }) => [advisory_id, excepted_by])).toEqual([
      ["A", "e1"],
      ["B", null],
    ]);
    const both = [cover, { ...cover, advisory_id: "CVE-of-B", component: lodash.purl }];
    expect(decide([exception({ covers: both })]).policy_decision).toBe("allow_with_exception");
    const elsewhere = [cover, { ...cover, advisory_id: "B", component: "pkg:npm/other@1.0.0" }];
    expect(decide([exception({ covers: elsewhere })]).policy_decision).toBe("deny");
  });

  it("[L-51.2] an exception from a stale directory, or one from the future, ends with the exception", () => {
    for (const newest of ["2001-01-01T00:00:00.000000Z", "9999-01-01T00:00:00.000000Z"]) {
      const facts = { ...FACTS, advisories: { ...known(), newest_modified: newest } as never };
      const judged = judge(facts, POLICY, [exception()], NOW);
      expect([judged.policy_decision, judged.valid_until]).toEqual(["allow_with_exception", at(60)]);
    }
  });

  it("[L-51.2] covering some of too many is enough when the rest is tolerated", () => {
    const facts = { ...FACTS, advisories: known([finding("medium", "A"), finding("medium", "B")]) };
    const covers = [{ code: "VULNERABLE_COMPONENT" as const, advisory_id: "A", component: null }];
    expect(judge(facts, POLICY, [exception({ covers })], NOW)).toMatchObject({
      policy_decision: "allow_with_exception",
      exceptions_used: ["e1"],
    });
  });
});
