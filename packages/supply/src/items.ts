/** Facts that a policy does not accept, as items with a probable fix and a next step. Pure; judge.ts decides over them. */
import { isoFromMicros, micros, microsFromIso, type Micros } from "@rumi/kernel";
import { SEVERITIES, type Finding, type Severity } from "./advisories/finding.ts";
import type { AdvisoryFacts, SupplyFacts, SupplyPolicy, TriageCode, TriageItem } from "./facts.ts";

/** How far ahead of our clock a directory may claim to be before nobody believes it. */
export const CLOCK_SKEW_SECONDS = 300;

export function factItems(facts: SupplyFacts, policy: SupplyPolicy, now: Micros): readonly TriageItem[] {
  return [
    ...(policy.require_signature ? signatureItems(facts) : []),
    ...lockItems(facts, policy),
    ...(policy.require_advisories ? directoryItems(facts.advisories, policy, now) : []),
    ...(facts.advisories.kind === "known" ? vulnerabilityItems(facts.advisories.findings, policy) : []),
  ];
}

type Words = { readonly what: string; readonly fix: string; readonly next: string };

function item(code: TriageCode, { what, fix, next }: Words, of: Partial<TriageItem> = {}): TriageItem {
  return {
    code,
    what,
    component: null,
    advisory_id: null,
    aliases: [],
    severity: null,
    probable_fix: fix,
    next_step: next,
    excepted_by: null,
    ...of,
  };
}

function signatureItems({ signature, artifact_digest }: SupplyFacts): readonly TriageItem[] {
  if (signature.verified) return [];
  const next = "Then run the gate again.";
  if (signature.reasons.some(({ code }) => code === "NO_ENVELOPE"))
    return [
      item("SIGNATURE_MISSING", {
        what: `${artifact_digest} comes without a signature.`,
        fix: "Sign an in-toto statement about this digest with a key that is a trust root.",
        next,
      }),
    ];
  const why = [...new Set(signature.reasons.map(({ what }) => what))].join("; ");
  return [
    item("SIGNATURE_NOT_TRUSTED", {
      what: `No signature of ${artifact_digest} is trusted: ${why === "" ? "nobody said why" : why}.`,
      fix: "Sign this digest with a trusted key that is in time, or add the signer's key to the trust roots.",
      next,
    }),
  ];
}

function lockItems({ components }: SupplyFacts, policy: SupplyPolicy): readonly TriageItem[] {
  if (components.kind === "unreadable")
    return [
      item("LOCK_FILE_UNREADABLE", {
        what: `What it is made of is not known: ${components.why}`,
        fix: "Make the lock file anew with the ecosystem's own tool.",
        next: "Build the artifact again and run the gate on it.",
      }),
    ];
  if (components.kind === "none")
    return policy.require_lock_files
      ? [
          item("LOCK_FILE_MISSING", {
            what: "It brings no lock file, so what it is made of is not known.",
            fix: "Ship package-lock.json, requirements.lock or Cargo.lock with it.",
            next: "Build the artifact again and run the gate on it.",
          }),
        ]
      : [];
  if (!policy.require_hashes) return [];
  return components.components
    .filter(({ origin, hashes }) => origin === "registry" && hashes.length === 0)
    .map(({ purl }) =>
      item(
        "COMPONENT_WITHOUT_HASH",
        {
          what: `The lock file gives no hash for ${purl}, so other bytes of that name would pass.`,
          fix: "Make the lock file with hashes: npm ≥7, `pip-compile --generate-hashes`, cargo with a registry.",
          next: "Build the artifact again and run the gate on it.",
        },
        { component: purl },
      ),
    );
}

function directoryItems(facts: AdvisoryFacts, policy: SupplyPolicy, now: Micros): readonly TriageItem[] {
  const fix = "Bring the directory of advisories up to date from OSV's exports.";
  const next = "Then run the gate again.";
  if (facts.kind === "unknown")
    return [item("ADVISORIES_UNKNOWN", { what: `Which weaknesses are known is not known: ${facts.why}.`, fix, next })];
  const at = directoryTime(facts);
  if (facts.count === 0 || at === undefined)
    return [item("ADVISORIES_EMPTY", { what: "The directory of advisories holds no record.", fix, next })];
  if (at > now + CLOCK_SKEW_SECONDS * 1_000_000)
    return [
      item("ADVISORIES_FROM_THE_FUTURE", {
        what: `The directory claims to be of ${isoFromMicros(at)}, which is still to come; how old it is cannot be told.`,
        fix: "Look for the record or index with that time, and at the clock of this machine.",
        next,
      }),
    ];
  if (now - at > policy.advisories_max_age_seconds * 1_000_000)
    return [
      item("ADVISORIES_STALE", {
        what: `The directory is of ${isoFromMicros(at)}, older than the ${policy.advisories_max_age_seconds} seconds that the policy allows.`,
        fix,
        next,
      }),
    ];
  return [];
}

/** For times beyond what we count in. */
const LATEST = micros(Number.MAX_SAFE_INTEGER);

/** The moment a directory vouches for: the later of its newest record and of its own index. */
export function directoryTime(facts: AdvisoryFacts): Micros | undefined {
  if (facts.kind === "unknown") return undefined;
  const times = [facts.newest_modified, facts.fetched_at].flatMap((text) => {
    if (text === null) return [];
    return [microsFromIso(text) ?? (text < "1970" ? micros(0) : LATEST)];
  });
  return times.length === 0 ? undefined : micros(Math.max(...times));
}

function vulnerabilityItems(findings: readonly Finding[], { max_allowed }: SupplyPolicy): readonly TriageItem[] {
  return SEVERITIES.flatMap((severity) => {
    const own = findings.filter((one) => one.severity === severity);
    return own.length > max_allowed[severity] ? own.map((one) => vulnerabilityItem(one, severity)) : [];
  });
}

function vulnerabilityItem(
  { advisory_id, aliases, component, score, fixed_in, applies_by }: Finding,
  severity: Severity,
): TriageItem {
  const rated = score === null ? severity : `${severity}, CVSS ${score.toFixed(1)}`;
  const unsure = applies_by === "undecidable" ? " (its versions cannot be compared, so it is taken to apply)" : "";
  const [first] = fixed_in;
  return item(
    "VULNERABLE_COMPONENT",
    {
      what: `${component.purl} has the weakness ${advisory_id} (${rated})${unsure}.`,
      fix:
        first === undefined
          ? `No later version of ${component.name} is known to mend it: replace or remove it.`
          : `Update ${component.name} to ${first} or later.`,
      next: "Change the lock file, build the artifact again and run the gate on it; or have an exception with an end approved.",
    },
    { component: component.purl, advisory_id, aliases, severity },
  );
}
