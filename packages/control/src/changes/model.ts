/**
 * A change request: a command that is stored, read by somebody else, and carried out later, once (L-10, L-45). Pure.
 *
 * How to think: a change is a challenge that anybody may ask for, of any operation, with time to think. It stands in the same
 * table, names its command by the same intent hash, and is approved and committed by the same judgements
 * (challenges/model.ts); what differs is its words, its time, and that it always takes a second person.
 *
 *     PROPOSED ──approve──▶ APPROVED ──commit──▶ COMMITTED, or FAILED where a guard, a gate or a stale plan refuses
 *        └──────── reject ─────┴──▶ REJECTED, WITHDRAWN by whoever proposed it        deadline ──▶ EXPIRED
 *
 * What is dangerous stays as tightly bound as without a change: half an hour for the second person, a minute or two for the
 * commit, with its phrase and its ticket.
 *
 * Invariants (packages/rumi/test/changes.test.ts)
 * - The commit uses the change up and holds the command's effect, in one transaction: it acts once or not at all, also
 *   where the program dies in between.
 * - What was approved is what is carried out: another body, another state of what it names, another danger is refused.
 */
import { micros, type Micros } from "@rumi/kernel";
import type { ConfirmationFactor, Danger } from "@rumi/operations";
import {
  APPROVE_WITHIN_SECONDS,
  CONFIRM_WITHIN_SECONDS,
  deadlineAfter,
  isOpen,
  iso,
  requirementsOf,
  requiresOf,
} from "../challenges/model.ts";
import type { ChallengeState } from "../challenges/states.ts";
import type { ChallengeRow } from "../challenges/tables.ts";

export const CHANGE_LIMITS = {
  min_seconds: 60,
  default_seconds: 86_400,
  /** A week: whoever has not read it by then reads another one. */
  max_seconds: 604_800,
} as const;

export const CHANGE_STATES = [
  "PROPOSED",
  "APPROVED",
  "COMMITTED",
  "FAILED",
  "REJECTED",
  "WITHDRAWN",
  "EXPIRED",
] as const;
export type ChangeState = (typeof CHANGE_STATES)[number];

const STATES: Readonly<Record<ChallengeState, ChangeState>> = {
  AWAITING_APPROVAL: "PROPOSED",
  AWAITING_CONFIRMATION: "APPROVED",
  CONFIRMED: "COMMITTED",
  REFUSED: "FAILED",
  REJECTED: "REJECTED",
  EXPIRED: "EXPIRED",
};

export function changeState(row: Pick<ChallengeRow, "state" | "requester" | "settled_by">): ChangeState {
  return row.state === "REJECTED" && row.settled_by === row.requester ? "WITHDRAWN" : STATES[row.state];
}

/** As it is now, also where nobody has said yet that its time is over. */
export function changeStateAt(row: ChallengeRow, now: Micros): ChangeState {
  return isOpen(row) && row.deadline <= now ? "EXPIRED" : changeState(row);
}

/** What it asks of people, whatever the operation: a second person, and what its danger asks for. */
export function requirementsOfChange(
  danger: Danger,
  added: readonly ConfirmationFactor[],
): readonly ConfirmationFactor[] {
  const declared = danger.kind === "none" ? [] : danger.requires;
  return requirementsOf({ requires: [...declared, "second_person"] }, added);
}

/** How long it lives, and how long the commit may take once it is approved. */
export function windowsOf(
  danger: Danger,
  valid_for_seconds: number,
  now: Micros,
): { readonly deadline: Micros; readonly confirm_within_seconds: number } {
  if (danger.kind === "none")
    return { deadline: deadlineAfter(now, valid_for_seconds), confirm_within_seconds: valid_for_seconds };
  return {
    deadline: deadlineAfter(now, Math.min(valid_for_seconds, APPROVE_WITHIN_SECONDS)),
    confirm_within_seconds: danger.confirm_within_seconds ?? CONFIRM_WITHIN_SECONDS,
  };
}

/** What everybody is told of it who is told anything. */
export function changeNote(row: ChallengeRow) {
  return {
    change_id: row.challenge_id,
    state: changeState(row),
    operation: row.operation,
    target: { resource_type: row.resource_type, resource_id: row.resource_id },
    intent_hash: row.intent_hash,
    requires: requiresOf(row),
    phrase: requiresOf(row).includes("phrase") ? row.phrase : null,
    expires_at: iso(micros(row.deadline)),
    training: row.training === 1,
  };
}
