/** What a runner needs to host one instance of a bot, from the bot's specification and what a preflight found. Pure. */
import { invariant, type BotId, type JsonObject, type Uuid } from "@rumi/kernel";
import type { InstanceMode, ServiceSpec } from "@rumi/runtime";
import type { VerifiedStrategy } from "@rumi/platform";
import type { BotSpec } from "../bots/model.ts";
import type { BotRow } from "../bots/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { siblingOf } from "../restraints/sibling.ts";
import { stagingPolicyOf } from "../staging/model.ts";
import { instrumentsOf, type VenueSpec } from "../venues/model.ts";
import { MAIN_INSTANCE, type Shard } from "./shards.ts";
import type { StartSpec } from "./tables.ts";

export type StartFacts = {
  readonly bot: Pick<BotRow, "bot_id" | "generation">;
  readonly spec: BotSpec;
  readonly shard: Shard;
  readonly mode: InstanceMode;
  readonly run_id: Uuid;
  readonly trace_id: string;
  readonly strategy: VerifiedStrategy;
  readonly venue: VenueSpec;
  readonly environment: string;
  readonly runDir: (bot_id: string, run_id: string) => string;
};

export function startSpecOf(facts: StartFacts): StartSpec {
  const { bot, spec, shard, strategy, venue, run_id } = facts;
  const staging = stagingPolicyOf(spec.staging);
  return {
    bot_id: bot.bot_id as BotId,
    strategy_id: spec.strategy.strategy_id,
    instance_id: shard.instance_id,
    strategy_version: spec.strategy.strategy_version,
    ...(spec.group_id === undefined ? {} : { group_id: spec.group_id }),
    run_id,
    trace_id: facts.trace_id,
    generation: bot.generation,
    mode: facts.mode,
    descriptor: strategy.descriptor,
    pack_dir: strategy.directory,
    pack_digest: strategy.digest,
    config: shard.config,
    seed: shard.instance_id === MAIN_INSTANCE ? `bot/${bot.bot_id}` : `bot/${bot.bot_id}/${shard.instance_id}`,
    environment: facts.environment,
    instruments: venueInstruments(venue, shard.instruments),
    venue: {
      venue_id: venue.venue_id,
      files: venue.files.filter((file) => shard.instruments.includes(file.instrument.instrument_id)),
      // A market outside has its own time.
      pace: venue.live === undefined ? venue.pace : { kind: "max" },
      maker_fee_ppm: venue.fees.maker_ppm,
      taker_fee_ppm: venue.fees.taker_ppm,
      latency_us: venue.latency.base_us,
      latency_jitter_us: venue.latency.jitter_us,
      seed: venue.seed,
      ...(venue.live === undefined ? {} : { live: venue.live }),
    },
    limits: {
      capital: shard.capital,
      intents_per_second: strategy.descriptor.resources.intents_per_second,
      max_open_orders: CONTROL_LIMITS.open_orders,
    },
    ...(shard.stop_conditions === undefined ? {} : { stop_conditions: shard.stop_conditions }),
    ...(spec.data_quality === undefined ? {} : { data_quality: spec.data_quality }),
    isolation: spec.isolation,
    ...(spec.isolation_level === undefined ? {} : { isolation_level: spec.isolation_level }),
    ...(staging === undefined ? {} : { staging }),
    ...(spec.slo === undefined ? {} : { slo: spec.slo }),
    ...(spec.degradation?.breaker === undefined ? {} : { breaker: spec.degradation.breaker }),
    ...(spec.services === undefined ? {} : { services: spec.services as unknown as readonly ServiceSpec[] }),
    ...computeOf(spec, strategy),
    run_dir: facts.runDir(bot.bot_id, run_id),
  };
}

/** The strategy that thinks beside it, as the same pack declares it. */
function computeOf(spec: BotSpec, strategy: VerifiedStrategy): Pick<StartSpec, "compute"> {
  const wished = spec.degradation?.compute;
  if (wished === undefined) return {};
  const descriptor = siblingOf(strategy, wished);
  invariant(descriptor !== undefined, "the preflight found the Compute side in the pack");
  const { config, staleness_us, when_behind } = wished;
  return { compute: { descriptor, config: config as JsonObject, staleness_us, when_behind } };
}

function venueInstruments(venue: VenueSpec, wanted: readonly string[]): StartSpec["instruments"] {
  return wanted.map((id) => {
    const found = instrumentsOf(venue).find((one) => one.instrument_id === id);
    invariant(found !== undefined, "the preflight found every instrument on the venue");
    return found;
  });
}
