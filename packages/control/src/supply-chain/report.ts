/** A report of the gate as it is kept, and as it is shown; what it decided then is never changed. */
import { isoFromMicros, micros } from "@rumi/kernel";
import { jsonOf } from "../shared/sql.ts";
import type { Looked } from "./look.ts";
import { DENIED, type FoundFacts, type Judged } from "./standing.ts";
import type { SupplyReportRow } from "./tables.ts";

type Verdict = Pick<Judged, "triage" | "vulnerabilities"> & {
  readonly signature: Judged["facts"]["signature"];
  readonly valid_until: string | null;
};
type Of = Pick<
  SupplyReportRow,
  "scg_id" | "artifact_id" | "policy_revision" | "reason" | "produced_by" | "produced_at"
>;

export function reportRow(looked: Looked, judged: Judged, of: Of): SupplyReportRow {
  const { triage, vulnerabilities, valid_until, exceptions_used, policy_decision } = judged;
  const { signature } = judged.facts;
  const verdict: Verdict = {
    triage,
    vulnerabilities,
    signature,
    valid_until: valid_until === null ? null : isoFromMicros(valid_until),
  };
  return {
    ...of,
    pack_id: looked.pack_id,
    pack_version: looked.version,
    policy_decision,
    exception_ref: exceptions_used[0] ?? null,
    signature_verified: signature.verified ? 1 : 0,
    sbom_ref: looked.sbom_ref,
    vulnerability_summary_ref: looked.vulnerability_summary_ref,
    facts: JSON.stringify(looked.found),
    verdict: JSON.stringify(verdict),
  };
}

export function reportView(row: SupplyReportRow) {
  const { triage, vulnerabilities, signature, valid_until } = jsonOf<Verdict>(row.verdict);
  const { components, advisories } = jsonOf<FoundFacts>(row.facts);
  return {
    scg_id: row.scg_id,
    artifact_id: row.artifact_id,
    pack_id: row.pack_id,
    pack_version: row.pack_version,
    sbom_ref: row.sbom_ref,
    components: components.kind === "known" ? components.components.length : components.kind === "none" ? 0 : null,
    signature_verified: row.signature_verified === 1,
    signature: { keyid: signature.keyid, reasons: signature.reasons },
    vulnerability_summary_ref: row.vulnerability_summary_ref,
    vulnerabilities,
    advisories:
      advisories.kind === "unknown"
        ? { known: false, why: advisories.why }
        : {
            known: true,
            digest: advisories.digest,
            count: advisories.count,
            newest_modified: advisories.newest_modified,
            fetched_at: advisories.fetched_at,
          },
    policy_revision: row.policy_revision,
    policy_decision: row.policy_decision,
    reason_code: row.policy_decision === "deny" ? DENIED : null,
    exception_ref: row.exception_ref,
    triage,
    valid_until,
    reason: row.reason,
    produced_by: row.produced_by,
    produced_at: isoFromMicros(micros(row.produced_at)),
  };
}
