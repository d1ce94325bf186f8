/** What staged intents answer. */
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN } from "../shared/answers.ts";

export const StagedAnswer = Type.Object(
  {
    run_id: Type.String(),
    idempotency_key: Type.String(),
    seq: CountField,
    bot_id: Type.String(),
    strategy_id: Type.String(),
    instance_id: Type.String(),
    trace_id: Type.String(),
    epoch: CountField,
    staged_at: InstantField,
    expires_at: InstantField,
    state: Type.String(),
    reason_code: nullable(Type.String()),
    decision: nullable(Type.Union(["approve", "reject"].map((word) => Type.Literal(word)))),
    decided_by: nullable(Type.String()),
    decided_at: nullable(InstantField),
    decision_reason: nullable(Type.String()),
    is_delivered: Type.Boolean(),
    failure: nullable(AnythingField),
    client_order_id: nullable(Type.String()),
    intent: AnythingField,
  },
  OPEN,
);
export const StagedListAnswer = Type.Object(
  { intents: Type.Array(StagedAnswer), count: CountField, next_cursor: CursorField },
  OPEN,
);
