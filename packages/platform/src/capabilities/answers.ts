/** What the operations of capability candidates answer, as the Operations Guide prints it. */
import { isoFromMicros, micros } from "@rumi/kernel";
import { Type, type TNull, type TSchema, type TUnion } from "@sinclair/typebox";
import { CANDIDATE_STATES, stateAt, type Candidate } from "../candidates/model.ts";
import type { HandlerFacts } from "./handler.ts";

const OPEN = { additionalProperties: true } as const;
const nullable = <T extends TSchema>(of: T): TUnion<[T, TNull]> => Type.Union([of, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });

const candidate = {
  candidate_key: Type.String(),
  pack_id: Type.String(),
  slug: Type.String(),
  handler_id: Type.String(),
  permission_id: Type.String(),
  sha256: Type.String(),
  status: Type.Union(CANDIDATE_STATES.map((state) => Type.Literal(state))),
  description: Type.String(),
  risk: Type.String(),
  rejections: Count,
  cooldown_until: nullable(Type.String({ description: "RFC 3339, UTC." })),
  note: nullable(Type.String()),
} as const;

export const CandidateAnswer = Type.Object(candidate, OPEN);
export const CandidatesAnswer = Type.Object({ requests: Type.Array(CandidateAnswer), count: Count }, OPEN);
export const BlockedAnswer = Type.Object({ blocked: Type.Array(CandidateAnswer), count: Count }, OPEN);
export const CandidateScanAnswer = Type.Object(
  {
    scanned: Count,
    new_candidates: Count,
    candidates: Type.Array(CandidateAnswer),
    skipped_count: Count,
    skipped: Type.Array(
      Type.Object(
        {
          pack_id: Type.String(),
          slug: nullable(Type.String()),
          error_code: nullable(Type.String()),
          reason: Type.String(),
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);
export const InstalledAnswer = Type.Object(
  { ...candidate, trusted: Type.Literal(true), path: Type.String({ description: "Of the copy, below the home." }) },
  OPEN,
);
export const UnblockedAnswer = Type.Object({ ...candidate, status_after: Type.String() }, OPEN);

export function candidateView(one: Candidate<HandlerFacts>, now: number) {
  const { slug, handler_id, permission_id, sha256, description, risk } = one.facts;
  return {
    candidate_key: one.candidate_key,
    pack_id: one.pack_id,
    slug,
    handler_id,
    permission_id,
    sha256,
    status: stateAt(one, now),
    description,
    risk,
    rejections: one.rejections,
    cooldown_until: one.cooldown_until === null ? null : isoFromMicros(micros(one.cooldown_until)),
    note: one.note,
  };
}
