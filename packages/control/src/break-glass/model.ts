/**
 * A break-glass session: for a short while, with a second person's approval, one person may do what is otherwise never
 * allowed, and only what was listed. Pure.
 *
 * Invariants (break-glass.test.ts)
 * - It ends by itself after at most thirty minutes and is never extended.
 * - Until somebody else has reviewed it there is no other, and its holder gets nothing dangerous confirmed.
 */
import { err, failure, isoFromMicros, micros, ok, type Failure, type Micros, type Result } from "@rumi/kernel";
import { verbsOf, type SessionRow } from "./tables.ts";

export const BREAK_GLASS_PHRASE = "BREAK GLASS";
export const BREAK_GLASS_MAX_SECONDS = 1_800;
export const BREAK_GLASS_MAX_VERBS = 20;

export type SessionState = "OPEN" | "REVIEW_PENDING" | "REVIEWED";

export function stateOf(row: SessionRow, now: Micros): SessionState {
  if (row.reviewed_at !== null) return "REVIEWED";
  return row.closed_at === null && row.ends_at > now ? "OPEN" : "REVIEW_PENDING";
}

/** Whether a strong operation may be done now by this person. */
export function judgeStrong(
  row: SessionRow | undefined,
  principal_id: string,
  operation: string,
  now: Micros,
): Result<void, Failure> {
  const covers =
    row !== undefined &&
    row.holder === principal_id &&
    stateOf(row, now) === "OPEN" &&
    verbsOf(row).includes(operation);
  return covers ? ok(undefined) : err(failure("RUMI-CMD-022", { operation }, { reasonCode: "L.BREAK_GLASS.REQUIRED" }));
}

/** Whether both are rehearsed or both are real. */
export function judgeRehearsal({ session_id, training }: SessionRow, inTraining: boolean): Result<void, Failure> {
  if ((training === 1) === inTraining) return ok(undefined);
  const params = {
    what: "session",
    challenge_id: session_id,
    kind: inTraining ? "real" : "a rehearsal",
    state: inTraining ? "in training" : "not in training",
  };
  return err(failure("RUMI-CMD-034", params, { reasonCode: "L.TRAINING.MISMATCH" }));
}

/** Whether the review of a session keeps its holder from asking for anything dangerous. */
export function judgeReviewed(row: SessionRow | undefined, principal_id: string, now: Micros): Result<void, Failure> {
  if (row === undefined || row.holder !== principal_id || stateOf(row, now) !== "REVIEW_PENDING") return ok(undefined);
  return reviewPending(row);
}

export function reviewPending({ session_id }: SessionRow): Result<never, Failure> {
  return err(failure("RUMI-CMD-023", { session_id }, { reasonCode: "L.BREAK_GLASS.REVIEW_PENDING" }));
}

export function sessionView(row: SessionRow, now: Micros) {
  const iso = (at: number | null): string | null => (at === null ? null : isoFromMicros(micros(at)));
  return {
    session_id: row.session_id,
    state: stateOf(row, now),
    environment: row.environment,
    holder: row.holder,
    approval_id: row.approval_id,
    verbs: verbsOf(row),
    reason: row.reason,
    opened_at: iso(row.opened_at),
    ends_at: iso(row.ends_at),
    closed_at: iso(row.closed_at),
    reviewed_at: iso(row.reviewed_at),
    reviewed_by: row.reviewed_by,
    review: row.review,
    training: row.training === 1,
  };
}
