/** What changes answer. */
import { CONFIRMATION_FACTORS } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN, UuidField } from "../shared/answers.ts";
import { DigestField } from "../shared/fields.ts";
import { CHANGE_STATES } from "./model.ts";

const ChangeStateField = Type.Union(CHANGE_STATES.map((state) => Type.Literal(state)));
const note = {
  change_id: UuidField,
  state: ChangeStateField,
  operation: Type.String(),
  target: Type.Object({ resource_type: Type.String(), resource_id: Type.String() }, OPEN),
  requires: Type.Array(Type.Union(CONFIRMATION_FACTORS.map((factor) => Type.Literal(factor)))),
  phrase: nullable(Type.String()),
  expires_at: InstantField,
} as const;
const summary = {
  ...note,
  proposed_by: Type.String(),
  proposed_at: InstantField,
  approver_roles: Type.Array(Type.String()),
  command_id: UuidField,
  reason: nullable(Type.String()),
  settled_by: nullable(Type.String()),
} as const;
const Diff = Type.Array(Type.Object({ field: Type.String() }, OPEN), {
  description: "Field by field: what stands there now, and what would.",
});
const Refusals = Type.Array(AnythingField, { description: "Who would refuse it now, with codes." });

export const ChangesAnswer = Type.Object(
  { changes: Type.Array(Type.Object(summary, OPEN)), count: CountField, next_cursor: CursorField },
  OPEN,
);
export const ProposedAnswer = Type.Object(
  { ...note, intent_hash: DigestField, diff: Diff, impact: AnythingField, blocked_by: Refusals, base: AnythingField },
  OPEN,
);
export const WholeChangeAnswer = Type.Object(
  {
    ...summary,
    intent_hash: DigestField,
    intent: AnythingField,
    diff: Diff,
    impact: nullable(AnythingField),
    blocked_by: nullable(Refusals),
    environment: Type.String(),
    approvals: Type.Array(AnythingField),
    settled_at: nullable(InstantField),
    settled_reason: nullable(Type.String()),
    error_code: nullable(Type.String()),
  },
  OPEN,
);
export const SettledChangeAnswer = Type.Object({ ...note, intent_hash: DigestField }, OPEN);
