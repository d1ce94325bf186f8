/** What the operations of packs answer. Open objects: answers may gain fields, so a schema says what is always there. */
import { Type, type TNull, type TSchema, type TUnion } from "@sinclair/typebox";
import { PACK_STATES } from "./model.ts";

const OPEN = { additionalProperties: true } as const;
const nullable = <T extends TSchema>(of: T): TUnion<[T, TNull]> => Type.Union([of, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
const State = Type.Union(PACK_STATES.map((state) => Type.Literal(state)));

const pack = {
  pack_id: Type.String(),
  status: State,
  state: State,
  display_name: nullable(Type.String()),
  version: nullable(Type.String()),
  pack_identity: nullable(Type.String()),
  digest: nullable(Type.String()),
  approved_digest: nullable(Type.String()),
  approved_by: nullable(Type.String()),
  approved_at: nullable(Type.Integer({ minimum: 0, description: "Microseconds since 1970." })),
  source_dir: Type.String(),
  note: nullable(Type.String()),
  strategies: Type.Array(
    Type.Object({ strategy_id: Type.String(), strategy_version: Type.String(), runtime_kind: Type.String() }, OPEN),
  ),
  generation: Count,
} as const;
const Manifest = nullable(Type.Object({}, { ...OPEN, description: "The pack's manifest." }));
const Words = Type.Array(Type.String());

export const PackAnswer = Type.Object(pack, OPEN);
export const PacksAnswer = Type.Object({ packs: Type.Array(PackAnswer), count: Count }, OPEN);
const PermissionDiff = Type.Object({ added: Words, removed: Words }, OPEN);
export const PendingPacksAnswer = Type.Object(
  { packs: Type.Array(Type.Object({ ...pack, permission_diff: PermissionDiff }, OPEN)), count: Count },
  OPEN,
);
export const WholePackAnswer = Type.Object(
  { ...pack, manifest: Manifest, approved_manifest: Manifest, permission_diff: PermissionDiff },
  OPEN,
);
export const ScanAnswer = Type.Object(
  {
    scanned: Count,
    new_packs: Count,
    modified: Words,
    skipped: Type.Array(
      Type.Object({ source_dir: Type.String(), error_code: Type.String(), problem: Type.String() }, OPEN),
    ),
    packs: Type.Array(PackAnswer),
  },
  OPEN,
);
export const ApprovedPackAnswer = Type.Object({ ...pack, permission_diff: PermissionDiff }, OPEN);
export const StagedPackAnswer = Type.Object(
  {
    staging_id: Type.String(),
    pack_id: Type.String(),
    pack_identity: Type.String(),
    version: Type.String(),
    digest: Type.String(),
    files: Count,
    bytes: Count,
    warnings: Words,
  },
  OPEN,
);
export const StagedPacksAnswer = Type.Object(
  {
    staged: Type.Array(
      Type.Object(
        {
          staging_id: Type.String(),
          pack_id: Type.String(),
          pack_identity: Type.String(),
          version: Type.String(),
          digest: Type.String(),
          files: Count,
          bytes: Count,
          origin: Type.String({
            description: "The path that it was imported from, or `upload:` and what its sender called it.",
          }),
          imported_at: Type.String({ description: "RFC 3339, UTC." }),
          installed_digest: nullable(Type.String({ description: "Of what an apply would replace." })),
          installed_version: nullable(Type.String()),
          permission_diff: PermissionDiff,
        },
        OPEN,
      ),
    ),
    count: Count,
    upload_limit_bytes: Type.Integer({ minimum: 1, description: "Of one archive that is sent in a request's body." }),
  },
  OPEN,
);
export const AppliedPackAnswer = Type.Object(
  { ...pack, staging_id: Type.String(), backup: nullable(Type.String()) },
  OPEN,
);
export const UninstalledPackAnswer = Type.Object({ pack_id: Type.String(), uninstalled: Type.Literal(true) }, OPEN);
