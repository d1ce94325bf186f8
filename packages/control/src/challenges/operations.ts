/** Approving, confirming and rejecting challenges. A confirmation's effect is the stored command's own (redeem.ts). */
import { err, failure, ID_PATTERNS, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, type DecideContext, type Declaration, type Decision } from "@rumi/operations";
import { write } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { AnswerSchema, CLOSED, CommandIdField, noDanger } from "../shared/fields.ts";
import type { TwoPeople } from "../two-people/judge.ts";
import { deadlineAfter, iso, judgeApproval, judgeRejection } from "./model.ts";
import { challengeEvent, challengeNote } from "./port.ts";
import { listChallenges, showChallenge } from "./queries.ts";
import {
  readChallenge,
  readServed,
  updateChallenge,
  type ApprovalRow,
  type ChallengeRow,
  type ChallengeTables,
} from "./tables.ts";
import { SettledChallengeAnswer } from "./answers.ts";

export const challengeDeclarations = (deps: { readonly twoPeople: TwoPeople }): readonly Declaration[] => [
  listChallenges,
  showChallenge,
  approveChallenge(deps.twoPeople),
  confirmChallenge,
  rejectChallenge,
];

const SaidReason = Type.String({
  minLength: 1,
  maxLength: 1_024,
  pattern: "\\S",
  description: "Why; kept in the audit log.",
});
const HashField = Type.String({
  pattern: ID_PATTERNS.digest,
  description: "Of the intent as GET /api/challenges/{challenge_id} shows it.",
});
const base = {
  command_id: Type.Optional(CommandIdField),
  challenge_id: CommandIdField,
  phrase: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  reason: SaidReason,
} as const;
const target = ({ challenge_id }: { readonly challenge_id: string }) => ({
  resource_type: "challenge",
  resource_id: challenge_id,
});
/** Approving and rejecting change nothing but the challenge: the guards are asked when it is confirmed. */
const passes = (): "tighten" => "tighten";

type Facts = { readonly row: ChallengeRow | undefined };

function decideOn(
  facts: Facts,
  challenge_id: string,
  decide: (row: ChallengeRow) => Result<Decision, Failure>,
): Result<Decision, Failure> {
  return facts.row === undefined ? err(failure("RUMI-CMD-020", { challenge_id })) : decide(facts.row);
}

const approveChallenge = (twoPeople: TwoPeople): Declaration =>
  defineOperation({
    name: "challenges.approve",
    summary: "Approve, as a second person, what was served to you",
    http: { method: "POST", path: "/api/challenges/{challenge_id}/approve" },
    input: Type.Object({ ...base, intent_hash: HashField }, CLOSED),
    output: SettledChallengeAnswer,
    key: "either",
    permission: ["admin", "break_glass"],
    risk: passes,
    danger: noDanger,
    target,
    gates: [],
    load: async (reader, { challenge_id }, { store, now, principal }) => {
      const row = await readChallenge(reader, store, challenge_id);
      if (row === undefined) return { row, served: undefined, two: ok(null) };
      const served = await readServed(reader, store, row, principal.id);
      return { row, served, two: await twoPeople(reader, [row.requester, principal.id], now) };
    },
    decide: (facts, input, context) =>
      decideOn(facts, input.challenge_id, (row) => {
        const { principal, now } = context;
        const { served, two } = facts;
        const judged = judgeApproval(row, { served: served?.intent_hash, two }, input, principal, now);
        return judged.ok ? ok(approved(row, input.reason, context)) : judged;
      }),
  });

function approved(row: ChallengeRow, reason: string, { now, principal, store }: DecideContext): Decision {
  const approval: ApprovalRow = {
    challenge_id: row.challenge_id,
    requester: row.requester,
    approver: principal.id,
    intent_hash: row.intent_hash,
    reason,
    approved_at: now,
  };
  const change = {
    state: "AWAITING_CONFIRMATION",
    deadline: deadlineAfter(now, row.confirm_within_seconds),
  } as const;
  const next = { ...row, ...change };
  return {
    writes: [
      updateChallenge(store, row, change),
      write(store.builder<ChallengeTables>().insertInto("challenge_approval").values(approval), 1),
    ],
    events: [challengeEvent("dangerous_op.approve", next, { shown_hash: row.intent_hash })],
    outbox: [],
    data: { ...challengeNote(next), approved_by: principal.id, approved_at: iso(now) },
  };
}

const confirmChallenge: Declaration = defineOperation({
  name: "challenges.confirm",
  summary: "Confirm what you asked for; the stored request runs once",
  http: { method: "POST", path: "/api/challenges/{challenge_id}/confirm" },
  input: Type.Object(
    {
      ...base,
      intent_hash: HashField,
      ticket: Type.Optional(
        Type.String({ pattern: "^\\S{2,64}$", description: "Number of the ticket it belongs to." }),
      ),
    },
    CLOSED,
  ),
  output: AnswerSchema,
  success: [200, 201, 202],
  key: "either",
  // Whoever may ask; the role for what is confirmed is asked for once it is known.
  permission: ["operator", "admin", "break_glass"],
  redeems: true,
  risk: passes,
  danger: noDanger,
  target,
  gates: [],
  load: () => Promise.resolve(null),
  decide: () => {
    throw new Error("a confirmation is never decided: what it confirms stands in its place");
  },
});

const rejectChallenge: Declaration = defineOperation({
  name: "challenges.reject",
  summary: "Reject a challenge, or take back your own",
  http: { method: "POST", path: "/api/challenges/{challenge_id}/reject" },
  input: Type.Object({ ...base, intent_hash: Type.Optional(HashField) }, CLOSED),
  output: SettledChallengeAnswer,
  key: "either",
  permission: ["operator", "admin", "break_glass"],
  risk: passes,
  above_policies: () => true,
  danger: noDanger,
  target,
  gates: [],
  load: async (reader, { challenge_id }, { store }): Promise<Facts> => ({
    row: await readChallenge(reader, store, challenge_id),
  }),
  decide: (facts, input, { principal, now, store }) =>
    decideOn(facts, input.challenge_id, (row) => {
      const judged = judgeRejection(row, input, principal, now);
      if (!judged.ok) return judged;
      const change = {
        state: "REJECTED",
        settled_by: principal.id,
        settled_at: now,
        settled_reason: input.reason,
      } as const;
      const next = { ...row, ...change };
      return ok({
        writes: [updateChallenge(store, row, change)],
        events: [challengeEvent("dangerous_op.reject", next)],
        outbox: [],
        data: { ...challengeNote(next), rejected_by: principal.id },
      });
    }),
});
