/** What commands answer. */
import { Type } from "@sinclair/typebox";
import { EventField } from "../audit/answers.ts";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN } from "../shared/answers.ts";

const TransitionField = Type.Object({ from: Type.String(), to: Type.String() }, OPEN);
export const SubmittedAnswer = Type.Object(
  { command_id: Type.String(), status: Type.Union([Type.Literal("accepted"), Type.Literal("applied")]) },
  OPEN,
);
const Command = Type.Object(
  {
    command_id: Type.String(),
    bot_id: Type.String(),
    actor: Type.String(),
    reason: Type.String(),
    trace_id: Type.String(),
    run_id: nullable(Type.String()),
    status: Type.String(),
    requested_transition: TransitionField,
    created_at: InstantField,
  },
  OPEN,
);
export const CommandsAnswer = Type.Object(
  { commands: Type.Array(Command), count: CountField, next_cursor: CursorField },
  OPEN,
);
export const WholeCommandAnswer = Type.Object(
  {
    command_id: Type.String(),
    status: Type.String(),
    reason_code: nullable(Type.String()),
    error_code: nullable(Type.String()),
    requested_transition: Type.Optional(AnythingField),
    audit: Type.Array(EventField),
  },
  OPEN,
);
