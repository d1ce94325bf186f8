/** Flows and their runs. These calls come with their page, not with the first load. */
import * as answers from "../answers/flows.ts";
import { of, type Body, type Call, type Wish } from "./call.ts";

/** A run is answered when it has ended or waits: ten minutes at most, and a little. */
const RUN_MS = 630_000;

export type FlowCalls = ReturnType<typeof flowCalls>;

export function flowCalls({ get, post, send }: Call) {
  return {
    flows: () => get(answers.flowsAnswer, "/api/flows"),
    flow: (flow_id: string) => get(answers.flowDefinition, `/api/flows/${of(flow_id)}/definition`),
    runs: (flow_id: string) => get(answers.flowRuns, `/api/flows/${of(flow_id)}/runs`),
    run: (run_id: string) => get(answers.flowRunDetail, `/api/flow-runs/${of(run_id)}`),
    schedules: () => get(answers.flowSchedules, "/api/flow-schedules"),
    approvals: () => get(answers.flowApprovals, "/api/flow-approvals?state=open"),
    /** Its id is the run's `command_id`. */
    start: (flow_id: string, how: { readonly inputs: Body; readonly timeout: number }, { id, reason }: Wish) =>
      send("POST", `/api/flows/${of(flow_id)}/run`, {
        body: { ...how, ...(reason === "" ? {} : { reason }) },
        key: id,
        timeout_ms: RUN_MS,
        is_flat: true,
      }),
    stop: (run_id: string, { id, reason }: Wish) => post(`/api/flow-runs/${of(run_id)}/stop`, { reason }, id),
    decide: (approval_id: string, verdict: "approve" | "reject", { id, reason }: Wish) =>
      post(`/api/flow-approvals/${of(approval_id)}/${verdict}`, { reason }, id),
  };
}
