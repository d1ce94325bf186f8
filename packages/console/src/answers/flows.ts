/** Answers about flows: what they are, when they run by themselves, what their runs came to, what they ask people. */
import {
  anything,
  flag,
  integer,
  list,
  mapOf,
  nullable,
  number,
  object,
  oneOf,
  optional,
  text,
  type Of,
} from "./shape.ts";

const words = list(text);
export const INPUT_TYPES = ["string", "number", "integer", "boolean", "object", "array", "any"] as const;
export type InputType = (typeof INPUT_TYPES)[number];
const input = object({ type: oneOf(...INPUT_TYPES), required: flag, default: anything });
export type FlowInput = Of<typeof input>;

const flowFields = {
  flow_id: text,
  source: text,
  path: text,
  owner_pack: nullable(text),
  digest: text,
  phases: words,
  inputs: nullable(mapOf(input)),
  outputs: nullable(words),
  schedule: optional(text),
  warnings: words,
  modifiers: words,
} as const;
const flow = object({ ...flowFields, steps: list(object({ id: text, phase: text, type: text })) });
export type FlowRow = Of<typeof flow>;
export const flowsAnswer = object({
  flows: list(flow),
  problems: list(object({ flow_id: nullable(text), path: text, error_code: text, error: text, suggestion: text })),
});

const step = object({
  id: text,
  phase: text,
  type: text,
  depends_on: words,
  conditional: flag,
  on_error: text,
  output: nullable(text),
  calls: nullable(text),
});
export type FlowStep = Of<typeof step>;
export const flowDefinition = object({ ...flowFields, steps: list(step) });
export type FlowDefinition = Of<typeof flowDefinition>;

export const RUN_STATES = ["running", "waiting", "done", "failed"] as const;
export type RunState = (typeof RUN_STATES)[number];
const runFields = {
  run_id: text,
  flow_id: text,
  state: oneOf(...RUN_STATES),
  actor: text,
  command_id: text,
  trace_id: text,
  requested_at: text,
  finished_at: nullable(text),
} as const;
const run = object({ ...runFields, error_code: nullable(text) });
export type FlowRun = Of<typeof run>;
export const flowRuns = object({ runs: list(run) });

const approval = object({
  approval_id: text,
  run_id: text,
  flow_id: text,
  step_id: text,
  question: text,
  details: anything,
  second_person: flag,
  state: oneOf("open", "approved", "rejected", "expired"),
  asked_by: text,
  requested_at: text,
  expires_at: text,
  decided_by: nullable(text),
  reason: nullable(text),
});
export type FlowApproval = Of<typeof approval>;
export const flowApprovals = object({ approvals: list(approval) });

export const STEP_STATES = ["running", "waiting", "done", "failed", "skipped"] as const;
export type StepState = (typeof STEP_STATES)[number];
const traced = object({
  path: text,
  state: oneOf(...STEP_STATES),
  error: nullable(text),
  duration_ms: nullable(number),
});
export type TracedStep = Of<typeof traced>;
export const flowRunDetail = object({
  ...runFields,
  timeout_seconds: integer,
  inputs: mapOf(anything),
  result: nullable(mapOf(anything)),
  truncated: flag,
  execution_time: nullable(number),
  failure: nullable(object({ error_code: text, error: text, suggestion: text })),
  steps: list(traced),
  steps_truncated: flag,
  approvals: list(approval),
});
export type FlowRunDetail = Of<typeof flowRunDetail>;

const schedule = object({ flow_id: text, schedule: text, next_at: text, last_at: nullable(text) });
export type FlowSchedule = Of<typeof schedule>;
export const flowSchedules = object({ schedules: list(schedule) });
