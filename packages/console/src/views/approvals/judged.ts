/** What a challenge and a change have in common for whoever reads, approves or carries them out. Pure. */
import type { ChallengeDetail, ChallengeNote } from "../../answers/approvals.ts";
import type { ChangeDetail, ChangeNote } from "../../answers/changes.ts";
import type { Judged } from "../../api/approvals.ts";
import type { Tone } from "../badge.tsx";

/** For whose word it waits: a second person's, or its requester's. */
export type Waits = "approval" | "confirmation" | null;

export type Row = {
  readonly kind: Judged["kind"];
  readonly id: string;
  readonly operation: string;
  readonly resource: string;
  readonly state: string;
  readonly tone: Tone;
  readonly waits: Waits;
  readonly requester: string;
  readonly reason: string;
  readonly expiry: string;
  readonly settled_by: string | null;
  readonly training: boolean;
};
export type Whole = Pick<
  ChallengeDetail,
  | "intent"
  | "intent_hash"
  | "impact"
  | "blocked_by"
  | "warnings"
  | "approvals"
  | "settled_reason"
  | "error_code"
  | "requires"
  | "approver_roles"
> &
  Row & {
    readonly phrase: string;
    /** Of a change only: a challenge's is in its impact. */
    readonly diff: ChangeDetail["diff"];
  };

const CHALLENGE_TONE: Readonly<Record<ChallengeNote["state"], Tone>> = {
  AWAITING_APPROVAL: "warn",
  AWAITING_CONFIRMATION: "warn",
  CONFIRMED: "good",
  REFUSED: "bad",
  REJECTED: "bad",
  EXPIRED: "dim",
};
const CHANGE_TONE: Readonly<Record<ChangeNote["state"], Tone>> = {
  PROPOSED: "warn",
  APPROVED: "warn",
  COMMITTED: "good",
  FAILED: "bad",
  REJECTED: "bad",
  WITHDRAWN: "dim",
  EXPIRED: "dim",
};

export function ofChallenge(note: ChallengeNote): Row {
  const { challenge_id, operation, target, state, requester, reason, expiry, settled_by, training } = note;
  const waits = state === "AWAITING_APPROVAL" ? "approval" : state === "AWAITING_CONFIRMATION" ? "confirmation" : null;
  const shared = { operation, state, waits, requester, reason, expiry, settled_by, training } as const;
  return {
    ...shared,
    kind: "challenges",
    id: challenge_id,
    resource: target.resource_id,
    tone: CHALLENGE_TONE[state],
  };
}

export function ofChange(note: ChangeNote): Row {
  const { change_id, operation, target, state, proposed_by, reason, expires_at, settled_by, training } = note;
  return {
    kind: "changes",
    id: change_id,
    operation,
    resource: target.resource_id,
    state,
    tone: CHANGE_TONE[state],
    waits: waitsOf(note),
    requester: proposed_by,
    reason,
    expiry: expires_at,
    settled_by,
    training,
  };
}

export const waitsOf = ({ state }: Pick<ChangeNote, "state">): Waits =>
  state === "PROPOSED" ? "approval" : state === "APPROVED" ? "confirmation" : null;

export const wholeChallenge = (detail: ChallengeDetail): Whole => ({ ...detail, ...ofChallenge(detail), diff: [] });

export const wholeChange = (detail: ChangeDetail): Whole => ({
  ...detail,
  ...ofChange(detail),
  phrase: detail.phrase ?? "",
});
