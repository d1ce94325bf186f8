/** What a person may do about runs that wait for one: see what is asked, approve it, reject it. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type DecideContext, type Declaration, type Decision } from "@rumi/operations";
import { Type, type TOptional, type TString } from "@sinclair/typebox";
import { ApprovalsAnswer, DecidedAnswer } from "./answers.ts";
import {
  APPROVAL_STATES,
  approvedOutput,
  decideApproval,
  listApprovals,
  readApproval,
  type Approval,
} from "./approvals.ts";
import { instantOf, recordStep } from "./tables.ts";
import { approvalView, placeOf } from "./waiting.ts";

const closed = { additionalProperties: false } as const;
const IdField = Type.String({ minLength: 1, maxLength: 64, description: "Of the approval." });
const ReasonField = Type.String({ minLength: 1, maxLength: 1_024 });

export const approvalDeclarations = (): readonly Declaration[] => [
  listOpen(),
  deciding({
    name: "flows.approve",
    summary: "Approve what a run of a flow waits for, so that it goes on",
    verb: "approve",
    reason: Type.Optional(ReasonField),
    state: "approved",
  }),
  deciding({
    name: "flows.reject",
    summary: "Reject what a run of a flow waits for, so that its step fails",
    verb: "reject",
    reason: ReasonField,
    state: "rejected",
  }),
];

const listOpen = (): Declaration =>
  defineQuery({
    name: "flows.approvals",
    summary: "What runs of flows wait for people to decide, the newest first",
    http: { method: "GET", path: "/api/flow-approvals" },
    input: Type.Object(
      { state: Type.Optional(Type.Union(APPROVAL_STATES.map((state) => Type.Literal(state)))) },
      closed,
    ),
    output: ApprovalsAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, { state }, { store }) => {
      const approvals = (await listApprovals(reader, store, state)).map(approvalView);
      return ok({ approvals, count: approvals.length });
    },
  });

type Deciding = {
  readonly name: string;
  readonly summary: string;
  readonly verb: "approve" | "reject";
  readonly reason: TString | TOptional<TString>;
  readonly state: "approved" | "rejected";
};

const deciding = ({ name, summary, verb, reason, state }: Deciding): Declaration =>
  defineOperation({
    name,
    summary,
    http: { method: "POST", path: `/api/flow-approvals/{approval_id}/${verb}` },
    input: Type.Object({ approval_id: IdField, reason }, closed),
    output: DecidedAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target: ({ approval_id }) => ({ resource_type: "flow_approval", resource_id: approval_id }),
    gates: [],
    load: (reader, { approval_id }, { store }) => readApproval(reader, store, approval_id),
    decide: (found: Approval | undefined, { approval_id }, context) => decided(found, approval_id, state, context),
  });

function decided(
  found: Approval | undefined,
  approval_id: string,
  state: Deciding["state"],
  { now, principal, reason, store }: DecideContext,
): Result<Decision, Failure> {
  if (found === undefined) return err(failure("RUMI-SYS-011", { what: "approval", id: approval_id }));
  const standing = found.state === "open" && found.expires_at <= now ? "expired" : found.state;
  if (standing !== "open") return err(failure("RUMI-FLOW-015", { approval_id, state: standing }));
  if (found.second_person && found.asked_by === principal.id)
    return err(failure("RUMI-FLOW-016", { approval_id, principal: principal.id }));
  const verdict = { state, decided_by: principal.id, decided_at: now, reason };
  const outcome =
    state === "approved"
      ? { output: approvedOutput(verdict, instantOf(now)), error: null }
      : { output: null, error: `${principal.id} rejected it: ${reason ?? ""}` };
  const step = { path: found.path, ...outcome, duration_us: now - found.requested_at };
  const { run_id, flow_id, step_id, phase } = found;
  return ok({
    writes: [decideApproval(store, approval_id, verdict), recordStep(store, run_id, step, now)],
    events: [
      {
        action: `flow.approval.${state}`,
        resource_type: "flow",
        resource_id: flow_id,
        outcome: "SUCCESS",
        details: { ...placeOf(flow_id, { id: step_id, phase }), flow_approval_id: approval_id },
        run_id,
      },
    ],
    outbox: [],
    data: { approval_id, run_id, flow_id, state },
  });
}
