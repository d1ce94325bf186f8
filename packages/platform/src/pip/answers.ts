/** What the operations of pip candidates answer. */
import { isoFromMicros, micros } from "@rumi/kernel";
import { Type, type TNull, type TSchema, type TUnion } from "@sinclair/typebox";
import { CANDIDATE_STATES, stateAt } from "../candidates/model.ts";
import type { PipCandidate } from "./scan.ts";

const OPEN = { additionalProperties: true } as const;
const nullable = <T extends TSchema>(of: T): TUnion<[T, TNull]> => Type.Union([of, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });

const candidate = {
  candidate_key: Type.String(),
  pack_id: Type.String(),
  path: Type.String({ description: "Of the lock, below the pack's root." }),
  sha256: Type.String(),
  status: Type.Union(CANDIDATE_STATES.map((state) => Type.Literal(state))),
  packages: Type.Array(Type.Object({ name: Type.String(), version: Type.String() }, OPEN)),
  index_url: nullable(Type.String()),
  allow_sdist: nullable(Type.Boolean()),
  environment: nullable(Type.String({ description: "Digest of what was installed." })),
  rejections: Count,
  cooldown_until: nullable(Type.String({ description: "RFC 3339, UTC." })),
  note: nullable(Type.String()),
} as const;

export const PipAnswer = Type.Object(candidate, OPEN);
export const PipRequestsAnswer = Type.Object({ requests: Type.Array(PipAnswer), count: Count }, OPEN);
export const PipBlockedAnswer = Type.Object({ blocked: Type.Array(PipAnswer), count: Count }, OPEN);
export const PipUnblockedAnswer = Type.Object({ ...candidate, status_after: Type.String() }, OPEN);
export const PipScanAnswer = Type.Object(
  {
    scanned: Count,
    new_candidates: Count,
    candidates: Type.Array(PipAnswer),
    skipped_count: Count,
    skipped: Type.Array(
      Type.Object(
        {
          pack_id: Type.String(),
          path: nullable(Type.String()),
          error_code: nullable(Type.String()),
          reason: Type.String(),
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);

export function pipView(one: PipCandidate, now: number) {
  const { path, sha256, packages, installed } = one.facts;
  return {
    candidate_key: one.candidate_key,
    pack_id: one.pack_id,
    path,
    sha256,
    status: stateAt(one, now),
    packages,
    index_url: installed?.index_url ?? null,
    allow_sdist: installed?.allow_sdist ?? null,
    environment: installed?.environment ?? null,
    rejections: one.rejections,
    cooldown_until: one.cooldown_until === null ? null : isoFromMicros(micros(one.cooldown_until)),
    note: one.note,
  };
}
