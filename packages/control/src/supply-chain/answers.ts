/** What the operations of the supply-chain gate answer. */
import { ID_PATTERNS } from "@rumi/kernel";
import { Type } from "@sinclair/typebox";
import { CountField, CursorField, DigestHexField, InstantField, nullable, OPEN, UuidField } from "../shared/answers.ts";
import { ROOT_STATES } from "./trust-roots.ts";

const root = {
  keyid: DigestHexField,
  name: Type.String(),
  state: Type.Union(ROOT_STATES.map((word) => Type.Literal(word))),
  public_key_pem: Type.String(),
  valid_from: InstantField,
  valid_until: InstantField,
  added_by: Type.String(),
  approval_id: Type.String(),
  added_at: InstantField,
  retired_by: nullable(Type.String()),
  revoked_at: nullable(InstantField),
  revoked_by: nullable(Type.String()),
  reason: Type.String(),
} as const;
export const TrustRootAnswer = Type.Object({ ...root, changed: Type.Optional(Type.Boolean()) }, OPEN);
export const TrustRootsAnswer = Type.Object({ trust_roots: Type.Array(TrustRootAnswer), count: CountField }, OPEN);

const signature = {
  artifact_id: Type.String({ pattern: ID_PATTERNS.digest }),
  signature_id: DigestHexField,
  keyids: Type.Array(Type.String(), { description: "As the envelope names them; whether they are true is judged." }),
  added_by: Type.String(),
  added_at: InstantField,
} as const;
export const SignatureAnswer = Type.Object({ ...signature, changed: Type.Boolean() }, OPEN);
export const SignaturesAnswer = Type.Object(
  {
    signatures: Type.Array(Type.Object({ ...signature, envelope: Type.Object({}, OPEN) }, OPEN)),
    count: CountField,
  },
  OPEN,
);

const Tolerated = Type.Integer({ minimum: 0 });
const policy = {
  revision: Type.Integer({ minimum: 0, description: "0 is the default, which nobody set." }),
  policy: Type.Object(
    {
      require_signature: Type.Boolean(),
      require_lock_files: Type.Boolean(),
      require_hashes: Type.Boolean(),
      require_advisories: Type.Boolean(),
      max_allowed: Type.Object(
        { critical: Tolerated, high: Tolerated, medium: Tolerated, low: Tolerated, unknown: Tolerated },
        OPEN,
      ),
      advisories_max_age_seconds: Tolerated,
      exceptions: Type.Object({ allowed: Type.Boolean(), max_seconds: Tolerated }, OPEN),
    },
    OPEN,
  ),
  policy_digest: Type.String({ pattern: ID_PATTERNS.digest }),
  asks_for_report: Type.Boolean({ description: "An artifact that the gate never saw is denied." }),
  reason: nullable(Type.String()),
  set_by: nullable(Type.String()),
  approval_id: nullable(Type.String()),
  set_at: nullable(InstantField),
} as const;
export const SupplyPolicyAnswer = Type.Object({ ...policy, changed: Type.Optional(Type.Boolean()) }, OPEN);
export const SupplyPoliciesAnswer = Type.Object({ policies: Type.Array(SupplyPolicyAnswer), count: CountField }, OPEN);

const ArtifactField = Type.String({ pattern: ID_PATTERNS.digest });
const decision = {
  policy_revision: Tolerated,
  policy_decision: Type.Union(["allow", "deny", "allow_with_exception"].map((word) => Type.Literal(word))),
  reason_code: nullable(Type.String({ description: "L.SUPPLY_CHAIN.DENIED where it is denied." })),
  exception_ref: nullable(Type.String({ description: "The override that excepts something." })),
  triage: Type.Array(
    Type.Object(
      {
        code: Type.String(),
        what: Type.String(),
        component: nullable(Type.String({ description: "A package URL." })),
        advisory_id: nullable(Type.String()),
        aliases: Type.Array(Type.String()),
        severity: nullable(Type.String()),
        probable_fix: Type.String(),
        next_step: Type.String(),
        excepted_by: nullable(Type.String()),
      },
      OPEN,
    ),
  ),
  valid_until: nullable(InstantField),
} as const;
const report = {
  scg_id: UuidField,
  artifact_id: ArtifactField,
  pack_id: Type.String(),
  pack_version: Type.String(),
  sbom_ref: nullable(Type.String({ pattern: ID_PATTERNS.digest, description: "Null: its locks cannot be read." })),
  components: nullable(CountField),
  signature_verified: Type.Boolean(),
  signature: Type.Object(
    {
      keyid: nullable(Type.String()),
      reasons: Type.Array(Type.Object({ code: Type.String(), what: Type.String() }, OPEN)),
    },
    OPEN,
  ),
  vulnerability_summary_ref: Type.String({ pattern: ID_PATTERNS.digest }),
  vulnerabilities: Type.Object(
    { critical: CountField, high: CountField, medium: CountField, low: CountField, unknown: CountField },
    OPEN,
  ),
  advisories: Type.Object({ known: Type.Boolean() }, OPEN),
  ...decision,
  reason: Type.String(),
  produced_by: Type.String(),
  produced_at: InstantField,
} as const;
export const SupplyReportAnswer = Type.Object(
  {
    ...report,
    stands: Type.Object(
      { artifact_id: ArtifactField, scg_id: nullable(UuidField), ...decision },
      { ...OPEN, description: "How the artifact stands now, by its newest report." },
    ),
  },
  OPEN,
);
export const SupplyReportsAnswer = Type.Object(
  { reports: Type.Array(Type.Object(report, OPEN)), count: CountField, next_cursor: CursorField },
  OPEN,
);
const file = { scg_id: UuidField, artifact_id: ArtifactField } as const;
const TextField = Type.String({ description: "The very bytes whose SHA-256 the reference is." });
export const SupplyBillAnswer = Type.Object({ ...file, sbom_ref: ArtifactField, sbom: TextField }, OPEN);
export const SupplySummaryAnswer = Type.Object(
  { ...file, vulnerability_summary_ref: ArtifactField, summary: TextField },
  OPEN,
);
