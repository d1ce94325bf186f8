/** What release certificates answer. */
import { ID_PATTERNS } from "@rumi/kernel";
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN, UuidField } from "../shared/answers.ts";
import { STANDS } from "./manifest.ts";
import { RELEASE_MODES } from "./policy.ts";

const DigestText = Type.String({ pattern: ID_PATTERNS.digest });
const RefField = Type.String({ description: "Where it can be read, and the SHA-256 of what was there." });
const certificate = {
  cert_id: UuidField,
  bot_id: Type.String(),
  version: Type.String(),
  issued_at: InstantField,
  attested_items: Type.Object(
    {
      preflight_ok_ref: RefField,
      compatibility_ok_ref: RefField,
      artifact_digest_verified_ref: RefField,
      supply_chain_ok_ref: RefField,
      runbook_attached_ref: RefField,
      changelog_gate_ok_ref: RefField,
      rollout_plan_ref: nullable(RefField),
      stop_attestation_ref: nullable(RefField),
    },
    OPEN,
  ),
  manifest_hash: DigestText,
  signature_ref: Type.String({ description: "The key, and the SHA-256 of the envelope in canonical JSON." }),
  status: Type.Union([Type.Literal("issued"), Type.Literal("revoked")]),
  reason_code: Type.String(),
  spec_digest: DigestText,
  config_hash: DigestText,
  artifact_id: DigestText,
  exception_ends_at: nullable(InstantField),
  reason: Type.String(),
  issued_by: Type.String(),
  approval_id: Type.String(),
  revoked_at: nullable(InstantField),
  revoked_by: nullable(Type.String()),
  revoke_reason: nullable(Type.String()),
} as const;
const whole = {
  ...certificate,
  manifest: AnythingField,
  envelope: AnythingField,
  public_key: nullable(Type.String()),
} as const;
const StandsField = Type.Union(STANDS.map((word) => Type.Literal(word)));

export const CertificateAnswer = Type.Object(whole, OPEN);
export const ShownCertificateAnswer = Type.Object(
  { ...whole, stands: StandsField, why: Type.Array(Type.String()) },
  OPEN,
);
export const RevokedCertificateAnswer = Type.Object({ ...certificate, changed: Type.Boolean() }, OPEN);
export const CertificatesAnswer = Type.Object(
  { certificates: Type.Array(Type.Object(certificate, OPEN)), count: CountField, next_cursor: CursorField },
  OPEN,
);
export const CertificateStatusAnswer = Type.Object(
  {
    cert_id: UuidField,
    manifest_hash: DigestText,
    environment: Type.String(),
    status: certificate.status,
    revoked_at: nullable(InstantField),
    stands: StandsField,
    why: Type.Array(Type.String()),
    produced_at: InstantField,
    envelope: AnythingField,
    public_key: Type.String(),
  },
  OPEN,
);

const policy = {
  revision: CountField,
  required_for: Type.Array(Type.Union(RELEASE_MODES.map((mode) => Type.Literal(mode)))),
  policy_digest: DigestText,
  reason: nullable(Type.String()),
  set_by: nullable(Type.String()),
  approval_id: nullable(Type.String()),
  set_at: nullable(InstantField),
} as const;
export const ReleasePolicyAnswer = Type.Object({ ...policy, changed: Type.Optional(Type.Boolean()) }, OPEN);
