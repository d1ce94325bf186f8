/** What the operations of bulks answer. */
import { Type } from "@sinclair/typebox";
import { CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";

const Ids = Type.Array(Type.String());
const bulk = {
  bulk_id: Type.String(),
  state: Type.Union(["running", "over"].map((word) => Type.Literal(word))),
  actor: Type.String(),
  reason: Type.String(),
  requested_transition: Type.Object({ from: Type.String(), to: Type.String() }, OPEN),
  digest: Type.String({ description: "Of the list as it was frozen." }),
  group_id: nullable(Type.String()),
  group_generation: nullable(CountField),
  wave: CountField,
  next: Ids,
  waiting: Ids,
  in_flight: Ids,
  done: Ids,
  failed: Type.Array(Type.Object({ bot_id: Type.String() }, { ...OPEN, description: "Each with why." })),
  errors: CountField,
  max_errors: CountField,
  aborted: Type.Boolean(),
  paused: Type.Boolean(),
  tries: CountField,
  created_at: InstantField,
} as const;
export const BulkAnswer = Type.Object(bulk, OPEN);
export const BulksAnswer = Type.Object({ bulks: Type.Array(BulkAnswer), count: CountField }, OPEN);
export const BulkBegunAnswer = Type.Object(
  {
    ...bulk,
    left_out: Type.Array(Type.Object({ bot_id: Type.String(), state: Type.String() }, OPEN), {
      description: "Meant by the selector, and in another state than the wish is for.",
    }),
  },
  OPEN,
);
export const BulkToldAnswer = Type.Object({ ...bulk, changed: Type.Boolean() }, OPEN);
