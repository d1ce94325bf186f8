/** How a challenge is told to whoever asked, and what the log says of each step of a challenge or a change. */
import type { EventDraft } from "@rumi/operations";
import { iso, requiresOf } from "./model.ts";
import type { ChallengeKind } from "./states.ts";
import type { ChallengeRow } from "./tables.ts";

/** What the requester is told of it. */
export function challengeNote(row: ChallengeRow) {
  return {
    challenge_id: row.challenge_id,
    requires: requiresOf(row),
    phrase: row.phrase,
    intent_hash: row.intent_hash,
    expiry: iso(row.deadline),
    confirm_within_seconds: row.confirm_within_seconds,
    state: row.state,
    training: row.training === 1,
  };
}

type Step = "ask" | "approve" | "confirm" | "reject" | "withdraw" | "expire";
const ACTIONS: Readonly<Record<ChallengeKind, Readonly<Record<Step, string>>>> = {
  challenge: {
    ask: "dangerous_op.challenge",
    approve: "dangerous_op.approve",
    confirm: "dangerous_op.confirm",
    reject: "dangerous_op.reject",
    withdraw: "dangerous_op.reject",
    expire: "dangerous_op.expire",
  },
  change: {
    ask: "change.proposed",
    approve: "change.approved",
    confirm: "change.committed",
    reject: "change.rejected",
    withdraw: "change.withdrawn",
    expire: "change.expired",
  },
};

export function challengeEvent(
  step: Step,
  row: ChallengeRow,
  details: Readonly<Record<string, unknown>> = {},
): EventDraft {
  return {
    action: ACTIONS[row.kind][step],
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    outcome: step === "reject" || step === "withdraw" ? "REJECTED" : "SUCCESS",
    details: {
      challenge_id: row.challenge_id,
      intent_hash: row.intent_hash,
      operation: row.operation,
      requires: requiresOf(row),
      requested_by: row.requester,
      expiry: iso(row.deadline),
      ...details,
    },
  };
}
