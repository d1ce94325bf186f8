/** What waits for a person: challenges and staged intents. */
import type { Challenge } from "../answers/answers.ts";
import * as answers from "../answers/approvals.ts";
import { of, type Call, type Wish } from "./call.ts";

export function approvalCalls({ get, post }: Call) {
  return {
    challenges: () => get(answers.challengesPage, "/api/challenges?limit=30"),
    /** Whoever reads one in full has been served it. */
    challenge: (challenge_id: string) => get(answers.challengeDetail, `/api/challenges/${of(challenge_id)}`),
    /** Confirms, with what the person typed, what they asked for. */
    confirmChallenge: (
      { challenge_id, intent_hash }: Pick<Challenge, "challenge_id" | "intent_hash">,
      typed: { readonly phrase?: string; readonly ticket?: string },
      { id, reason }: Wish,
    ) => post(`/api/challenges/${of(challenge_id)}/confirm`, { command_id: id, intent_hash, ...typed, reason }),
    judgeChallenge: (
      { challenge_id, intent_hash }: Pick<Challenge, "challenge_id" | "intent_hash">,
      verdict: "approve" | "reject",
      { id, reason }: Wish,
    ) => post(`/api/challenges/${of(challenge_id)}/${verdict}`, { command_id: id, intent_hash, reason }),
    staged: () => get(answers.stagedPage, "/api/intents/staged?limit=50"),
    judgeStaged: (
      { run_id, idempotency_key }: Pick<answers.Staged, "run_id" | "idempotency_key">,
      verdict: "approve" | "reject",
      { id, reason }: Wish,
    ) => post(`/api/intents/${of(run_id)}/${of(idempotency_key)}/${verdict}`, { command_id: id, reason }),
  };
}
