/** What waits for a person: challenges, changes and staged intents. */
import type { Challenge } from "../answers/answers.ts";
import * as answers from "../answers/approvals.ts";
import { changeDetail, changeNotes } from "../answers/changes.ts";
import { of, type Call, type Wish } from "./call.ts";

type Named = Pick<Challenge, "challenge_id" | "intent_hash">;
type Typed = { readonly phrase?: string; readonly ticket?: string };
export type Verdict = "approve" | "reject";
/** A challenge and a change are judged alike, each at its own place. */
export type Judged = { readonly kind: "challenges" | "changes"; readonly id: string; readonly intent_hash: string };
const LAST = { challenges: "confirm", changes: "commit" } as const;

export function approvalCalls({ get, post }: Call) {
  const carryOut = ({ kind, id: judged, intent_hash }: Judged, typed: Typed, { id, reason }: Wish) =>
    post(`/api/${kind}/${of(judged)}/${LAST[kind]}`, { command_id: id, intent_hash, ...typed, reason });
  return {
    challenges: () => get(answers.challengesPage, "/api/challenges?limit=30"),
    /** Whoever reads one in full has been served it. */
    challenge: (challenge_id: string) => get(answers.challengeDetail, `/api/challenges/${of(challenge_id)}`),
    changes: () => get(changeNotes, "/api/changes?limit=30"),
    /** Like a challenge's: reading it is being served it. */
    change: (change_id: string) => get(changeDetail, `/api/changes/${of(change_id)}`),
    /** Confirms, with what the person typed, what they asked for. */
    confirmChallenge: ({ challenge_id, intent_hash }: Named, typed: Typed, wish: Wish) =>
      carryOut({ kind: "challenges", id: challenge_id, intent_hash }, typed, wish),
    carryOut,
    judge: ({ kind, id: judged, intent_hash }: Judged, verdict: Verdict, { id, reason }: Wish) =>
      post(`/api/${kind}/${of(judged)}/${verdict}`, { command_id: id, intent_hash, reason }),
    staged: () => get(answers.stagedPage, "/api/intents/staged?limit=50"),
    judgeStaged: (
      { run_id, idempotency_key }: Pick<answers.Staged, "run_id" | "idempotency_key">,
      verdict: Verdict,
      { id, reason }: Wish,
    ) => post(`/api/intents/${of(run_id)}/${of(idempotency_key)}/${verdict}`, { command_id: id, reason }),
  };
}
