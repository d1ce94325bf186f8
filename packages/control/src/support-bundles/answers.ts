/** What the operations of support bundles answer. */
import { Type } from "@sinclair/typebox";
import { DigestHexField, InstantField, nullable, NoteField, OPEN, UuidField } from "../shared/answers.ts";
import { BUNDLE_STATES } from "./tables.ts";

/** As the contract support_bundle_manifest says it in full. */
const Manifest = Type.Object(
  {
    schema_version: Type.Literal(1),
    bundle_id: UuidField,
    diag_semver: Type.String(),
    description: Type.Optional(Type.String()),
    files: Type.Array(
      Type.Object({ path: Type.String(), size_bytes: Type.Integer({ minimum: 0 }), sha256: DigestHexField }, OPEN),
    ),
    created_at: InstantField,
    policy_summary: Type.Object({ archive_format: Type.String(), max_total_bytes: Type.Integer() }, OPEN),
  },
  OPEN,
);
export const BundleAnswer = Type.Object(
  {
    bundle_id: UuidField,
    state: Type.Union(BUNDLE_STATES.map((state) => Type.Literal(state))),
    bot_id: nullable(Type.String()),
    description: nullable(Type.String()),
    reason: Type.String(),
    requested_by: Type.String(),
    created_at: InstantField,
    ready_at: nullable(InstantField),
    manifest: nullable(Manifest),
    manifest_sha256: nullable(DigestHexField),
    archive_sha256: nullable(DigestHexField),
    archive_bytes: nullable(Type.Integer()),
    path: nullable(Type.String()),
    failure: nullable(NoteField),
  },
  OPEN,
);
export const BundlesAnswer = Type.Object({ bundles: Type.Array(BundleAnswer), count: Type.Integer() }, OPEN);
export const BundleArchiveAnswer = Type.Object(
  {
    bundle_id: UuidField,
    archive_format: Type.Literal("zip"),
    archive_sha256: DigestHexField,
    manifest_sha256: DigestHexField,
    archive_base64: Type.String(),
  },
  OPEN,
);
