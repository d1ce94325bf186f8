/** What the operations of flows answer. Open objects: answers may gain fields, so a schema says what is always there. */
import { Type, type TNull, type TSchema, type TUnion } from "@sinclair/typebox";
import { APPROVAL_STATES } from "./approvals.ts";
import { STEP_STATES } from "./retrace.ts";
import { FLOW_SOURCES } from "./source.ts";
import { RUN_STATES } from "./tables.ts";

const OPEN = { additionalProperties: true } as const;
const nullable = <T extends TSchema>(of: T): TUnion<[T, TNull]> => Type.Union([of, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
const Source = Type.Union(FLOW_SOURCES.map((source) => Type.Literal(source)));
const Words = Type.Array(Type.String());
const Anything = Type.Object({}, OPEN);

export const FlowsAnswer = Type.Object(
  {
    flows: Type.Array(
      Type.Object(
        {
          flow_id: Type.String(),
          source: Source,
          path: Type.String(),
          owner_pack: nullable(Type.String()),
          digest: Type.String(),
          phases: Words,
          steps: Type.Array(Type.Object({ id: Type.String(), phase: Type.String(), type: Type.String() }, OPEN)),
          inputs: nullable(Anything),
          outputs: nullable(Words),
          warnings: Words,
          modifiers: Type.Array(Type.String(), {
            description: "Ids of those that changed it; GET /api/flows/modifiers.",
          }),
          definition: Type.String({
            description: "Of all definitions that a run of it may reach, as they are changed.",
          }),
        },
        OPEN,
      ),
    ),
    count: Count,
    problems: Type.Array(
      Type.Object(
        {
          flow_id: nullable(Type.String()),
          source: Source,
          path: Type.String(),
          error_code: Type.String(),
          error: Type.String(),
          suggestion: Type.String(),
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);

const Approval = Type.Object(
  {
    approval_id: Type.String(),
    run_id: Type.String(),
    flow_id: Type.String(),
    step_id: Type.String(),
    question: Type.String(),
    details: Type.Unknown(),
    second_person: Type.Boolean(),
    state: Type.Union(APPROVAL_STATES.map((state) => Type.Literal(state))),
    asked_by: Type.String(),
    requested_at: Type.String(),
    expires_at: Type.String(),
    decided_by: nullable(Type.String()),
    decided_at: nullable(Type.String()),
    reason: nullable(Type.String()),
  },
  OPEN,
);

/** Flat beside `success`, as the guide prints it. */
export const FlowRunAnswer = Type.Object(
  {
    flow_id: Type.String(),
    result: Anything,
    execution_time: Type.Number({ minimum: 0, description: "Seconds." }),
    truncated: Type.Optional(Type.Literal(true)),
    state: Type.Optional(Type.Literal("waiting", { description: "It waits for a person: status 202." })),
    run_id: Type.Optional(Type.String()),
    approval: Type.Optional(Approval),
  },
  OPEN,
);

export const ApprovalsAnswer = Type.Object({ approvals: Type.Array(Approval), count: Count }, OPEN);
export const DecidedAnswer = Type.Object(
  { approval_id: Type.String(), run_id: Type.String(), flow_id: Type.String(), state: Type.String() },
  OPEN,
);

const flow = FlowsAnswer.properties.flows.items.properties;
export const FlowDefinitionAnswer = Type.Object(
  {
    ...flow,
    steps: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          phase: Type.String(),
          type: Type.String(),
          priority: Type.Integer(),
          depends_on: Words,
          conditional: Type.Boolean({ description: "It has a `when`, so it may be skipped." }),
          on_error: Type.String(),
          output: nullable(Type.String()),
          calls: nullable(Type.String({ description: "What it leads to outside itself." })),
        },
        OPEN,
      ),
      { description: "In the order in which they run." },
    ),
  },
  OPEN,
);

/** One run with everything that is known of it. */
export const FlowRunDetailAnswer = Type.Object(
  {
    run_id: Type.String(),
    flow_id: Type.String(),
    state: Type.Union(RUN_STATES.map((state) => Type.Literal(state))),
    actor: Type.String(),
    command_id: Type.String(),
    trace_id: Type.String(),
    requested_at: Type.String(),
    finished_at: nullable(Type.String()),
    timeout_seconds: Count,
    definition: Type.String(),
    inputs: Anything,
    result: nullable(Anything),
    truncated: Type.Boolean({ description: "The result is not all of it." }),
    execution_time: nullable(Type.Number({ minimum: 0, description: "Seconds." })),
    failure: nullable(
      Type.Object({ error_code: Type.String(), error: Type.String(), suggestion: Type.String() }, OPEN),
    ),
    steps: Type.Array(
      Type.Object(
        {
          path: Type.String(),
          state: Type.Union(STEP_STATES.map((state) => Type.Literal(state))),
          error: nullable(Type.String()),
          duration_ms: nullable(Type.Number({ minimum: 0 })),
        },
        OPEN,
      ),
    ),
    steps_truncated: Type.Boolean({ description: "There are more steps than are told." }),
    approvals: Type.Array(Approval),
  },
  OPEN,
);

export const StoppedRunAnswer = Type.Object(
  { run_id: Type.String(), flow_id: Type.String(), state: Type.Literal("failed") },
  OPEN,
);

export const FlowRunsAnswer = Type.Object(
  {
    runs: Type.Array(
      Type.Object(
        {
          run_id: Type.String(),
          flow_id: Type.String(),
          state: Type.Union(RUN_STATES.map((state) => Type.Literal(state))),
          actor: Type.String(),
          command_id: Type.String(),
          trace_id: Type.String(),
          requested_at: Type.String(),
          finished_at: nullable(Type.String()),
          timeout_seconds: Count,
          error_code: nullable(Type.String()),
          blocks: Type.Array(
            Type.Object(
              {
                path: Type.String(),
                output_sha256: nullable(Type.String()),
                error: nullable(Type.String()),
                duration_ms: Type.Number({ minimum: 0 }),
              },
              OPEN,
            ),
          ),
        },
        OPEN,
      ),
    ),
    count: Count,
  },
  OPEN,
);
