/** What approving and rejecting do, for a challenge and for a change alike: what they read, and what they decide. */
import { err, failure, ok, type Failure, type Micros, type Result } from "@rumi/kernel";
import type { DecideContext, Decision, Principal } from "@rumi/operations";
import { write, type Reader } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";
import type { TwoPeople } from "../two-people/judge.ts";
import { deadlineAfter, iso, judgeApproval, judgeRehearsal, judgeRejection, type Given } from "./model.ts";
import type { ChallengeKind } from "./states.ts";
import {
  readChallenge,
  readServed,
  updateChallenge,
  type ApprovalRow,
  type ChallengeRow,
  type ChallengeTables,
} from "./tables.ts";
import { challengeEvent } from "./told.ts";

type Asked = { readonly kind: ChallengeKind; readonly challenge_id: string };
/** How the settled row is told. */
type Told = (row: ChallengeRow) => Readonly<Record<string, unknown>>;
export type SettleFacts = { readonly asked: Asked; readonly row: ChallengeRow | undefined };
export type ApprovalFacts = SettleFacts & {
  /** The intent that this very person was shown. */
  readonly served: string | undefined;
  readonly two: Result<null, Failure>;
};
type Said = Given & { readonly reason: string };

export async function loadOne(reader: Reader, asked: Asked, sql: Sql): Promise<SettleFacts> {
  return { asked, row: await readChallenge(reader, sql, asked.challenge_id, asked.kind) };
}

export async function loadApproval(
  reader: Reader,
  asked: Asked,
  { store, now, principal }: { readonly store: Sql; readonly now: Micros; readonly principal: Principal },
  twoPeople: TwoPeople,
): Promise<ApprovalFacts> {
  const { row } = await loadOne(reader, asked, store);
  if (row === undefined) return { asked, row, served: undefined, two: ok(null) };
  const served = await readServed(reader, store, row, principal.id);
  return {
    asked,
    row,
    served: served?.intent_hash,
    two: await twoPeople(reader, [row.requester, principal.id], now),
  };
}

const unknown = ({ kind, challenge_id }: Asked): Result<never, Failure> =>
  err(failure("RUMI-CMD-020", { what: kind, challenge_id }));

export const decideApproval =
  (told: Told) =>
  ({ asked, row, served, two }: ApprovalFacts, said: Said, context: DecideContext): Result<Decision, Failure> => {
    if (row === undefined) return unknown(asked);
    const { principal, now, store, training } = context;
    const rehearsal = judgeRehearsal(row, training);
    if (!rehearsal.ok) return rehearsal;
    const judged = judgeApproval(row, { served, two }, said, principal, now);
    if (!judged.ok) return judged;
    const approval: ApprovalRow = {
      challenge_id: row.challenge_id,
      requester: row.requester,
      approver: principal.id,
      intent_hash: row.intent_hash,
      reason: said.reason,
      approved_at: now,
    };
    const change = { state: "AWAITING_CONFIRMATION", deadline: deadlineOnceApproved(row, now) } as const;
    const next = { ...row, ...change };
    return ok({
      writes: [
        updateChallenge(store, row, change),
        write(store.builder<ChallengeTables>().insertInto("challenge_approval").values(approval), 1),
      ],
      events: [challengeEvent("approve", next, { shown_hash: row.intent_hash })],
      outbox: [],
      data: { ...told(next), approved_by: principal.id, approved_at: iso(now) },
    });
  };

/** A change keeps the end that it was proposed with; a challenge's window begins with its approval. */
function deadlineOnceApproved({ kind, deadline, confirm_within_seconds }: ChallengeRow, now: Micros): number {
  const window = deadlineAfter(now, confirm_within_seconds);
  return kind === "change" ? Math.min(deadline, window) : window;
}

export const decideRejection =
  (told: Told) =>
  (
    { asked, row }: SettleFacts,
    said: Said,
    { principal, now, store, training }: DecideContext,
  ): Result<Decision, Failure> => {
    if (row === undefined) return unknown(asked);
    const rehearsal = judgeRehearsal(row, training);
    if (!rehearsal.ok) return rehearsal;
    const judged = judgeRejection(row, said, principal, now);
    if (!judged.ok) return judged;
    const change = {
      state: "REJECTED",
      settled_by: principal.id,
      settled_at: now,
      settled_reason: said.reason,
    } as const;
    const next = { ...row, ...change };
    return ok({
      writes: [updateChallenge(store, row, change)],
      events: [challengeEvent(row.requester === principal.id ? "withdraw" : "reject", next)],
      outbox: [],
      data: { ...told(next), rejected_by: principal.id },
    });
  };
