/**
 * A challenge: what stands between a dangerous wish and its effect. Pure.
 *
 * How to think: the wish is stored exactly as it came, and its intent hash names it, whom it acts on, who asked, and
 * what it was made for. Everything that is said later (approve, confirm, reject) names that hash.
 *
 *     AWAITING_APPROVAL ──approve──▶ AWAITING_CONFIRMATION ──confirm──▶ CONFIRMED, or REFUSED by a guard
 *            └───────────── reject ─────────────┴──▶ REJECTED     deadline ──▶ EXPIRED
 *
 * Invariants (challenges.test.ts)
 * - A challenge is used once, by whoever asked, in its window, with exactly what it asks for.
 * - A second person has another subject id, is in nobody's hand who is behind the first, and was served the very intent that it approves.
 */
import { canonicalJson, digestOf, err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import type { Digest, Failure, Json, Micros, Result } from "@rumi/kernel";
import {
  CONFIRMATION_FACTORS,
  type ConfirmationFactor,
  type ConfirmedDanger,
  type Principal,
  type Role,
} from "@rumi/operations";
import { OPEN_STATES } from "./states.ts";
import type { ApprovalRow, ChallengeRow } from "./tables.ts";

/** How long a second person has. */
export const APPROVE_WITHIN_SECONDS = 1_800;
export const CONFIRM_WITHIN_SECONDS = 120;
/** Where money may move the world moves too: the plan is confirmed at once or made anew. */
export const LIVE_CONFIRM_SECONDS = 60;
/** The phrase where the target has no name of its own to type. */
export const RISK_PHRASE = "I UNDERSTAND LIVE RISK";

/** Which factors policy adds to those that an operation declares; it can add and never take away. */
export type ConfirmationRules = (operation: string) => readonly ConfirmationFactor[];

/** In production every dangerous operation takes two people. */
export function environmentRules(environment: string): ConfirmationRules {
  return () => (environment === "prod" ? ["second_person"] : []);
}

export function requirementsOf(
  danger: Pick<ConfirmedDanger, "requires">,
  added: readonly ConfirmationFactor[],
): readonly ConfirmationFactor[] {
  return CONFIRMATION_FACTORS.filter((factor) => danger.requires.includes(factor) || added.includes(factor));
}

/** What is confirmed, in full; its hash is what people exchange. */
export type Intent = {
  readonly version: 1;
  readonly environment: string;
  readonly operation: string;
  readonly target: { readonly resource_type: string; readonly resource_id: string };
  readonly actor: string;
  readonly command_id: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly base: ConfirmedDanger["base"];
  /** A rehearsal's only: its hash is never that of the real thing. */
  readonly training?: true;
};

export function intentHash(intent: Intent): Digest {
  return digestOf(canonicalJson(intent as unknown as Json));
}

export function intentOf(row: ChallengeRow): Intent {
  return {
    version: 1,
    environment: row.environment,
    operation: row.operation,
    target: { resource_type: row.resource_type, resource_id: row.resource_id },
    actor: row.requester,
    command_id: row.command_id,
    input: JSON.parse(row.input) as Intent["input"],
    base: JSON.parse(row.base) as Intent["base"],
    ...(row.training === 1 ? { training: true } : {}),
  };
}

export type Given = {
  readonly intent_hash?: string;
  readonly phrase?: string;
  readonly ticket?: string;
};
type Judged = Result<null, Failure>;

const FINE: Judged = ok(null);
/** Names it in a failure's text. */
const named = ({ challenge_id, kind }: Pick<ChallengeRow, "challenge_id" | "kind">) => ({ what: kind, challenge_id });
const mismatch = (row: ChallengeRow, problem: string): Judged =>
  err(failure("RUMI-CMD-014", { ...named(row), problem }, { reasonCode: "CONFIRMATION_MISMATCH" }));

/** Whether both are rehearsed or both are real. */
export function judgeRehearsal(row: ChallengeRow, training: boolean): Judged {
  if ((row.training === 1) === training) return FINE;
  const params = {
    ...named(row),
    kind: training ? "real" : "a rehearsal",
    state: training ? "in training" : "not in training",
  };
  return err(failure("RUMI-CMD-034", params, { reasonCode: "L.TRAINING.MISMATCH" }));
}

/** Whether the requester's confirmation is in order now. */
export function judgeConfirmation(
  row: ChallengeRow,
  approval: ApprovalRow | undefined,
  given: Given,
  principal: Pick<Principal, "id">,
  now: Micros,
): Judged {
  if (row.requester !== principal.id) return mismatch(row, "somebody else asked for it");
  const open = judgeOpen(row, now);
  if (!open.ok) return open;
  const same = judgeSameIntent(row, given);
  if (!same.ok) return same;
  const requires = requiresOf(row);
  if (requires.includes("second_person") && !isApproved(row, approval))
    return err(
      failure("RUMI-CMD-017", { ...named(row), until: iso(row.deadline) }, { reasonCode: "APPROVAL_REQUIRED" }),
    );
  if (requires.includes("phrase") && given.phrase !== row.phrase)
    return mismatch(row, "the phrase is not the one that it asks for");
  if (requires.includes("ticket") && given.ticket === undefined)
    return mismatch(row, "it asks for the number of a ticket");
  return FINE;
}

/**
 * Whether a second person may approve. `served` is the intent that this very person was shown, `two` whether they and the
 * requester are two people at all (two-people/model.ts).
 */
export function judgeApproval(
  row: ChallengeRow,
  { served, two }: { readonly served: string | undefined; readonly two: Judged },
  given: Given,
  principal: Principal,
  now: Micros,
): Judged {
  if (row.requester === principal.id)
    return err(
      failure("RUMI-CMD-018", { ...named(row), principal: principal.id }, { reasonCode: "SECOND_PERSON_REQUIRED" }),
    );
  const allowed = judgeRole(row, principal);
  if (!allowed.ok) return allowed;
  if (!two.ok) return two;
  const open = judgeOpen(row, now);
  if (!open.ok) return open;
  const same = judgeSameIntent(row, given);
  if (!same.ok) return same;
  if (served !== row.intent_hash)
    return err(
      failure("RUMI-CMD-019", { ...named(row), principal: principal.id }, { reasonCode: "INTENT_NOT_SERVED" }),
    );
  if (row.state !== "AWAITING_APPROVAL") return mismatch(row, "it does not wait for a second person (any more)");
  return given.phrase === undefined || given.phrase === row.phrase
    ? FINE
    : mismatch(row, "the phrase is not the one that it asks for");
}

/** Whoever asked may take it back, and whoever could have approved may reject it. */
export function judgeRejection(row: ChallengeRow, given: Given, principal: Principal, now: Micros): Judged {
  const allowed = row.requester === principal.id ? FINE : judgeRole(row, principal);
  if (!allowed.ok) return allowed;
  const open = judgeOpen(row, now);
  if (!open.ok) return open;
  return given.intent_hash === undefined ? FINE : judgeSameIntent(row, given);
}

export function judgeOpen(row: ChallengeRow, now: Micros): Judged {
  if (row.state === "EXPIRED" || (isOpen(row) && row.deadline <= now))
    return err(
      failure("RUMI-CMD-013", { ...named(row), expired_at: iso(row.deadline) }, { reasonCode: "CONFIRMATION_EXPIRED" }),
    );
  return isOpen(row)
    ? FINE
    : err(failure("RUMI-CMD-016", { ...named(row), state: row.state }, { reasonCode: "CONFIRMATION_USED" }));
}

/** The hash must be the one that was told, and the stored request must still be what the hash names. */
function judgeSameIntent(row: ChallengeRow, given: Given): Judged {
  if (given.intent_hash !== row.intent_hash) return mismatch(row, "the intent_hash names another request");
  return intentHash(intentOf(row)) === row.intent_hash
    ? FINE
    : mismatch(row, "the stored request is not what was asked for any more");
}

export function judgeRole(row: ChallengeRow, principal: Principal): Judged {
  const roles = JSON.parse(row.roles) as readonly Role[];
  return principal.roles.some((role) => roles.includes(role))
    ? FINE
    : err(
        failure(
          "RUMI-AUTH-003",
          { principal: principal.id, action: `${row.operation} (dangerous)` },
          { reasonCode: "PERMISSION_DENIED" },
        ),
      );
}

/** The table keeps one person from both sides; asked again here, since a row is only data. */
function isApproved(row: ChallengeRow, approval: ApprovalRow | undefined): boolean {
  return (
    approval !== undefined &&
    row.state === "AWAITING_CONFIRMATION" &&
    approval.approver !== row.requester &&
    approval.intent_hash === row.intent_hash
  );
}

export function isOpen({ state }: Pick<ChallengeRow, "state">): boolean {
  return OPEN_STATES.includes(state);
}

export function requiresOf(row: Pick<ChallengeRow, "requires">): readonly ConfirmationFactor[] {
  return JSON.parse(row.requires) as readonly ConfirmationFactor[];
}

export function deadlineAfter(now: Micros, seconds: number): Micros {
  return micros(now + seconds * 1_000_000);
}

export function iso(at: number): string {
  return isoFromMicros(micros(at));
}
