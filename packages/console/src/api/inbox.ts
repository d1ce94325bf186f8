/** What waits for a person, each from the room that it waits in. */
import * as answers from "../answers/inbox.ts";
import type { Call, Wish } from "./call.ts";

export function inboxCalls({ get, post }: Call) {
  return {
    openChanges: () => get(answers.changesPage, "/api/changes?state=OPEN&limit=50"),
    openDrift: () => get(answers.driftAnswer, "/api/drift?open=true&limit=50"),
    releaseDrift: ({ id, reason }: Wish) => post("/api/drift/release", { command_id: id, reason }),
    supplyReports: () => get(answers.supplyReports, "/api/supply_chain/reports?limit=50"),
    openFlowApprovals: () => get(answers.flowApprovals, "/api/flow-approvals?state=open"),
    capabilityRequests: () => get(answers.requestsAnswer, "/api/capability/requests?status=pending"),
    pipRequests: () => get(answers.requestsAnswer, "/api/pip/requests?status=pending"),
    unprovenStops: () => get(answers.unprovenAnswer, "/api/attestations?unproven=true&limit=50"),
    runners: () => get(answers.runnersAnswer, "/api/runners"),
    pools: () => get(answers.poolsAnswer, "/api/pools"),
  };
}
