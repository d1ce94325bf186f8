/** What the runtime's tests share: the fixture strategy, a specification for it, and small generated recordings. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StrategyDescriptor } from "@rumi/abi";
import { type BotId, type Digest, digestOf, type Uuid } from "@rumi/kernel";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket, type MarketFeed } from "@rumi/venues";
import type { InstanceSpec } from "../src/protocol.ts";

/** A bundled child finds it by name. */
export const FIXTURE_DIR: string =
  process.env["RUMI_TEST_FIXTURE"] ?? fileURLToPath(new URL("./fixture", import.meta.url));
export const WASM: Uint8Array = new Uint8Array(readFileSync(join(FIXTURE_DIR, "crossing.wasm")));
export const THINKER: Uint8Array = new Uint8Array(readFileSync(join(FIXTURE_DIR, "thinker.wasm")));
export const RUN_ID = "0197a000-0000-7000-8000-0000000000aa" as Uuid;

export function descriptor(change: Partial<StrategyDescriptor> = {}): StrategyDescriptor {
  return {
    strategy_id: "crossing",
    strategy_version: "1.0.0",
    runtime_kind: "rust_wasm",
    instance_model: "single",
    entrypoint: "crossing.wasm",
    capabilities: {
      subscribe: ["trade", "execution", "safety", "timer", "signal"],
      order_types: ["limit", "market"],
      venues: ["*"],
      instruments: ["*"],
      external_services: [],
      lane: "ll",
    },
    resources: {
      event_timeout_ms: 50,
      fuel_per_event: 100_000,
      memory_bytes: 2_097_152,
      threads: 1,
      cpu: 1,
      queue_events: 1_024,
      intents_per_event: 8,
      intents_per_second: 100,
      log_bytes_per_second: 4_096,
      log_bytes_per_run: 65_536,
      state_bytes: 65_536,
    },
    state_schema_version: 1,
    config_schema: {},
    io_contracts: { abi: 1, events: 1, intents: 1 },
    binary_hash: digestOf(WASM),
    ...change,
  };
}

export function market(trades: number): MarketFeed {
  const made = generateMarket({ ...DEMO_MARKET, trades, seed: "runtime-test" });
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  return made.value;
}

/** Writes a recording and answers how a specification names it. */
export function recording(folder: string, trades: number): InstanceSpec["venue"]["files"][number] {
  const bytes = encodeAggTrades(market(trades), DEMO_INSTRUMENT);
  const path = join(folder, "trades.csv");
  writeFileSync(path, bytes);
  return { path, format: "binance_agg_trades", instrument: DEMO_INSTRUMENT, sha256: digestOf(bytes) };
}

export function spec(run_dir: string, change: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    bot_id: "bot-1" as BotId,
    strategy_id: "crossing",
    instance_id: "main",
    strategy_version: "1.0.0",
    run_id: RUN_ID,
    trace_id: "0123456789abcdef0123456789abcdef",
    epoch: 1,
    generation: 1,
    mode: "paper",
    descriptor: descriptor(),
    pack_dir: FIXTURE_DIR,
    pack_digest: `sha256:${"a".repeat(64)}` as Digest,
    config: {},
    seed: "seed",
    environment: "dev",
    instruments: [DEMO_INSTRUMENT],
    venue: {
      venue_id: "SIM",
      files: [],
      pace: { kind: "max" },
      maker_fee_ppm: 100,
      taker_fee_ppm: 400,
      latency_us: 5_000,
      latency_jitter_us: 2_000,
      seed: "venue",
    },
    limits: { capital: "1000000000", intents_per_second: 100, max_open_orders: 10 },
    isolation: "any",
    run_dir,
    start: "fresh",
    lease: { ttl_ms: 20_000 },
    ...change,
  };
}

/** The fixture that thinks: hints, questions and work by its configuration, an order for every signal. */
export function thinker(
  lane: "ll" | "compute",
  more: Partial<StrategyDescriptor["capabilities"]> = {},
): StrategyDescriptor {
  const base = descriptor();
  const field = { type: "integer", minimum: 0, maximum: 1_000_000_000, required: false } as const;
  return {
    ...base,
    strategy_id: "thinker",
    entrypoint: "thinker.wasm",
    binary_hash: digestOf(THINKER),
    capabilities: { ...base.capabilities, subscribe: ["trade", "signal"], lane, ...more },
    resources: { ...base.resources, event_timeout_ms: 10_000, fuel_per_event: 1_000_000_000 },
    config_schema: { hint_every: field, ask_every: field, spin: field },
  };
}
