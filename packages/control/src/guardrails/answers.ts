/** What guardrails answer. */
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, InstantField, nullable, OPEN, UuidField } from "../shared/answers.ts";
import { FRICTIONS } from "./model.ts";

const revision = {
  guardrail_id: nullable(UuidField),
  version: CountField,
  high_risk_actions: Type.Array(Type.String()),
  friction_level_by_action: Type.Record(
    Type.String(),
    Type.Array(Type.Union(FRICTIONS.map((one) => Type.Literal(one)))),
  ),
  contextual_warnings: Type.Record(Type.String(), Type.Array(Type.String())),
  hard_block_conditions: Type.Array(AnythingField),
  dry_run_within_seconds: CountField,
  digest: nullable(Type.String()),
  reason: nullable(Type.String()),
  updated_at: nullable(InstantField),
  updated_by: nullable(Type.String()),
} as const;
export const GuardrailAnswer = Type.Object(revision, OPEN);
export const SetGuardrailAnswer = Type.Object({ ...revision, loosened: Type.Array(Type.String()) }, OPEN);
export const GuardrailsAnswer = Type.Object(
  { revisions: Type.Array(Type.Object(revision, OPEN)), count: CountField },
  OPEN,
);
