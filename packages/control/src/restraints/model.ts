/**
 * What a bot's version says of its instances' service level, circuit breaker and Compute side; and a person's word to a
 * breaker. Closed objects: what is not known is refused, every number has its bounds.
 */
import { BREAKER_LIMITS, BREAKER_MODES, BREAKER_TRIGGERS, COMPUTE_POLICIES } from "@rumi/runtime";
import { ID_PATTERNS } from "@rumi/kernel";
import { Type } from "@sinclair/typebox";
import { BotIdField, CLOSED, CommandIdField, ReasonField } from "../shared/fields.ts";

const TIME_US = Type.Integer({ minimum: 1, maximum: BREAKER_LIMITS.time_us });
const Mode = Type.Union(BREAKER_MODES.map((mode) => Type.Literal(mode)));

export const SloField = Type.Object(
  {
    p95_latency_us: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000_000 })),
    drop_rate_ppm: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
    cpu_seconds_per_minute: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 60 })),
  },
  CLOSED,
);

const Rule = Type.Object(
  {
    count: Type.Integer({ minimum: 1, maximum: BREAKER_LIMITS.count }),
    within_us: TIME_US,
    mode: Mode,
    share_percent: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  },
  CLOSED,
);

export const BreakerField = Type.Object(
  {
    rules: Type.Partial(Type.Object(Object.fromEntries(BREAKER_TRIGGERS.map((one) => [one, Rule])), CLOSED), CLOSED),
    back: Type.Union([
      Type.Object({ kind: Type.Literal("cooldown"), after_us: TIME_US }, CLOSED),
      Type.Object({ kind: Type.Literal("calm"), quiet_us: TIME_US }, CLOSED),
      Type.Object({ kind: Type.Literal("manual") }, CLOSED),
    ]),
  },
  CLOSED,
);

/** Another strategy of the same pack that thinks beside every instance, and what an instance does while it is behind. */
export const ComputeField = Type.Object(
  {
    strategy_id: Type.String({ minLength: 1, maxLength: 128 }),
    strategy_version: Type.String({ pattern: ID_PATTERNS.semver }),
    config: Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.Unknown()),
    staleness_us: TIME_US,
    when_behind: Type.Union(COMPUTE_POLICIES.map((policy) => Type.Literal(policy))),
  },
  CLOSED,
);

/** A contract's schemas are judged by the runtime, where the start is refused with the field's name. */
const Contract = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown());
export const ServicesField = Type.Array(
  Type.Object(
    {
      name: Type.String({ pattern: "^[a-z][a-z0-9_]{0,31}$" }),
      entrypoint: Type.String({ minLength: 1, maxLength: 256 }),
      request: Contract,
      answer: Contract,
      timeout_ms: Type.Integer({ minimum: 1, maximum: 600_000 }),
      staleness_us: TIME_US,
    },
    CLOSED,
  ),
  { maxItems: 16 },
);

export const DegradationField = Type.Object(
  { breaker: Type.Optional(BreakerField), compute: Type.Optional(ComputeField) },
  CLOSED,
);

export const BreakerInput = Type.Object(
  {
    command_id: CommandIdField,
    bot_id: BotIdField,
    instance_id: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: "All of the bot's when absent." }),
    ),
    action: Type.Union([Type.Literal("trip"), Type.Literal("reset")]),
    mode: Type.Optional(Mode),
    reason: ReasonField,
  },
  CLOSED,
);

/** What is still to be told to a runner. */
export type BreakerWish =
  | {
      readonly action: "trip";
      readonly mode: (typeof BREAKER_MODES)[number];
      readonly actor: string;
      readonly reason: string;
    }
  | { readonly action: "reset"; readonly actor: string; readonly reason: string };
