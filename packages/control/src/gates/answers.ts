/** What gates answer: the contract gate_results, with whether it is required and who reported it beside it. */
import { Type } from "@sinclair/typebox";
import { InstantField, nullable, OPEN, UuidField } from "../shared/answers.ts";

export const GateAnswer = Type.Object(
  {
    schema_version: Type.Literal(1),
    run_id: UuidField,
    gate: Type.String(),
    passed: Type.Boolean(),
    rules: Type.Array(
      Type.Object({ rule_id: Type.String(), passed: Type.Boolean(), message: Type.Optional(Type.String()) }, OPEN),
    ),
    evaluated_at: InstantField,
    state: Type.Union(["PASS", "FAIL", "UNKNOWN"].map((word) => Type.Literal(word))),
    expires_at: InstantField,
    required: Type.Boolean(),
    reported_by: Type.Optional(nullable(Type.String())),
  },
  OPEN,
);
export const GatesAnswer = Type.Object({ gates: Type.Array(GateAnswer) }, OPEN);
