/** The states of a challenge; model.ts draws how one leads to another. */
export const CHALLENGE_STATES = [
  "AWAITING_APPROVAL",
  "AWAITING_CONFIRMATION",
  "CONFIRMED",
  "REFUSED",
  "REJECTED",
  "EXPIRED",
] as const;
/** A challenge stands before a dangerous command; a change (../changes) is a command that somebody proposes for review. */
export type ChallengeKind = "challenge" | "change";
export type ChallengeState = (typeof CHALLENGE_STATES)[number];
export const OPEN_STATES: readonly ChallengeState[] = ["AWAITING_APPROVAL", "AWAITING_CONFIRMATION"];
