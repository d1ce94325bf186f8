/**
 * Backtest: the same strategy file over loaded columns at full speed, through the same machine, gate and venue as paper.
 *
 * Only the shell differs: nothing is made durable, orders are dispatched at once. So a backtest and a paper run of the
 * same recording give the same intents, orders and fills (backtest.test.ts "[M-15.2]").
 */
import { clientOrderId, type InstrumentSpec, type StrategyDescriptor, validateConfig } from "@rumi/abi";
import {
  canonicalJson,
  type Digest,
  digestOf,
  err,
  type Failure,
  formatDecimal,
  type Json,
  type JsonObject,
  ok,
  type Result,
} from "@rumi/kernel";
import { createSimulatedVenue, type SimulatedVenueOptions, type MarketFeed } from "@rumi/venues";
import type { MachineEntry } from "./instance/entry.ts";
import { gateContextOf, venueOptionsOf } from "./instance/gate-context.ts";
import { brokenBody, refusedInit } from "./instance/host-status.ts";
import { InstanceMachine } from "./instance/machine.ts";
import type { Counters } from "./instance/state.ts";
import type { HealthState, InstanceSpec, InstanceStatus } from "./protocol.ts";
import type { DataQuality } from "./quality/policy.ts";
import { loadStrategy, type LoadStrategyOptions } from "./strategy/load.ts";
import type { Strategy } from "./strategy/strategy.ts";

export type BacktestOptions = {
  readonly descriptor: StrategyDescriptor;
  readonly pack_dir: string;
  readonly config: JsonObject;
  readonly seed: string;
  readonly instruments: readonly InstrumentSpec[];
  readonly feed: MarketFeed;
  readonly venue: { readonly venue_id: string } & Omit<SimulatedVenueOptions, "instruments">;
  readonly limits: InstanceSpec["limits"];
  /** As in a bot's version; what is absent is DATA_QUALITY_DEFAULT's. */
  readonly data_quality?: DataQuality;
  /** Defaults to a fixed one, so that two backtests are comparable byte by byte. */
  readonly identity?: Partial<Pick<InstanceSpec, "bot_id" | "instance_id" | "run_id" | "trace_id" | "environment">>;
  /** Python strategies need what a lane needs. */
  readonly python?: LoadStrategyOptions["python"];
  readonly native?: LoadStrategyOptions["native"];
  /** Opened already; then `pack_dir` is not read. */
  readonly strategy?: Strategy;
  /** Several trades in one call where that helps (trade-batch.ts), unless said; what happens is the same. */
  readonly delivery?: "batched" | "one_by_one";
  /** `all` keeps every entry in the answer; `digest` only their digest. */
  readonly keep: "all" | "digest";
  readonly monotonic: () => number;
};

export type BacktestResult = {
  readonly events: number;
  readonly elapsed_ms: number;
  readonly events_per_s: number;
  readonly health_state: HealthState;
  readonly reason_code: string | null;
  /** What broke it and what it said then, while it is degraded or halted for that. */
  readonly failure: InstanceStatus["failure"];
  readonly intents: number;
  readonly orders_sent: number;
  readonly fills: number;
  readonly counters: Counters;
  /** Quote currency, decimal strings. */
  readonly realised_profit: string;
  readonly unrealised_profit: string;
  readonly fees: string;
  readonly profit: string;
  readonly positions: readonly {
    readonly instrument_id: string;
    readonly quantity: string;
    readonly realised_profit: string;
    readonly unrealised_profit: string;
    readonly fees: string;
    readonly last_price: string;
  }[];
  /** SHA-256 over the entries, one canonical JSON line each. */
  readonly entries_digest: Digest;
  readonly entries: readonly MachineEntry[];
};

const BACKTEST_IDENTITY = {
  bot_id: "backtest",
  instance_id: "backtest",
  run_id: "00000000-0000-7000-8000-000000000001",
  trace_id: "bac00000000000010000000000000000",
  environment: "dev",
} as const;
/** Scale at which sums over instruments are kept. */
const SUM_DIGITS = 18;

export function runBacktest(options: BacktestOptions): Result<BacktestResult, Failure> {
  const loaded =
    options.strategy === undefined
      ? loadStrategy({
          descriptor: options.descriptor,
          pack_dir: options.pack_dir,
          isolation: "any",
          ...(options.python === undefined ? {} : { python: options.python }),
          ...(options.native === undefined ? {} : { native: options.native }),
        })
      : ok(options.strategy);
  if (!loaded.ok) return loaded;
  const strategy = loaded.value;
  try {
    return backtest(options, strategy);
  } finally {
    if (options.strategy === undefined) strategy.close();
  }
}

function backtest(options: BacktestOptions, strategy: Strategy): Result<BacktestResult, Failure> {
  const { descriptor, instruments, feed, limits } = options;
  const venue = createSimulatedVenue(venueOptionsOf(instruments, options.venue));
  if (!venue.ok) return venue;
  const config = validateConfig(descriptor.config_schema, options.config);
  if (!config.ok) return config;
  const { trace_id, environment, ...names } = { ...BACKTEST_IDENTITY, ...options.identity };
  const identity = {
    bot_id: names.bot_id,
    strategy_id: descriptor.strategy_id,
    strategy_version: descriptor.strategy_version,
    instance_id: names.instance_id,
    run_id: names.run_id,
  };
  const entries: MachineEntry[] = [];
  const machine = new InstanceMachine(
    {
      identity,
      traceId: trace_id,
      mode: "backtest",
      seed: options.seed,
      instruments,
      feed,
      strategy,
      batch: options.delivery !== "one_by_one",
      venue: venue.value,
      tellsRefused: true,
      gate: gateContextOf({ descriptor, instruments, mode: "backtest", venue: options.venue, limits }),
      subscribe: descriptor.capabilities.subscribe,
      stateBytesMax: descriptor.resources.state_bytes,
      stateSchemaVersion: descriptor.state_schema_version,
      logBytesPerSecond: descriptor.resources.log_bytes_per_second,
      logBytesPerRun: descriptor.resources.log_bytes_per_run,
      record: (entry) => void entries.push(entry),
      orderId: (key) => clientOrderId({ environment, ...identity, epoch: 1, idempotency_key: key }),
    },
    config.value,
  );
  for (const input of machine.restraints.rulesInput(undefined, options.data_quality)) machine.apply(input);
  const refused = machine.init();
  if (refused !== null) return err(refusedInit(refused));
  machine.dispatch();
  const began = options.monotonic();
  while (machine.cursor < feed.length && machine.health.state !== "halted") {
    machine.run(feed.length);
    machine.dispatch();
    // State is saved where a paper run would save it on wish, so that a later fault falls back to the same place.
    if (machine.takeCheckpointWish()) machine.saveStrategy();
  }
  const elapsed_ms = options.monotonic() - began;
  if (machine.cursor === feed.length) machine.recordFeedEnded();
  machine.shutdown("feed_ended");
  return ok(summary({ options, machine, entries, elapsed_ms, positions: venue.value.positions() }));
}

type Parts = {
  readonly options: BacktestOptions;
  readonly machine: InstanceMachine;
  readonly entries: readonly MachineEntry[];
  readonly elapsed_ms: number;
  readonly positions: ReturnType<Extract<ReturnType<typeof createSimulatedVenue>, { ok: true }>["value"]["positions"]>;
};

function summary({ options, machine, entries, elapsed_ms, positions }: Parts): BacktestResult {
  let realised = 0n;
  let unrealised = 0n;
  let fees = 0n;
  const listed = positions.flatMap((position) => {
    const of = options.instruments[position.instrument];
    if (of === undefined) return [];
    const digits = of.price_digits + of.quantity_digits;
    const to = (value: bigint): bigint =>
      digits <= SUM_DIGITS ? value * 10n ** BigInt(SUM_DIGITS - digits) : value / 10n ** BigInt(digits - SUM_DIGITS);
    realised += to(position.realised_profit);
    unrealised += to(position.unrealised_profit);
    fees += to(position.fees);
    return [
      {
        instrument_id: of.instrument_id,
        quantity: formatDecimal(position.quantity, of.quantity_digits),
        realised_profit: formatDecimal(position.realised_profit, digits),
        unrealised_profit: formatDecimal(position.unrealised_profit, digits),
        fees: formatDecimal(position.fees, digits),
        last_price: formatDecimal(position.last_price, of.price_digits),
      },
    ];
  });
  const { counters, cursor, health } = machine;
  return {
    events: cursor,
    elapsed_ms,
    events_per_s: elapsed_ms === 0 ? 0 : Math.round((cursor / elapsed_ms) * 1_000),
    health_state: health.state,
    reason_code: health.reason_code,
    failure: brokenBody(machine),
    intents: counters.intents_total,
    orders_sent: counters.orders_sent,
    fills: counters.fills_total,
    counters,
    realised_profit: formatDecimal(realised, SUM_DIGITS),
    unrealised_profit: formatDecimal(unrealised, SUM_DIGITS),
    fees: formatDecimal(fees, SUM_DIGITS),
    profit: formatDecimal(realised + unrealised - fees, SUM_DIGITS),
    positions: listed,
    entries_digest: digestOf(...entries.map((entry) => `${canonicalJson(entry as unknown as Json)}\n`)),
    entries: options.keep === "all" ? entries : [],
  };
}

export type BacktestMeasurement = {
  readonly events: number;
  readonly runs: number;
  readonly best_events_per_s: number;
  readonly median_events_per_s: number;
  readonly wasm_event_ns: number;
};

/** Repeats a backtest and answers its speed; `wasm_event_ns` is the best run's time per event, everything included. */
export function measureBacktest(
  options: Omit<BacktestOptions, "keep">,
  runs: number,
): Result<BacktestMeasurement, Failure> {
  const speeds: number[] = [];
  let events = 0;
  for (let run = 0; run < runs; run += 1) {
    const result = runBacktest({ ...options, keep: "digest" });
    if (!result.ok) return result;
    events = result.value.events;
    speeds.push(result.value.events_per_s);
  }
  speeds.sort((a, b) => b - a);
  const best = speeds[0] ?? 0;
  return ok({
    events,
    runs,
    best_events_per_s: best,
    median_events_per_s: speeds[speeds.length >> 1] ?? 0,
    wasm_event_ns: best === 0 ? 0 : 1e9 / best,
  });
}
