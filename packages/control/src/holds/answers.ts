/** What freezes, incidents and locks answer. */
import { Type } from "@sinclair/typebox";
import { AnythingField, InstantField, nullable, OPEN } from "../shared/answers.ts";
import { HOLD_KINDS } from "./tables.ts";

export const HoldAnswer = Type.Object(
  {
    hold_id: Type.String(),
    kind: Type.Union(HOLD_KINDS.map((kind) => Type.Literal(kind))),
    state: Type.Union(["IN_FORCE", "REVIEW_NEEDED", "LIFTED"].map((word) => Type.Literal(word))),
    scope: AnythingField,
    reason: Type.String(),
    set_by: Type.String(),
    set_at: InstantField,
    ends_at: nullable(InstantField),
    lifted_at: nullable(InstantField),
    lifted_by: nullable(Type.String()),
  },
  OPEN,
);
export const HoldsAnswer = Type.Object({ holds: Type.Array(HoldAnswer) }, OPEN);
