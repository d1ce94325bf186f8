/** What a trace answers: the records of each kind that belong to the chain. */
import { Type } from "@sinclair/typebox";
import { EventField } from "../audit/answers.ts";
import { FindingsField } from "../bots/answers.ts";
import { AnythingField, CountField, OPEN } from "../shared/answers.ts";

const rows = Type.Array(AnythingField);
export const TraceAnswer = Type.Object(
  {
    id: Type.String(),
    commands: rows,
    runs: rows,
    events: Type.Array(EventField),
    market_events: rows,
    intents: rows,
    orders: rows,
    fills: rows,
    triage: FindingsField,
    limit: CountField,
  },
  OPEN,
);
