/**
 * Whether an artifact may be used now: the one question that approval, creation, every start, every update and every
 * certificate ask. What the gate found is kept; how it weighs is judged anew each time, by the policy, the keys, the
 * overrides and the clock of that moment.
 *
 * Invariants (packages/rumi/test/supply-chain-gate.test.ts, supply-chain-blocks.test.ts)
 * - A key that is revoked, an override that ended, advisories that grew old and a stricter policy count at the next
 *   question, whether or not the gate ran again.
 * - Nothing else evaluates an exception: it ends everywhere at once.
 */
import { err, failure, isoFromMicros, micros, ok, type Failure, type Micros, type Result } from "@rumi/kernel";
import type { Envelope } from "@rumi/ledger";
import type { Reader } from "@rumi/store";
import {
  checkSignature,
  judge,
  type PolicyDecision,
  type SupplyException,
  type SupplyFacts,
  type SupplyJudgement,
  type TriageItem,
  type TrustRoot,
} from "@rumi/supply";
import { EXPIRED_BY } from "../overrides/model.ts";
import { readOfArtifact, type OverrideRow } from "../overrides/tables.ts";
import { jsonOf, type Sql } from "../shared/sql.ts";
import { asksForReport, inForce, type PolicyInForce } from "./policy.ts";
import {
  readNewestReport,
  readRoots,
  readSignatures,
  readSupplyPolicy,
  type SupplyReportRow,
  type TrustRootRow,
} from "./tables.ts";

export const DENIED = "L.SUPPLY_CHAIN.DENIED";
/** Items of a triage that a refusal carries; its report has all. */
const SHOWN_ITEMS = 20;

/** What was found out by looking; whose signature counts is asked at every judgement. */
export type FoundFacts = Omit<SupplyFacts, "signature">;
/** What the policy weighs an artifact by beside what was found. */
export type Scales = PolicyInForce & {
  readonly roots: readonly TrustRoot[];
  readonly envelopes: readonly Envelope[];
  readonly exceptions: readonly SupplyException[];
};
export type Judged = SupplyJudgement & { readonly facts: SupplyFacts };
export type ReportTriage = Omit<TriageItem, "code"> & { readonly code: TriageItem["code"] | "REPORT_MISSING" };
export type Standing = {
  readonly artifact_id: string;
  readonly policy_decision: PolicyDecision;
  readonly policy_revision: number;
  readonly exception_ref: string | null;
  readonly triage: readonly ReportTriage[];
  readonly valid_until: Micros | null;
  /** The newest report of the artifact; null where the gate never ran on it. */
  readonly scg_id: string | null;
};

export async function readScales(reader: Reader, sql: Sql, artifact_id: string): Promise<Scales> {
  return {
    ...inForce(await readSupplyPolicy(reader, sql)),
    roots: (await readRoots(reader, sql)).map(trustRoot),
    envelopes: (await readSignatures(reader, sql, artifact_id)).map(({ envelope }) => jsonOf<Envelope>(envelope)),
    exceptions: (await readOfArtifact(reader, sql, artifact_id)).map((row) => exceptionOf(row, artifact_id)),
  };
}

export function judgeNow(found: FoundFacts, scales: Scales, now: Micros): Judged {
  const signature = checkSignature(scales.envelopes, found.artifact_digest, scales.roots, now);
  const facts: SupplyFacts = { ...found, signature };
  return { ...judge(facts, scales.policy, scales.exceptions, now), facts };
}

export async function standingOf(reader: Reader, sql: Sql, artifact_id: string, now: Micros): Promise<Standing> {
  const report = await readNewestReport(reader, sql, artifact_id);
  const scales = await readScales(reader, sql, artifact_id);
  return standingUnder(artifact_id, report, scales, now);
}

export function standingUnder(
  artifact_id: string,
  report: Pick<SupplyReportRow, "scg_id" | "facts"> | undefined,
  scales: Scales,
  now: Micros,
): Standing {
  const of = { artifact_id, policy_revision: scales.revision, scg_id: report?.scg_id ?? null };
  if (report === undefined && !asksForReport(scales.policy))
    return { ...of, policy_decision: "allow", exception_ref: null, triage: [], valid_until: null };
  const judged = judgeNow(
    report === undefined ? neverLooked(artifact_id) : jsonOf<FoundFacts>(report.facts),
    scales,
    now,
  );
  const { policy_decision, exceptions_used, valid_until, triage } = judged;
  return {
    ...of,
    policy_decision,
    exception_ref: exceptions_used[0] ?? null,
    triage: report === undefined ? withoutReport(triage) : triage,
    valid_until,
  };
}

/** An artifact that the gate never saw has something in its way whatever the policy asks, and an override can except it. */
const neverLooked = (artifact_digest: string): FoundFacts => ({
  artifact_digest,
  components: { kind: "unreadable", why: "the gate was never run on it." },
  advisories: { kind: "unknown", why: "the gate was never run on it" },
});

/** One item says it; why an exception does not count is said beside it. */
function withoutReport(triage: readonly TriageItem[]): readonly ReportTriage[] {
  const [first] = triage.filter(({ code }) => code === "LOCK_FILE_UNREADABLE");
  const missing = {
    code: "REPORT_MISSING",
    what: "The policy asks for a report, and the gate was never run on this artifact.",
    component: null,
    advisory_id: null,
    aliases: [],
    severity: null,
    probable_fix: "Run the gate: POST /api/supply_chain/gate/run.",
    next_step: "Then look at what its report says.",
    excepted_by: first?.excepted_by ?? null,
  } as const;
  return [missing, ...triage.filter(({ code }) => code.startsWith("EXCEPTION_"))];
}

export function standingView({ valid_until, ...standing }: Standing) {
  const reason_code = standing.policy_decision === "deny" ? DENIED : null;
  return { ...standing, reason_code, valid_until: valid_until === null ? null : isoFromMicros(valid_until) };
}

/** As a check: what is denied is refused; what is excepted says by which override, and what it excepts. */
export type SupplyCheck = Result<{ readonly excepted?: Failure; readonly override_id?: string }, Failure>;
export function checkOf(standing: Standing): SupplyCheck {
  const { artifact_id, policy_decision, policy_revision, exception_ref, scg_id, triage } = standing;
  if (policy_decision === "allow") return ok({});
  const [first] = triage.filter(({ excepted_by }) => policy_decision !== "deny" || excepted_by === null);
  const denied = failure(
    "RUMI-SUP-050",
    { artifact_id, problem: first?.what ?? "the policy denies it" },
    {
      reasonCode: DENIED,
      details: { artifact_id, scg_id, policy_revision, triage: triage.slice(0, SHOWN_ITEMS) },
    },
  );
  return policy_decision === "deny" || exception_ref === null
    ? err(denied)
    : ok({ excepted: denied, override_id: exception_ref });
}

/** What approval, creation, starts, updates and certificates ask. */
export async function supplyCheck(reader: Reader, sql: Sql, artifact_id: string, now: Micros): Promise<SupplyCheck> {
  return checkOf(await standingOf(reader, sql, artifact_id, now));
}

const at = (time: number | null): Micros | null => (time === null ? null : micros(time));

function trustRoot(row: TrustRootRow): TrustRoot {
  return {
    keyid: row.keyid,
    public_pem: row.public_pem,
    not_before: micros(row.valid_from),
    not_after: micros(row.valid_until),
    revoked_at: at(row.revoked_at),
  };
}

/** An override of this check excepts whatever its one artifact is denied for, from its grant until its end. */
function exceptionOf(row: OverrideRow, artifact_digest: string): SupplyException {
  return {
    exception_id: row.override_id,
    artifact_digest,
    covers: "all",
    granted_at: micros(row.granted_at),
    expires_at: micros(row.ends_at),
    // What ended by itself is told as expired.
    revoked_at: row.ended_by === null || row.ended_by === EXPIRED_BY ? null : at(row.ended_at),
  };
}
