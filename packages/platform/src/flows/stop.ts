/**
 * Stops a run: nothing more of it is called, and it ends as failed.
 *
 * The end is durable with the wish, so a program that dies right behind it does not go on with the run; whoever carries the
 * run hears of it then, and what was being called is ended. What the run did before is done.
 */
import { err, failure, ok, type Failure } from "@rumi/kernel";
import { defineOperation, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { FLOW_EXECUTED } from "./events.ts";
import { approvalOfRun, decideApproval, type Approval } from "./approvals.ts";
import { StoppedRunAnswer } from "./answers.ts";
import type { FlowDeps } from "./deps.ts";
import { readRun, stopRun, type FlowRun } from "./tables.ts";
import { placeOf } from "./waiting.ts";

type Facts = { readonly run: FlowRun | undefined; readonly approval: Approval | undefined };

export const stopDeclaration = ({ engine }: FlowDeps): Declaration =>
  defineOperation({
    name: "flows.stop",
    summary: "Stop a run of a flow: nothing more of it is called, and it ends as failed",
    http: { method: "POST", path: "/api/flow-runs/{run_id}/stop" },
    input: Type.Object(
      {
        run_id: Type.String({ minLength: 1, maxLength: 64 }),
        reason: Type.String({ minLength: 1, maxLength: 1_024 }),
      },
      { additionalProperties: false },
    ),
    output: StoppedRunAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "tighten",
    above_policies: () => true,
    danger: () => ({ kind: "none" }),
    target: ({ run_id }) => ({ resource_type: "flow_run", resource_id: run_id }),
    gates: [],
    load: async (reader, { run_id }, { store }): Promise<Facts> => ({
      run: await readRun(reader, store, run_id),
      approval: await approvalOfRun(reader, store, run_id),
    }),
    decide: ({ run, approval }: Facts, { run_id, reason }, { now, principal, store }) => {
      if (run === undefined) return err(failure("RUMI-SYS-011", { what: "run of a flow", id: run_id }));
      if (run.answer !== null) return err(failure("RUMI-FLOW-018", { run_id, state: run.state }));
      const { flow_id } = run;
      const open = approval?.state === "open" ? approval : undefined;
      const stopped: Failure = failure("RUMI-FLOW-017", { flow_id, principal: principal.id, reason });
      const answer = { kind: "failed", failure: { code: stopped.code, params: stopped.params } } as const;
      const verdict = { state: "rejected", decided_by: principal.id, decided_at: now, reason } as const;
      const of = { resource_type: "flow", resource_id: flow_id, run_id };
      return ok({
        writes: [
          stopRun(store, run, answer, now),
          ...(open === undefined ? [] : [decideApproval(store, open.approval_id, verdict)]),
        ],
        events: [
          ...(open === undefined
            ? []
            : [
                {
                  ...of,
                  action: "flow.approval.rejected",
                  outcome: "SUCCESS" as const,
                  details: {
                    ...placeOf(flow_id, { id: open.step_id, phase: open.phase }),
                    flow_approval_id: open.approval_id,
                  },
                },
              ]),
          {
            ...of,
            action: FLOW_EXECUTED,
            outcome: "FAILURE" as const,
            details: {
              flow_id,
              duration_ms: Math.max(0, now - run.requested_at) / 1_000,
              error: reason,
              error_type: stopped.code,
            },
          },
        ],
        outbox: [],
        data: { run_id, flow_id, state: "failed" },
      });
    },
    settle: async (data) => {
      await engine.halt((data as { readonly run_id: string }).run_id);
      return ok(data);
    },
  });
