/** What the safety mode's operations answer: the contract safety_state, with its generation beside it. */
import { Type } from "@sinclair/typebox";
import { CountField, InstantField, OPEN, UuidField } from "../shared/answers.ts";
import { SAFETY_MODES } from "./model.ts";

export const SafetyAnswer = Type.Object(
  {
    schema_version: Type.Literal(1),
    state_id: UuidField,
    mode: Type.Union(SAFETY_MODES.map((mode) => Type.Literal(mode))),
    reason: Type.String(),
    activated_by: Type.Optional(Type.String()),
    activated_at: InstantField,
    resolved_at: Type.Optional(InstantField),
    generation: CountField,
  },
  OPEN,
);
