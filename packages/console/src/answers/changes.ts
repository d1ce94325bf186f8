/** Answers about changes: commands that somebody else reads before they are carried out. */
import { judgedDetail, judgedFields } from "./approvals.ts";
import { anything, list, nullable, object, oneOf, text, type Of } from "./shape.ts";

export const CHANGE_STATES = [
  "PROPOSED",
  "APPROVED",
  "COMMITTED",
  "FAILED",
  "REJECTED",
  "WITHDRAWN",
  "EXPIRED",
] as const;

const changeFields = {
  ...judgedFields,
  change_id: text,
  state: oneOf(...CHANGE_STATES),
  phrase: nullable(text),
  expires_at: text,
  proposed_by: text,
  proposed_at: text,
} as const;
const changeNote = object(changeFields);
export type ChangeNote = Of<typeof changeNote>;
export const changeNotes = object({ changes: list(changeNote) });

export const changeDetail = object({
  ...changeFields,
  ...judgedDetail,
  diff: list(object({ field: text, before: anything, after: anything })),
});
export type ChangeDetail = Of<typeof changeDetail>;
