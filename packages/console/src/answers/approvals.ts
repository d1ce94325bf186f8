/** Answers about what waits for a person. */
import { blocker, intentBody } from "./answers.ts";
import { anything, flag, list, mapOf, nullable, object, oneOf, optional, text, type Of } from "./shape.ts";

/** Of whatever somebody else judges before it is done: a dangerous operation, a proposed change. */
export const judgedFields = {
  operation: text,
  target: object({ resource_type: text, resource_id: text }),
  requires: list(text),
  approver_roles: list(text),
  reason: text,
  settled_by: nullable(text),
  training: flag,
} as const;
/** What is read of one besides. */
export const judgedDetail = {
  intent_hash: text,
  /** The exact request, and what it was made for. */
  intent: object({ input: mapOf(anything), base: anything }),
  impact: nullable(mapOf(anything)),
  blocked_by: nullable(list(blocker)),
  /** Of the guardrails, for whoever reads this. */
  warnings: optional(list(text)),
  environment: text,
  approvals: list(object({ approver: text, reason: text, approved_at: text })),
  settled_reason: nullable(text),
  error_code: nullable(text),
} as const;

const challengeFields = {
  ...judgedFields,
  challenge_id: text,
  state: oneOf("AWAITING_APPROVAL", "AWAITING_CONFIRMATION", "CONFIRMED", "REFUSED", "REJECTED", "EXPIRED"),
  phrase: text,
  requester: text,
  created_at: text,
  expiry: text,
} as const;
const challengeNote = object(challengeFields);
export type ChallengeNote = Of<typeof challengeNote>;
export const challengesPage = object({ challenges: list(challengeNote) });

export const challengeDetail = object({ ...challengeFields, ...judgedDetail });
export type ChallengeDetail = Of<typeof challengeDetail>;

const staged = object({
  run_id: text,
  idempotency_key: text,
  bot_id: text,
  trace_id: text,
  state: text,
  reason_code: nullable(text),
  decision: nullable(text),
  decided_by: nullable(text),
  staged_at: text,
  expires_at: text,
  intent: intentBody,
});
export type Staged = Of<typeof staged>;
export const stagedPage = object({ intents: list(staged) });
