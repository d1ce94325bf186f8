/**
 * The public API as this page uses it. The page is an ordinary client: it can do nothing that the API does not
 * offer to everybody with the same token.
 */
import * as answers from "./answers/answers.ts";
import { auditCalls } from "./api/audit.ts";
import { approvalCalls } from "./api/approvals.ts";
import { bundleCalls } from "./api/bundles.ts";
import { botCalls } from "./api/bots.ts";
import { codeRunCalls } from "./api/code-runs.ts";
import { createCall, of, tried, type Wish } from "./api/call.ts";
import { controlCalls } from "./api/controls.ts";
import { inboxCalls } from "./api/inbox.ts";
import { settingsCalls } from "./api/settings.ts";
import { peopleCalls } from "./api/people.ts";

export { RefusedError, type Wish } from "./api/call.ts";

export type Api = ReturnType<typeof createApi>;

export function createApi(token: string, language: string) {
  const call = createCall(token, language);
  const { get, post } = call;
  return {
    /** For pages that bring calls of their own when they are opened. */
    call,
    ...botCalls(call),
    ...controlCalls(call),
    ...approvalCalls(call),
    ...peopleCalls(call),
    ...codeRunCalls(call),
    ...inboxCalls(call),
    ...auditCalls(call),
    ...settingsCalls(call),
    ...bundleCalls(call),
    safety: () => get(answers.safetyState, "/api/safety"),
    auditTail: () => get(answers.auditPage, "/api/audit/events?limit=50&order=desc"),
    proof: (event_id: string) => get(answers.eventProof, `/api/audit/proof/${of(event_id)}`),
    packs: () => get(answers.packsAnswer, "/api/packs"),
    packStatus: (pack_id: string) => get(answers.packStatus, `/api/packs/${of(pack_id)}/status`),
    venues: () => get(answers.venuesAnswer, "/api/venues"),
    venue: (venue_id: string) => get(answers.venueDetail, `/api/venues/${of(venue_id)}`),
    setSafety: (mode: answers.SafetyMode, { id, reason }: Wish) =>
      post("/api/safety/set", { command_id: id, mode, reason }),
    trySafety: (mode: answers.SafetyMode, { id, reason }: Wish) =>
      tried(post, "/api/safety/set", { command_id: id, mode, reason }),
  };
}
