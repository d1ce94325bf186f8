/** Looks at everything a start depends on: packs, venue files, lease, runner, isolation. Changes nothing of its own. */
import { validateConfig, type InstrumentSpec, type StrategyDescriptor } from "@rumi/abi";
import { err, failure, ok, type Failure, type JsonObject, type Micros, type Result } from "@rumi/kernel";
import type { SafetyMode } from "@rumi/operations";
import type { StrategyReference, VerifiedStrategy } from "@rumi/platform";
import { readLease, type Reader } from "@rumi/store";
import type { InstanceMode } from "@rumi/runtime";
import { configRefusal, type BotSpec } from "../bots/model.ts";
import { judgeCompatibility } from "../compatibility/model.ts";
import { lookAtDependencies, type DependencyDeps } from "../dependencies/look.ts";
import type { DependencyState } from "../dependencies/model.ts";
import { shardsOf, type Shard } from "../instances/shards.ts";
import { judgeGates } from "../gates/model.ts";
import { readGates } from "../gates/tables.ts";
import { readInstance } from "../instances/tables.ts";
import { judgeCompute } from "../restraints/sibling.ts";
import type { ReleaseCheck } from "../release/standing.ts";
import { inForce } from "../overrides/model.ts";
import { readOpen } from "../overrides/tables.ts";
import type { Room } from "../risk/model.ts";
import { judgeCapital, judgeLimits } from "../risk/capital.ts";
import { roomFor, type RoomDeps } from "../risk/room.ts";
import { readStops, type StopRow } from "../risk/stop-tables.ts";
import { readSafety } from "../safety/tables.ts";
import type { Sql } from "../shared/sql.ts";
import { supplyCheck } from "../supply-chain/standing.ts";
import { instrumentsOf, type VenueSpec } from "../venues/model.ts";
import { venueUnchanged } from "../venues/operations.ts";
import { readVenue } from "../venues/tables.ts";
import type { PreflightFacts } from "./model.ts";

export type AdmitRequest = {
  readonly bot_id: string;
  readonly strategy: VerifiedStrategy;
  readonly spec: BotSpec;
  readonly config: JsonObject;
  readonly instruments: readonly InstrumentSpec[];
  readonly venue_id: string;
  /** A run whose newest checkpoint it would begin with. */
  readonly from?: { readonly run_dir: string };
};

export type PreflightDeps = RoomDeps &
  DependencyDeps & {
    /** Re-verifies source and store copy, and finds the descriptor. */
    readonly verifyStrategy: (reference: StrategyReference) => Promise<Result<VerifiedStrategy, Failure>>;
    /** The runtime's admission: contracts, resources, state schema. */
    readonly admit: (request: AdmitRequest) => Promise<Result<unknown, Failure>>;
    /** Whether this kind of strategy can be boxed here (RUMI-BOT-020 names the way out). */
    readonly isolationFor: (
      bot_id: string,
      descriptor: StrategyDescriptor,
      wish: Pick<BotSpec, "isolation" | "isolation_level">,
    ) => Promise<Result<unknown, Failure>>;
    readonly runnerReady: () => boolean;
    /** What the row says of the safety mode, tightened by what the log could not take yet. */
    readonly modeNow: (row: SafetyMode) => SafetyMode;
  };

export type Gathered = {
  readonly facts: PreflightFacts;
  readonly strategy: VerifiedStrategy | undefined;
  readonly venue: VenueSpec | undefined;
  /** The bot's instances; empty when the configuration fits none. */
  readonly shards: readonly Shard[];
  readonly dependencies: readonly DependencyState[];
  /** What its pool has and holds; absent where that is not known. */
  readonly room: Room | undefined;
  /** What its stop conditions saw; absent where it never ran under any. */
  readonly stops: StopRow | undefined;
};
export type Starting = {
  readonly bot_id: string;
  readonly spec: BotSpec;
  /** Of the version that is to run. */
  readonly changelog: Result<null, Failure>;
  /** Whether that version may be released. */
  readonly release: ReleaseCheck;
  readonly mode: InstanceMode;
  readonly now: Micros;
};

export async function gatherPreflight(
  deps: PreflightDeps,
  reader: Reader,
  sql: Sql,
  { bot_id, spec, changelog, release, mode, now }: Starting,
): Promise<Gathered> {
  const strategy = await deps.verifyStrategy(spec.strategy);
  const venue = await readVenue(reader, sql, spec.venue);
  const noVenue = err(failure("RUMI-BOT-006", { venue_id: spec.venue }));
  const shards = strategy.ok ? shardsOf(spec, strategy.value.descriptor) : ok([]);
  const config = strategy.ok ? validateConfig(strategy.value.descriptor.config_schema, spec.config) : ok(spec.config);
  const side = strategy.ok ? judgeCompute(spec, strategy.value) : ok(null);
  const known = venue === undefined ? [] : instrumentsOf(venue).map((one) => String(one.instrument_id));
  const room = venue === undefined ? noVenue : await roomFor(deps, reader, sql, { ...spec, bot_id, venue });
  const stops = await readStops(reader, sql, bot_id);
  const isolation = strategy.ok ? await deps.isolationFor(bot_id, strategy.value.descriptor, spec) : ok(null);
  const missing = spec.instruments.find((one) => !known.includes(one));
  const compatibility = strategy.ok ? judgeCompatibility(strategy.value.descriptor) : ok(null);
  const needs = await lookAtDependencies(deps, reader, sql, bot_id, spec);
  const isSound = strategy.ok && compatibility.ok && config.ok && isolation.ok;
  return {
    strategy: strategy.ok ? strategy.value : undefined,
    venue,
    shards: shards.ok ? shards.value : [],
    dependencies: needs.states,
    room: room.ok ? room.value : undefined,
    stops,
    facts: {
      bot_id,
      mode,
      overrides: inForce(await readOpen(reader, sql), bot_id, now),
      safety: deps.modeNow((await readSafety(reader, sql)).mode as SafetyMode),
      runbook: spec.runbook,
      changelog,
      checks: {
        artifact_digest: strategy,
        supply_chain: await supplyCheck(reader, sql, spec.strategy.digest, now),
        release_certificate: release,
        compatibility,
        dependencies: needs.judged,
        admission:
          isSound && venue !== undefined && missing === undefined
            ? await deps.admit({
                bot_id,
                strategy: strategy.value,
                spec,
                config: config.value,
                instruments: instrumentsOf(venue).filter((one) => spec.instruments.includes(one.instrument_id)),
                venue_id: spec.venue,
              })
            : ok(null),
        config_schema: config.ok ? (side.ok ? shards : side) : err(configRefusal(config.error)),
        capital: judgeCapital(bot_id, spec, room),
        limits: judgeLimits(bot_id, spec, stops),
        instruments:
          venue === undefined
            ? noVenue
            : missing === undefined
              ? ok(null)
              : err(failure("RUMI-BOT-005", { venue_id: spec.venue, instrument_id: missing })),
        venue_files: venue === undefined ? noVenue : await venueUnchanged(venue),
        gates: judgeGates(await readGates(reader, sql), now),
        lease_free: await leasesFree(reader, sql, spec, { bot_id, shards: shards.ok ? shards.value : [], now }),
        isolation,
        runner: deps.runnerReady() ? ok(null) : err(failure("RUMI-BOT-018")),
      },
    },
  };
}

/** Each free, run out, or held for this very instance by its own runner (a paused run that goes on). */
async function leasesFree(
  reader: Reader,
  sql: Sql,
  spec: BotSpec,
  of: { readonly bot_id: string; readonly shards: readonly Shard[]; readonly now: Micros },
): Promise<Result<null, Failure>> {
  for (const { instance_id } of of.shards) {
    const key = { bot_id: of.bot_id, strategy_id: spec.strategy.strategy_id, instance_id };
    const lease = await readLease(sql, reader, key);
    if (lease === undefined || lease.holder === null || lease.expires_at <= of.now) continue;
    const instance = await readInstance(reader, sql, key);
    if (instance?.desired === "paused" && instance.holder === lease.holder) continue;
    return err(failure("RUMI-BOT-019", { bot_id: of.bot_id, holder: lease.holder }));
  }
  return ok(null);
}
