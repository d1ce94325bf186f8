/** What the operations of overrides answer. */
import { Type } from "@sinclair/typebox";
import { CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";

const override = {
  override_id: Type.String(),
  state: Type.Union(["IN_FORCE", "EXPIRED", "REVOKED"].map((word) => Type.Literal(word))),
  bot_id: nullable(Type.String({ description: "Null where it is of an artifact." })),
  artifact_id: nullable(Type.String()),
  check: Type.String(),
  reason: Type.String(),
  granted_by: Type.String(),
  approver: nullable(Type.String()),
  approval_id: Type.String(),
  granted_at: InstantField,
  ends_at: InstantField,
  ended_at: nullable(InstantField),
  ended_by: nullable(Type.String()),
} as const;
export const OverrideAnswer = Type.Object(override, OPEN);
export const OverridesAnswer = Type.Object({ overrides: Type.Array(OverrideAnswer), count: CountField }, OPEN);
