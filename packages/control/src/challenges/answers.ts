/** What challenges answer. */
import { CONFIRMATION_FACTORS } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN, UuidField } from "../shared/answers.ts";

const note = {
  challenge_id: UuidField,
  requires: Type.Array(Type.Union(CONFIRMATION_FACTORS.map((factor) => Type.Literal(factor)))),
  phrase: Type.String(),
  expiry: InstantField,
  confirm_within_seconds: CountField,
  state: Type.String(),
  training: Type.Boolean({ description: "A rehearsal: it can never become real." }),
} as const;
const summary = {
  ...note,
  operation: Type.String(),
  target: Type.Object({ resource_type: Type.String(), resource_id: Type.String() }, OPEN),
  requester: Type.String(),
  command_id: Type.String(),
  reason: nullable(Type.String()),
  created_at: InstantField,
  settled_by: nullable(Type.String()),
} as const;
export const ChallengesAnswer = Type.Object(
  { challenges: Type.Array(Type.Object(summary, OPEN)), count: CountField, next_cursor: CursorField },
  OPEN,
);
export const WholeChallengeAnswer = Type.Object(
  {
    ...summary,
    intent_hash: Type.String(),
    intent: AnythingField,
    environment: Type.String(),
    approvals: Type.Array(AnythingField),
    settled_at: nullable(InstantField),
    error_code: nullable(Type.String()),
  },
  OPEN,
);
export const SettledChallengeAnswer = Type.Object({ ...note, intent_hash: Type.String() }, OPEN);
