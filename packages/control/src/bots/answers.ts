/** What the operations of bots answer. */
import { Type } from "@sinclair/typebox";
import { BOT_STATES } from "../lifecycle/states.ts";
import { AnythingField, CountField, CursorField, InstantField, nullable, NoteField, OPEN } from "../shared/answers.ts";

const StateField = Type.Union(BOT_STATES.map((state) => Type.Literal(state)));
const bot = {
  bot_id: Type.String(),
  display_name: Type.String(),
  state: StateField,
  version: Type.String(),
  generation: CountField,
  observed_generation: CountField,
  labels: Type.Record(Type.String(), Type.String()),
  spec: AnythingField,
  status: Type.Object(
    {
      state: StateField,
      mode: nullable(Type.String()),
      run_id: nullable(Type.String()),
      reason: Type.String(),
      since: InstantField,
    },
    OPEN,
  ),
  created_at: InstantField,
  created_by: Type.String(),
  updated_at: InstantField,
} as const;
export const BotAnswer = Type.Object(bot, OPEN);
export const BotsAnswer = Type.Object(
  { bots: Type.Array(BotAnswer), count: CountField, next_cursor: CursorField },
  OPEN,
);

const Finding = Type.Object(
  {
    subject: Type.Object({ kind: Type.String(), id: Type.String() }, OPEN),
    class: Type.String(),
    error_code: nullable(Type.String()),
    reason_code: nullable(Type.String()),
    probable_cause: Type.String(),
    next_step: Type.String(),
    runbook: nullable(Type.String()),
    since: nullable(InstantField),
    evidence: Type.Array(Type.Object({ kind: Type.String(), id: Type.String() }, OPEN)),
  },
  OPEN,
);
export const FindingsField = Type.Array(Finding);
export const InstanceField = Type.Object(
  {
    bot_id: Type.String(),
    strategy_id: Type.String(),
    instance_id: Type.String(),
    run_id: Type.String(),
    phase: Type.String(),
    mode: Type.String(),
    desired: Type.Union(["running", "paused", "stopped"].map((word) => Type.Literal(word))),
    epoch: CountField,
    holder: nullable(Type.String()),
    health_state: nullable(Type.String()),
    reason_code: nullable(Type.String()),
    runbook: nullable(Type.String()),
    cursor: CountField,
    events_total: CountField,
    intents_total: CountField,
    orders_open: CountField,
    counters: AnythingField,
    positions: Type.Array(AnythingField),
    failure: nullable(NoteField),
    updated_at: InstantField,
  },
  OPEN,
);
export const WholeBotAnswer = Type.Object(
  {
    ...bot,
    conditions: Type.Array(
      Type.Object(
        {
          type: Type.String(),
          status: Type.Union(["True", "False", "Unknown"].map((word) => Type.Literal(word))),
          reason: Type.String(),
          message: Type.String(),
          observed_generation: CountField,
          last_transition_time: InstantField,
        },
        OPEN,
      ),
    ),
    instances: Type.Array(InstanceField),
    triage: Type.Object(
      {
        state: Type.Union(["ok", "failing", "stuck"].map((word) => Type.Literal(word))),
        findings: FindingsField,
        bot_runbook: nullable(Type.String({ description: "Where this very bot's operators look." })),
      },
      OPEN,
    ),
    versions: Type.Array(
      Type.Object(
        { generation: CountField, version: Type.String(), created_at: InstantField, created_by: Type.String() },
        OPEN,
      ),
    ),
  },
  OPEN,
);
export const AppliedConfigAnswer = Type.Object(
  { ...bot, applied: Type.Boolean(), changed: Type.Array(Type.String()) },
  OPEN,
);
export const RunbookAttachedAnswer = Type.Object({ ...bot, attached: Type.Boolean() }, OPEN);
export const LimitsAnswer = Type.Object({ ...bot, changed: Type.Boolean() }, OPEN);
export const BreakerAnswer = Type.Object(
  {
    ...bot,
    asked: Type.Union(["trip", "reset"].map((word) => Type.Literal(word))),
    instances: Type.Array(Type.String()),
  },
  OPEN,
);
export const UpdatedBotAnswer = Type.Object(
  {
    ...bot,
    updated: Type.Boolean(),
    handing_over: Type.Optional(
      Type.Integer({ minimum: 0, description: "Instances that hand their state to the new version." }),
    ),
  },
  OPEN,
);
const Runs = Type.Array(Type.String());
export const ShadowStartedAnswer = Type.Object({ bot_id: Type.String(), shadow_runs: Runs, follows: Runs }, OPEN);
export const ShadowStoppedAnswer = Type.Object(
  { bot_id: Type.String(), stopped: Type.Array(Type.String({ description: "Instance ids." })) },
  OPEN,
);
