/** Approving, confirming and rejecting challenges. A confirmation's effect is the stored command's own (redeem.ts). */
import { defineOperation, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { AnswerSchema, CLOSED, CommandIdField, noDanger, ReasonField } from "../shared/fields.ts";
import type { TwoPeople } from "../two-people/judge.ts";
import { SettledChallengeAnswer } from "./answers.ts";
import { HashField, PhraseField, TicketField } from "./fields.ts";
import { listChallenges, showChallenge } from "./queries.ts";
import { decideApproval, decideRejection, loadApproval, loadOne } from "./settle.ts";
import { challengeNote } from "./told.ts";

export const challengeDeclarations = (deps: { readonly twoPeople: TwoPeople }): readonly Declaration[] => [
  listChallenges,
  showChallenge,
  approveChallenge(deps.twoPeople),
  confirmChallenge,
  rejectChallenge,
];

const base = {
  command_id: Type.Optional(CommandIdField),
  challenge_id: CommandIdField,
  phrase: Type.Optional(PhraseField),
  reason: ReasonField,
} as const;
const target = ({ challenge_id }: { readonly challenge_id: string }) => ({
  resource_type: "challenge",
  resource_id: challenge_id,
});
/** Approving and rejecting change nothing but the challenge: the guards are asked when it is confirmed. */
const passes = (): "tighten" => "tighten";

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
    rehearsal: "kept",
    danger: noDanger,
    target,
    gates: [],
    load: (reader, { challenge_id }, context) =>
      loadApproval(reader, { kind: "challenge", challenge_id }, context, twoPeople),
    decide: decideApproval(challengeNote),
  });

const confirmChallenge: Declaration = defineOperation({
  name: "challenges.confirm",
  summary: "Confirm what you asked for; the stored request runs once",
  http: { method: "POST", path: "/api/challenges/{challenge_id}/confirm" },
  input: Type.Object(
    {
      ...base,
      intent_hash: HashField,
      ticket: Type.Optional(TicketField),
    },
    CLOSED,
  ),
  output: AnswerSchema,
  success: [200, 201, 202],
  key: "either",
  // Whoever may ask; the role for what is confirmed is asked for once it is known.
  permission: ["operator", "admin", "break_glass"],
  redeems: true,
  rehearsal: "kept",
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
  rehearsal: "kept",
  above_policies: () => true,
  danger: noDanger,
  target,
  gates: [],
  load: (reader, { challenge_id }, { store }) => loadOne(reader, { kind: "challenge", challenge_id }, store),
  decide: decideRejection(challengeNote),
});
