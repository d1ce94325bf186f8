/**
 * What a release certificate says, and what of it is signed (L-50). Pure.
 *
 * How to think: the manifest is canonical JSON; its SHA-256 is the manifest hash, and names the certificate in the signed
 * statement beside the artifact. A reference is where something can be read and the SHA-256 of what was there: of the
 * answer's data in canonical JSON, or of a text. Whoever has both can tell whether it is still what was attested.
 */
import { canonicalJson, digestOf, isoFromMicros, micros, type Json } from "@rumi/kernel";
import type { CertificateRow } from "./tables.ts";

export const CERTIFICATE_PREDICATE = "urn:rumi:release-safety-certificate:v1";
export const STATUS_PREDICATE = "urn:rumi:release-certificate-status:v1";

/** `…@sha256:…`. */
export type AttestedItems = {
  readonly preflight_ok_ref: string;
  readonly compatibility_ok_ref: string;
  readonly artifact_digest_verified_ref: string;
  readonly supply_chain_ok_ref: string;
  readonly runbook_attached_ref: string;
  readonly changelog_gate_ok_ref: string;
  /** No rollout plan is known to this program; null. */
  readonly rollout_plan_ref: null;
  /** Where the bot ran before: the signed proof of its last stop. */
  readonly stop_attestation_ref: string | null;
};
export type CertificateManifest = {
  readonly schema_version: 1;
  readonly cert_id: string;
  readonly environment: string;
  readonly bot_id: string;
  readonly version: string;
  readonly issued_at: string;
  readonly spec_digest: string;
  readonly config_hash: string;
  readonly artifact: {
    readonly pack_id: string;
    readonly strategy_id: string;
    readonly strategy_version: string;
    readonly digest: string;
  };
  readonly supply_chain: {
    readonly policy_decision: "allow" | "allow_with_exception";
    readonly policy_revision: number;
    readonly exception_ref: string | null;
    readonly exception_ends_at: string | null;
  };
  readonly attested_items: AttestedItems;
};

export const textOf = (value: unknown): string => canonicalJson(value as Json);
export const refTo = (where: string, what: unknown): string =>
  `${where}@${digestOf(typeof what === "string" ? what : textOf(what))}`;
export const digestOfSpec = (spec: unknown): string => digestOf(textOf(spec));

export function certificateStatement(manifest: CertificateManifest): string {
  const { bot_id, version, artifact } = manifest;
  return textOf({
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      { name: `bot:${bot_id}/${version}`, digest: { sha256: hexOf(digestOf(textOf(manifest))) } },
      { name: `pack:${artifact.pack_id}`, digest: { sha256: hexOf(artifact.digest) } },
    ],
    predicateType: CERTIFICATE_PREDICATE,
    predicate: manifest,
  });
}

/** `waiting`: it is of a version that its bot does not have yet. */
export const STANDS = ["in_force", "waiting", "stale", "revoked"] as const;
export type Stands = (typeof STANDS)[number];

/** How a certificate stands at a moment; `stands` is what the home that issued it would say to a start. */
export type CertificateStatus = {
  readonly cert_id: string;
  readonly manifest_hash: string;
  readonly environment: string;
  readonly status: "issued" | "revoked";
  readonly revoked_at: string | null;
  readonly stands: Stands;
  readonly why: readonly string[];
  readonly produced_at: string;
};

export function statusOf(
  row: Pick<CertificateRow, "cert_id" | "manifest_hash" | "status" | "revoked_at">,
  of: { readonly environment: string; readonly stands: Stands; readonly why: readonly string[] },
  now: number,
): CertificateStatus {
  return {
    cert_id: row.cert_id,
    manifest_hash: row.manifest_hash,
    environment: of.environment,
    status: row.status,
    revoked_at: row.revoked_at === null ? null : isoFromMicros(micros(row.revoked_at)),
    stands: of.stands,
    why: of.why,
    produced_at: isoFromMicros(micros(now)),
  };
}

export function statusStatement(status: CertificateStatus): string {
  return textOf({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: `certificate:${status.cert_id}`, digest: { sha256: hexOf(status.manifest_hash) } }],
    predicateType: STATUS_PREDICATE,
    predicate: status,
  });
}

export const hexOf = (digest: string): string => digest.slice("sha256:".length);
