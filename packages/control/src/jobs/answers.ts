/** What the operations of jobs answer. */
import { Type } from "@sinclair/typebox";
import { BulkAnswer } from "../bulk/answers.ts";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN } from "../shared/answers.ts";
import { JOB_STATES } from "./model.ts";

const TransitionField = Type.Object({ from: Type.String(), to: Type.String() }, OPEN);
const head = {
  job_id: Type.String(),
  display_name: Type.String(),
  state: Type.Union(JOB_STATES.map((state) => Type.Literal(state))),
  generation: CountField,
  spec: Type.Object({ selector: AnythingField, requested_transition: TransitionField, max_errors: CountField }, OPEN),
  bulk_id: nullable(Type.String()),
  created_at: InstantField,
  created_by: Type.String(),
} as const;
const job = { ...head, bulk: nullable(BulkAnswer) } as const;
export const JobAnswer = Type.Object(job, OPEN);
export const JobsAnswer = Type.Object(
  { jobs: Type.Array(Type.Object(head, OPEN)), count: CountField, next_cursor: CursorField },
  OPEN,
);
export const JobMovedAnswer = Type.Object(
  {
    command_id: Type.String(),
    status: Type.Union(["accepted", "applied"].map((word) => Type.Literal(word))),
    requested_transition: TransitionField,
    trace_id: Type.String(),
    ...job,
  },
  OPEN,
);
