/**
 * A thing that a pack brought and a person decides on: a capability handler, or a list of libraries. Pure.
 *
 * Think of the key: it holds the hash of the content, so another content is another candidate, with a history of its own.
 * A rejection rests for an hour and then waits for a decision again; the third is for good, until somebody lifts it.
 *
 * Invariants (model.test.ts)
 * - Only what is pending is approved or rejected; only what is blocked is unblocked.
 * - A candidate in its cooldown is not pending: a rejection then is refused and does not count.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";

export const CANDIDATE_STATES = ["pending", "installed", "rejected", "blocked", "failed"] as const;
export type CandidateState = (typeof CANDIDATE_STATES)[number];

export const CANDIDATE_LIMITS = {
  rejections: 3,
  cooldown_micros: 3_600_000_000,
} as const;

export type Candidate<Facts = unknown> = {
  readonly candidate_key: string;
  readonly pack_id: string;
  /** What it is; of its kind. */
  readonly facts: Facts;
  readonly state: CandidateState;
  /** Since it was found or last unblocked. */
  readonly rejections: number;
  /** Until when a rejected one rests, in microseconds since 1970. */
  readonly cooldown_until: number | null;
  /** The reason or notes of the last decision, or why it failed. */
  readonly note: string | null;
  readonly generation: number;
};

export function newCandidate<Facts>(
  of: Pick<Candidate<Facts>, "candidate_key" | "pack_id" | "facts">,
): Candidate<Facts> {
  return { ...of, state: "pending", rejections: 0, cooldown_until: null, note: null, generation: 0 };
}

/** What it is now: a rejected one whose cooldown is over waits for a decision again. */
export function stateAt(candidate: Pick<Candidate, "state" | "cooldown_until">, now: number): CandidateState {
  const rested = candidate.state === "rejected" && (candidate.cooldown_until ?? 0) <= now;
  return rested ? "pending" : candidate.state;
}

/** A person trusts exactly this content. */
export function installed<Facts>(
  candidate: Candidate<Facts>,
  notes: string | null,
  now: number,
): Result<Candidate<Facts>, Failure> {
  if (stateAt(candidate, now) !== "pending") return refused(candidate, "approve", now);
  return ok(changed(candidate, { state: "installed", cooldown_until: null, note: notes }));
}

/** It was approved and could not be put in place. */
export function failed<Facts>(candidate: Candidate<Facts>, why: string): Candidate<Facts> {
  return changed(candidate, { state: "failed", note: why });
}

/** A scan found it again: what failed may be tried again. */
export function foundAgain<Facts>(candidate: Candidate<Facts>, now: number): Candidate<Facts> {
  return candidate.state !== stateAt(candidate, now) || candidate.state === "failed"
    ? changed(candidate, { state: "pending", cooldown_until: null })
    : candidate;
}

export function rejectedBy<Facts>(
  candidate: Candidate<Facts>,
  reason: string | null,
  now: number,
): Result<Candidate<Facts>, Failure> {
  if (stateAt(candidate, now) !== "pending") return refused(candidate, "reject", now);
  const rejections = candidate.rejections + 1;
  return ok(
    rejections >= CANDIDATE_LIMITS.rejections
      ? changed(candidate, { state: "blocked", rejections, cooldown_until: null, note: reason })
      : changed(candidate, { state: "rejected", rejections, cooldown_until: resting(now), note: reason }),
  );
}

/** Its rejections are forgotten; it rests once more, or waits for a decision at once. */
export function unblocked<Facts>(
  candidate: Candidate<Facts>,
  status_after: "rejected" | "pending",
  reason: string | null,
  now: number,
): Result<Candidate<Facts>, Failure> {
  if (candidate.state !== "blocked") return refused(candidate, "unblock", now);
  const cooldown_until = status_after === "rejected" ? resting(now) : null;
  return ok(changed(candidate, { state: status_after, rejections: 0, cooldown_until, note: reason }));
}

function resting(now: number): number {
  return now + CANDIDATE_LIMITS.cooldown_micros;
}

function refused(candidate: Candidate, act: "approve" | "reject" | "unblock", now: number): Result<never, Failure> {
  const { candidate_key } = candidate;
  return err(failure("RUMI-CAP-003", { candidate_key, state: stateAt(candidate, now), act }));
}

function changed<Facts>(candidate: Candidate<Facts>, change: Partial<Candidate<Facts>>): Candidate<Facts> {
  return { ...candidate, ...change, generation: candidate.generation + 1 };
}
