/** What the interlocks answer. */
import { Type } from "@sinclair/typebox";
import { InstantField, nullable, OPEN } from "../shared/answers.ts";
import { INTERLOCK_RULES } from "./model.ts";

export const InterlocksAnswer = Type.Object(
  {
    interlocks: Type.Array(
      Type.Object(
        {
          rule: Type.Union(INTERLOCK_RULES.map((rule) => Type.Literal(rule))),
          reading: nullable(Type.Number()),
          threshold: Type.Number(),
          default_threshold: Type.Number(),
          unit: Type.String(),
          trips: Type.String(),
          action: Type.Union(["SAFE", "EMERGENCY_STOP"].map((word) => Type.Literal(word))),
          latched: Type.Boolean(),
          tripped: Type.Boolean(),
          holds_since: nullable(InstantField),
          reason: nullable(Type.String()),
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);
