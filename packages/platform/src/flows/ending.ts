/** How a run that came to its end is told: its answer and its audit event. Pure. */
import type { Failure, Micros } from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import { cutTo } from "./evaluate.ts";
import { FLOW_EXECUTED } from "./events.ts";
import type { RunEnd } from "./run.ts";
import type { FlowRun, RunAnswer } from "./tables.ts";

export type RunEnding = {
  readonly answer: RunAnswer;
  readonly event: Pick<EventDraft, "action" | "outcome" | "details">;
  readonly at: Micros;
};

/** What an answer needs beside its result. */
const ENVELOPE_BYTES = 1_024;

export function endOf(
  { flow_id, requested_at }: Pick<FlowRun, "flow_id" | "requested_at">,
  ended: Extract<RunEnd, { kind: "done" | "failed" }>,
  at: Micros,
  max_response_bytes: number,
): RunEnding {
  const duration_us = Math.max(0, at - requested_at);
  const answer: RunAnswer =
    ended.kind === "done"
      ? {
          kind: "done",
          flow_id,
          execution_time: Math.round(duration_us / 1_000) / 1_000,
          ...cutTo(ended.result, max_response_bytes - ENVELOPE_BYTES),
        }
      : { kind: "failed", failure: storedFailure(ended.failure) };
  const wrong =
    ended.kind === "failed" ? { error: textOf(ended.failure), error_type: ended.failure.code, ...ended.at } : {};
  return {
    answer,
    event: {
      action: FLOW_EXECUTED,
      outcome: ended.kind === "done" ? "SUCCESS" : "FAILURE",
      details: { flow_id, steps: ended.steps, duration_ms: duration_us / 1_000, ...wrong },
    },
    at,
  };
}

function storedFailure({ code, params, details }: Failure): Extract<RunAnswer, { kind: "failed" }>["failure"] {
  return { code, params, ...(details === undefined ? {} : { details }) };
}

const textOf = ({ params }: Failure): string => String(params["problem"] ?? params["reason"] ?? "its time was up");
