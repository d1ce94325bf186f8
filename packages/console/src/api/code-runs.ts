/** Proof-carrying runs: the list, one of them, its log and its bundle byte for byte, decisions on violations. */
import * as answers from "../answers/code-runs.ts";
import type { Call, Wish } from "./call.ts";

export function codeRunCalls({ get, post, document, stream }: Call) {
  return {
    codeRuns: () => get(answers.codeRunsAnswer, "/api/runs?limit=50"),
    codeRun: (run_id: number) => get(answers.codeRunDetail, `/api/runs/${run_id}`),
    /** What it says, from the beginning, until it has ended. */
    codeRunStream: (run_id: number, signal: AbortSignal) => stream(`/api/runs/${run_id}/stream`, signal),
    /** Its text is the evidence: what is saved is saved as it came. */
    proofText: (run_id: number, revision: number) => document(`/api/runs/${run_id}/proof?revision=${revision}`),
    stopCodeRun: (run_id: number, { id, reason }: Wish) => post(`/api/runs/${run_id}/stop`, { reason }, id),
    decideViolation: (run_id: number, violation_id: number, verdict: "approve" | "reject", { id, reason }: Wish) =>
      post(`/api/runs/${run_id}/violations/${violation_id}/${verdict}`, { reason }, id),
  };
}
