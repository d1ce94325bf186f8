/** What reading a preflight report answers. */
import { Type } from "@sinclair/typebox";
import { InstantField, nullable, OPEN } from "../shared/answers.ts";
import { PREFLIGHT_ITEMS } from "./model.ts";

export const PreflightAnswer = Type.Object(
  {
    report_id: Type.String(),
    bot_id: Type.String(),
    command_id: Type.String(),
    passed: Type.Boolean(),
    items: Type.Array(
      Type.Object(
        {
          item: Type.Union(PREFLIGHT_ITEMS.map((item) => Type.Literal(item))),
          state: Type.Union(["PASS", "FAIL", "NOTE", "OVERRIDDEN"].map((word) => Type.Literal(word))),
          error_code: nullable(Type.String()),
          message: Type.String(),
          next: Type.String(),
          override_id: Type.Optional(Type.String()),
        },
        OPEN,
      ),
    ),
    created_at: InstantField,
  },
  OPEN,
);
