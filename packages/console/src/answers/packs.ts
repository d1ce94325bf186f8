/** Answers about packs: what they are, what they ask for, what they were given, what they are made of. */
import { anything, flag, integer, list, mapOf, nullable, object, oneOf, optional, text, type Of } from "./shape.ts";

const words = list(text);
const diff = object({ added: words, removed: words });
export type PermissionDiff = Of<typeof diff>;

/** In a preview, which holds it where there is something to approve. */
export const permissionDiffIn = (value: unknown): PermissionDiff | null =>
  value === undefined ? null : diff(value, "permission_diff");

export const PACK_STATES = ["scanned", "pending", "approved", "rejected", "modified"] as const;
export type PackState = (typeof PACK_STATES)[number];
const packFields = {
  pack_id: text,
  state: oneOf(...PACK_STATES),
  display_name: nullable(text),
  version: nullable(text),
  pack_identity: nullable(text),
  digest: nullable(text),
  approved_digest: nullable(text),
  approved_by: nullable(text),
  /** Microseconds since 1970. */
  approved_at: nullable(integer),
  source_dir: text,
  note: nullable(text),
  strategies: list(object({ strategy_id: text, strategy_version: text, runtime_kind: text })),
} as const;
const pack = object(packFields);
export type PackRow = Of<typeof pack>;
export const packRows = object({ packs: list(pack) });

const manifest = object({
  description: optional(text),
  license: optional(text),
  required_network: optional(list(anything)),
  required_secrets: optional(words),
});
export type PackManifest = Of<typeof manifest>;
export const wholePack = object({
  ...packFields,
  manifest: nullable(manifest),
  approved_manifest: nullable(manifest),
  permission_diff: diff,
});
export type WholePack = Of<typeof wholePack>;

/** A required name, with the ports that it is wanted at; none are said where it is a plain name. */
export function networkWish(one: unknown): { readonly domain: string; readonly ports: readonly number[] } {
  if (typeof one === "string") return { domain: one, ports: [] };
  const { domain, ports } = object({ domain: text, ports: optional(list(integer)) })(one, "required_network");
  return { domain, ports: ports ?? [] };
}

const staged = object({
  staging_id: text,
  pack_id: text,
  version: text,
  digest: text,
  files: integer,
  bytes: integer,
  origin: text,
  imported_at: text,
  installed_version: nullable(text),
  permission_diff: diff,
});
export type StagedPack = Of<typeof staged>;
export const stagedPacks = object({ staged: list(staged), upload_limit_bytes: integer });

export type CandidateState = Candidate["status"];
const candidateFields = {
  candidate_key: text,
  pack_id: text,
  sha256: text,
  status: oneOf("pending", "installed", "rejected", "blocked", "failed"),
  rejections: integer,
  cooldown_until: nullable(text),
  note: nullable(text),
} as const;
const candidate = object({
  ...candidateFields,
  slug: text,
  handler_id: text,
  permission_id: text,
  description: text,
  risk: text,
});
export type Candidate = Of<typeof candidate>;
export const candidatesAnswer = object({ requests: list(candidate) });

const libraries = object({
  ...candidateFields,
  path: text,
  packages: list(object({ name: text, version: text })),
  index_url: nullable(text),
  allow_sdist: nullable(flag),
  environment: nullable(text),
});
export type Libraries = Of<typeof libraries>;
export const librariesAnswer = object({ requests: list(libraries) });
/** What the server notes while an approved list is being installed. */
export const INSTALLING = "approved; its installation has not ended";

const grant = object({
  principal_id: text,
  permission_id: text,
  config: mapOf(anything),
  granted_at: text,
  granted_by: text,
  in_force: flag,
  why_not: nullable(text),
  effective_config: nullable(mapOf(anything)),
});
export type Grant = Of<typeof grant>;
export const grantsAnswer = object({ grants: list(grant) });
export const batchAnswer = object({
  succeeded: integer,
  failed: integer,
  results: list(
    object({
      principal_id: nullable(text),
      permission_id: nullable(text),
      success: flag,
      error_code: optional(text),
      error: optional(text),
    }),
  ),
});
export type BatchAnswer = Of<typeof batchAnswer>;

const network = object({
  pack_id: text,
  allowed_domains: words,
  allowed_ports: list(integer),
  granted_at: text,
  granted_by: text,
  in_force: flag,
  why_not: nullable(text),
});
export type NetworkGrant = Of<typeof network>;
export const networkAnswer = object({ grants: list(network) });
export const networkCheck = object({
  domain: text,
  port: integer,
  allowed: flag,
  denied_by: nullable(text),
  reason: nullable(text),
  resolved: flag,
});
export type NetworkCheck = Of<typeof networkCheck>;

const secret = object({ key: text, exists: flag, deleted: flag, created_at: text, updated_at: text });
export type Secret = Of<typeof secret>;
export const secretsAnswer = object({ secrets: list(secret) });

const record = object({
  lib: text,
  file: text,
  state: text,
  error: nullable(text),
  duration_ms: anything,
  executed_at: text,
});
export const recordsAnswer = object({ records: list(record) });

const counts = object({ critical: integer, high: integer, medium: integer, low: integer, unknown: integer });
const decision = {
  policy_revision: integer,
  policy_decision: oneOf("allow", "deny", "allow_with_exception"),
  reason_code: nullable(text),
  exception_ref: nullable(text),
  triage: list(
    object({
      code: text,
      what: text,
      component: nullable(text),
      advisory_id: nullable(text),
      severity: nullable(text),
      probable_fix: text,
      next_step: text,
      excepted_by: nullable(text),
    }),
  ),
  valid_until: nullable(text),
} as const;
const reportFields = {
  scg_id: text,
  artifact_id: text,
  sbom_ref: nullable(text),
  components: nullable(integer),
  signature_verified: flag,
  signature: object({ keyid: nullable(text), reasons: list(object({ code: text, what: text })) }),
  vulnerabilities: counts,
  advisories: object({ known: flag }),
  ...decision,
  produced_by: text,
  produced_at: text,
} as const;
export const supplyReports = object({ reports: list(object(reportFields)) });
export const supplyReport = object({ ...reportFields, stands: object(decision) });
export type SupplyReport = Of<typeof supplyReport>;
export const supplyBill = object({ sbom: text });
export const signaturesAnswer = object({
  signatures: list(object({ signature_id: text, keyids: words, added_by: text, added_at: text })),
});
export const overridesAnswer = object({
  overrides: list(
    object({ override_id: text, state: text, reason: text, granted_by: text, approver: nullable(text), ends_at: text }),
  ),
});
