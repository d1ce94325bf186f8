/** What queries over the audit log answer. An event is one of the contract audit_event, with its place beside it. */
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN, UuidField } from "../shared/answers.ts";

export const EventField = Type.Object(
  {
    schema_version: Type.Literal(1),
    log_index: CountField,
    event_id: UuidField,
    actor: Type.String(),
    action: Type.String(),
    resource_type: Type.String(),
    resource_id: Type.String(),
    outcome: Type.Union(["SUCCESS", "FAILURE", "REJECTED"].map((word) => Type.Literal(word))),
    occurred_at: InstantField,
    details: AnythingField,
  },
  OPEN,
);
export const EventsAnswer = Type.Object(
  { events: Type.Array(EventField), count: CountField, next_cursor: CursorField },
  OPEN,
);
/** docs/formats/tlog.md says how it is verified offline. */
export const ProofAnswer = Type.Object(
  {
    schema_version: Type.Integer({ minimum: 1 }),
    index: CountField,
    leaf: Type.String(),
    salt: nullable(Type.String()),
    payload: nullable(Type.String({ description: "null after erasure: then it proves that the leaf is logged." })),
    hashes: Type.Array(Type.String()),
    checkpoint: Type.String(),
  },
  OPEN,
);
