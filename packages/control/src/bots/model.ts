/**
 * What a bot is, and what a new or changed specification must satisfy. Pure.
 *
 * A bot is a strategy at a digest with configuration, capital and limits. Its specification is immutable:
 * a change is a new version, one generation later, with a SemVer that says how far it reaches.
 *
 * Invariants
 * - A tag where a digest belongs is refused (L-N12); so is everything that the strategy's own
 *   config_schema, the venue or the pack's approval does not allow, each by its code (commands.test.ts).
 * - A version is never rewritten; versions of one bot are strictly ordered (L-02; versions.test.ts).
 */
import { validateConfig, type StrategyDescriptor } from "@rumi/abi";
import { err, failure, ID_PATTERNS, ok, parseDigest, type Failure, type JsonObject, type Result } from "@rumi/kernel";
import { ISOLATION_LEVELS, QUALITY_REACTIONS, type QualityFlag } from "@rumi/runtime";
import { Type, type Static } from "@sinclair/typebox";
import { DegradationField, ServicesField, SloField } from "../restraints/model.ts";
import { judgeCompatibility } from "../compatibility/model.ts";
import { StopConditionsField } from "../risk/stop-field.ts";
import { BotIdField, CLOSED, CommandIdField, InstrumentIdField, ReasonField, VenueIdField } from "../shared/fields.ts";
import { StagingField } from "../staging/field.ts";
import { instrumentsOf, type VenueSpec } from "../venues/model.ts";

const Open = Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.Unknown());
const Labels = Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9_.-]{0,62}$" }), Type.String({ maxLength: 128 }), {
  additionalProperties: false,
  maxProperties: 32,
});
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

export const StrategyReferenceSchema = Type.Object(
  {
    pack_id: Type.String({ pattern: ID_PATTERNS.pack }),
    strategy_id: text(128),
    strategy_version: Type.String({ pattern: ID_PATTERNS.semver }),
    // Its form is judged by the rule below, so that a tag gets its own code.
    digest: Type.String({
      minLength: 1,
      maxLength: 128,
      description: "sha256:… of the approved pack; tags are refused.",
    }),
  },
  CLOSED,
);

const Reaction = Type.Optional(Type.Union(QUALITY_REACTIONS.map((reaction) => Type.Literal(reaction))));
/** What the bot does about flawed market data, by quality flag (M-11.2); what is left out is the runtime's default. */
export const DataQualitySchema = Type.Object(
  { stale: Reaction, gap: Reaction, dup: Reaction, out_of_order: Reaction, clock_drift: Reaction } satisfies Record<
    QualityFlag,
    typeof Reaction
  >,
  CLOSED,
);

const specFields = {
  display_name: Type.Optional(text(128)),
  strategy: StrategyReferenceSchema,
  venue: VenueIdField,
  instruments: Type.Array(InstrumentIdField, { minItems: 1, maxItems: 256, uniqueItems: true }),
  config: Open,
  capital: Type.String({ minLength: 1, maxLength: 32, description: "Quote currency, decimal string." }),
  shard_config: Type.Optional(
    Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Open, {
      description: "What a sharded strategy's instance VENUE/MARKET/SYMBOL has instead of config's values.",
    }),
  ),
  labels: Type.Optional(Labels),
  group_id: Type.Optional(Type.String({ pattern: ID_PATTERNS.bot })),
  runbook: Type.Optional(text(1_024)),
  dependencies: Type.Optional(Type.Array(text(256), { maxItems: 64 })),
  isolation: Type.Optional(Type.Union([Type.Literal("any"), Type.Literal("strict")])),
  isolation_level: Type.Optional(
    Type.Union(
      ISOLATION_LEVELS.map((level) => Type.Literal(level)),
      { description: "L0 thread and watchdog, L1 process jail, L2 Wasm, L3 container; the kind's own when absent." },
    ),
  ),
  slo: Type.Optional(SloField),
  degradation: Type.Optional(DegradationField),
  services: Type.Optional(ServicesField),
  data_quality: Type.Optional(DataQualitySchema),
  staging: Type.Optional(StagingField),
  stop_conditions: Type.Optional(StopConditionsField),
};

export const CreateBotInput = Type.Object(
  { command_id: CommandIdField, bot_id: BotIdField, ...specFields, reason: ReasonField },
  CLOSED,
);
export type CreateBot = Static<typeof CreateBotInput>;

export type BotSpec = Omit<CreateBot, "command_id" | "bot_id" | "reason" | "config"> & {
  readonly config: JsonObject;
  readonly isolation: "any" | "strict";
};

export const APPLY_POINTS = ["next_tick", "next_bar", "next_checkpoint"] as const;
export const ApplyConfigInput = Type.Object(
  {
    command_id: CommandIdField,
    bot_id: BotIdField,
    config: Open,
    at: Type.Union([Type.Literal("next_tick"), Type.Literal("next_bar"), Type.Literal("next_checkpoint")]),
    reason: ReasonField,
  },
  CLOSED,
);

/** `strict` in a home of RUMI_SECURITY_MODE=strict, where no bot may ask for less. */
export type IsolationFloor = "any" | "strict";

export type SpecFacts = {
  readonly descriptor: Result<StrategyDescriptor, Failure>;
  readonly venue: VenueSpec | undefined;
};

/** The specification as it will be stored, with defaults filled in; or the first reason against it. */
export function judgeSpec(
  input: Omit<CreateBot, "command_id" | "bot_id" | "reason">,
  facts: SpecFacts,
  floor: IsolationFloor,
): Result<BotSpec, Failure> {
  if (floor === "strict" && input.isolation === "any") {
    return err(
      failure(
        "RUMI-VAL-002",
        { field: "isolation", problem: "this home runs in strict security mode, which weakens isolation for nobody" },
        { reasonCode: "M.ISOLATION.STRICT_HOME" },
      ),
    );
  }
  const { digest, pack_id } = input.strategy;
  if (parseDigest(digest) === undefined)
    return err(
      failure(
        "RUMI-BOT-003",
        { field: "strategy.digest", found: digest.slice(0, 64), pack_id },
        { reasonCode: "L.ARTIFACT.TAG_REFUSED" },
      ),
    );
  if (!isCapital(input.capital)) return err(failure("RUMI-BOT-030", { capital: input.capital }));
  if (!facts.descriptor.ok) return facts.descriptor;
  const compatible = judgeCompatibility(facts.descriptor.value);
  if (!compatible.ok) return compatible;
  if (facts.venue === undefined) return err(failure("RUMI-BOT-006", { venue_id: input.venue }));
  const known = new Set(instrumentsOf(facts.venue).map((one) => String(one.instrument_id)));
  const missing = input.instruments.find((one) => !known.has(one));
  if (missing !== undefined) return err(failure("RUMI-BOT-005", { venue_id: input.venue, instrument_id: missing }));
  const config = judgeConfig(facts.descriptor.value, input.config as JsonObject);
  if (!config.ok) return config;
  return ok({ ...input, config: config.value, isolation: input.isolation ?? floor });
}

/** What came out of a judgement, frozen, and the schema that it was held against: the same by the same is not judged again. */
const judged = new WeakMap<JsonObject, StrategyDescriptor["config_schema"]>();

/** The configuration as the strategy declares it, defaults filled in; a secret has no place in what is stored and shown. */
export function judgeConfig(
  descriptor: Pick<StrategyDescriptor, "config_schema">,
  given: JsonObject,
): Result<JsonObject, Failure> {
  if (judged.get(given) === descriptor.config_schema) return ok(given);
  const secret = Object.keys(given).find((name) => descriptor.config_schema[name]?.secret === true);
  if (secret !== undefined) return err(failure("RUMI-BOT-034", { field: `config.${secret}` }));
  const config = validateConfig(descriptor.config_schema, given);
  if (!config.ok) return err(configRefusal(config.error));
  judged.set(Object.freeze(config.value), descriptor.config_schema);
  return config;
}

export function configRefusal(cause: Failure): Failure {
  return failure(
    "RUMI-BOT-004",
    {
      field: String(cause.params["field"] ?? cause.params["path"] ?? "config"),
      problem: String(cause.params["problem"] ?? cause.code),
    },
    { cause, ...(cause.reasonCode === undefined ? {} : { reasonCode: cause.reasonCode }) },
  );
}

export function isCapital(text: string): boolean {
  return /^\d{1,15}(\.\d{1,8})?$/.test(text) && /[1-9]/.test(text);
}

/** How far a change reaches: another artifact is major, other behaviour is minor, words are patch (L-02). */
export function nextVersion(current: string, before: BotSpec, after: BotSpec): string {
  const [major = 0, minor = 0, patch = 0] = current.split(".").map(Number);
  const differs = (pick: (spec: BotSpec) => unknown): boolean =>
    JSON.stringify(pick(before)) !== JSON.stringify(pick(after));
  if (differs((spec) => [spec.strategy, spec.venue])) return `${major + 1}.0.0`;
  if (
    differs((spec) => [
      spec.config,
      spec.instruments,
      spec.capital,
      spec.isolation,
      spec.isolation_level,
      spec.stop_conditions,
      spec.staging,
    ]) ||
    differs((spec) => spec.data_quality)
  )
    return `${major}.${minor + 1}.0`;
  return `${major}.${minor}.${patch + 1}`;
}

/** SemVer order of the three numbers. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [a.split(".").map(Number), b.split(".").map(Number)];
  for (let i = 0; i < 3; i += 1) if (x[i] !== y[i]) return (x[i] ?? 0) - (y[i] ?? 0);
  return 0;
}

export type Condition = {
  readonly type: "Initialised" | "RunnerConnected" | "LeaseHeld" | "Running" | "Healthy" | "StopProven" | "Stuck";
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly observed_generation: number;
  readonly last_transition_time: string;
};
