/** What the operations of break-glass sessions answer. */
import { Type } from "@sinclair/typebox";
import { CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";

const session = {
  session_id: Type.String(),
  state: Type.Union(["OPEN", "REVIEW_PENDING", "REVIEWED"].map((word) => Type.Literal(word))),
  environment: Type.String(),
  holder: Type.String(),
  approval_id: Type.String(),
  verbs: Type.Array(Type.String()),
  reason: Type.String(),
  opened_at: InstantField,
  ends_at: InstantField,
  closed_at: nullable(InstantField),
  reviewed_at: nullable(InstantField),
  reviewed_by: nullable(Type.String()),
  review: nullable(Type.String()),
} as const;
export const SessionAnswer = Type.Object(session, OPEN);
export const SessionsAnswer = Type.Object({ sessions: Type.Array(SessionAnswer), count: CountField }, OPEN);
export const ClosedSessionAnswer = Type.Object({ ...session, changed: Type.Boolean() }, OPEN);
export const WholeSessionAnswer = Type.Object(
  {
    ...session,
    commands: Type.Array(
      Type.Object(
        {
          operation: nullable(Type.String()),
          command_id: nullable(Type.String()),
          occurred_at: InstantField,
          resource_type: Type.String(),
          resource_id: Type.String(),
          under_session: Type.Boolean({ description: "One of the session's verbs." }),
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);
