/** What policies answer. */
import { CONFIRMATION_FACTORS } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { CountField, InstantField, OPEN } from "../shared/answers.ts";

const VerdictField = Type.Union(["allow", "deny", "error"].map((word) => Type.Literal(word)));
export const PolicyAnswer = Type.Object(
  {
    version: CountField,
    cedar: Type.String(),
    confirmations: Type.Array(
      Type.Object(
        {
          operation: Type.String(),
          requires: Type.Array(Type.Union(CONFIRMATION_FACTORS.map((factor) => Type.Literal(factor)))),
        },
        OPEN,
      ),
    ),
    digest: Type.String(),
    // Of a version that somebody set; a home begins with none.
    environment: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
    created_at: Type.Optional(InstantField),
    created_by: Type.Optional(Type.String()),
  },
  OPEN,
);
export const PoliciesAnswer = Type.Object({ versions: Type.Array(PolicyAnswer), count: CountField }, OPEN);
export const SimulationAnswer = Type.Object(
  {
    base_version: CountField,
    policies: Type.Array(Type.String()),
    replayed: CountField,
    flips: Type.Array(
      Type.Object(
        {
          principal: Type.String(),
          operation: Type.String(),
          resource: Type.String(),
          before: VerdictField,
          after: VerdictField,
          policies: Type.Array(Type.String({ description: "Those that forbid it." })),
          times: CountField,
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);
