/** What a look into a living instance answers. */
import { Type } from "@sinclair/typebox";
import { InstanceField } from "../bots/answers.ts";
import { AnythingField, CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";

const Reasons = Type.Array(
  Type.Object({ reason: Type.String(), count: CountField, runbook: nullable(Type.String()) }, OPEN),
);
export const InspectionAnswer = Type.Object(
  {
    ...InstanceField.properties,
    sampled_at: InstantField,
    live: nullable(AnythingField),
    discarded: Reasons,
    faults: Reasons,
    recent_intents: Type.Array(
      Type.Object(
        {
          schema_version: Type.Literal(1),
          run_id: Type.String(),
          trace_id: Type.String(),
          seq: CountField,
          event_time: InstantField,
          verdict: Type.String(),
          reason_code: nullable(Type.String()),
          runbook: nullable(Type.String()),
          client_order_id: nullable(Type.String()),
          idempotency_key: Type.String(),
          intent: AnythingField,
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);
