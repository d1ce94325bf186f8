/** Answers about what waits for a person and has no page of its own to name its shape. */
import { anything, flag, list, mapOf, nullable, object, text, type Of } from "./shape.ts";

const change = object({
  change_id: text,
  state: text,
  operation: text,
  target: object({ resource_type: text, resource_id: text }),
  proposed_by: text,
  proposed_at: text,
  expires_at: text,
  reason: text,
});
export type Change = Of<typeof change>;
export const changesPage = object({ changes: list(change) });

const drift = object({
  drift_key: text,
  drift_class: text,
  bot_id: text,
  state: text,
  expected: text,
  found: text,
  detected_at: text,
});
export type Drift = Of<typeof drift>;
export const driftAnswer = object({ drift: list(drift), brake: object({ bots: list(text) }) });

const supplyReport = object({
  scg_id: text,
  artifact_id: text,
  pack_id: text,
  pack_version: text,
  policy_decision: text,
  reason_code: nullable(text),
  produced_at: text,
});
export type SupplyReport = Of<typeof supplyReport>;
export const supplyReports = object({ reports: list(supplyReport) });

const flowApproval = object({
  approval_id: text,
  run_id: text,
  flow_id: text,
  step_id: text,
  question: text,
  second_person: flag,
  asked_by: text,
  requested_at: text,
});
export type FlowApproval = Of<typeof flowApproval>;
export const flowApprovals = object({ approvals: list(flowApproval) });

const request = object({ candidate_key: text, pack_id: text, status: text });
export type Request = Of<typeof request>;
export const requestsAnswer = object({ requests: list(request) });

const unproven = object({
  run_id: text,
  bot_id: text,
  blocked: nullable(object({ rung: text, why: text, since: text })),
});
export type Unproven = Of<typeof unproven>;
export const unprovenAnswer = object({ attestations: list(unproven) });

const runner = object({ runner_id: text, state: text, connected_at: text, last_seen_at: text });
export type Runner = Of<typeof runner>;
export const runnersAnswer = object({ runners: list(runner) });

const pool = object({ pool_id: text, currency: text, balance: nullable(text), allocated: text, state: text });
export type Pool = Of<typeof pool>;
export const poolsAnswer = object({ pools: list(pool) });

export const anyObject = mapOf(anything);
