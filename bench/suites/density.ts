/**
 * Many instances in one runner: each a whole one, with journal, checkpoints, venue and a state that moves.
 *
 * Memory is what the runner's process holds for itself once every instance has taken events since its start.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StrategyDescriptor, validateConfig } from "@rumi/abi";
import { type BotId, digestOf, type Digest, type Uuid } from "@rumi/kernel";
import { admissionKey, type InstanceSpec } from "@rumi/runtime";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket } from "@rumi/venues";
import { measured, type Measured } from "../measure.ts";
import { RunnerLine } from "../runner-line.ts";

export type DensityArgument = { readonly root: string; readonly runner: string; readonly instances: number };

const SIDE_BY_SIDE = 64;
const TRADES = 20_000;

/** What every instance of a density run is made of. */
export type Crowd = {
  readonly folder: string;
  readonly spec: (number: number, more?: Partial<InstanceSpec>) => InstanceSpec;
  readonly remove: () => void;
};

export function crowd(root: string, factor: number): Crowd {
  // Memory is measured, not the disk: a start makes its journal and its checkpoint durable.
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rumi-crowd-"));
  const market = generateMarket({ ...DEMO_MARKET, trades: TRADES });
  if (!market.ok) throw new Error(market.error.code);
  const bytes = encodeAggTrades(market.value, DEMO_INSTRUMENT);
  const path = join(folder, "trades.csv");
  writeFileSync(path, bytes);
  mkdirSync(join(folder, "runs"));
  const pack_dir = join(root, "packs/default");
  const { strategies } = JSON.parse(readFileSync(join(pack_dir, "ecosystem.json"), "utf8")) as {
    readonly strategies: readonly StrategyDescriptor[];
  };
  const descriptor = strategies.find((one) => one.strategy_id === "ema_cross");
  if (descriptor === undefined) throw new Error("the default pack has no ema_cross");
  const config = validateConfig(descriptor.config_schema, { order_quantity: "1" });
  if (!config.ok) throw new Error(config.error.code);
  const key = admissionKey({
    descriptor,
    config: config.value,
    instruments: [DEMO_INSTRUMENT],
    isolation: "strict",
    venue: { venue_id: "SIM" },
  });
  const spec = (number: number, more: Partial<InstanceSpec> = {}): InstanceSpec => ({
    bot_id: `bot-${number}` as BotId,
    strategy_id: descriptor.strategy_id,
    instance_id: "main",
    strategy_version: descriptor.strategy_version,
    run_id: `0197a000-0000-7000-8000-${String(number).padStart(12, "0")}` as Uuid,
    trace_id: number.toString(16).padStart(32, "0"),
    epoch: 1,
    generation: 1,
    mode: "paper",
    descriptor,
    pack_dir,
    pack_digest: `sha256:${"a".repeat(64)}` as Digest,
    config: config.value,
    // As the control plane starts them: admitted once, by its own process.
    admission: { report_id: "bench", key },
    seed: `seed-${number}`,
    environment: "dev",
    instruments: [DEMO_INSTRUMENT],
    venue: {
      venue_id: "SIM",
      files: [{ path, format: "binance_agg_trades", instrument: DEMO_INSTRUMENT, sha256: digestOf(bytes) }],
      pace: { kind: "multiple", factor },
      maker_fee_ppm: 20,
      taker_fee_ppm: 50,
      latency_us: 20_000,
      latency_jitter_us: 0,
      seed: "venue",
    },
    limits: { capital: "1000000", intents_per_second: 50, max_open_orders: 10 },
    isolation: "strict",
    run_dir: join(folder, "runs", String(number)),
    start: "fresh",
    lease: { ttl_ms: 60_000 },
    ...more,
  });
  return { folder, spec, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Starts `count` instances, some at a time. */
export async function startAll(line: RunnerLine, specs: readonly InstanceSpec[]): Promise<void> {
  const left = [...specs];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await line.start(next);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
}

export async function densitySuite(argument: string): Promise<readonly Measured[]> {
  const { root, runner, instances } = JSON.parse(argument) as DensityArgument;
  // Memory is measured: of many, each lives more slowly, so that two cores are enough.
  const people = crowd(root, instances > 1_000 ? 0.25 : 1);
  const line = new RunnerLine(runner, people.folder);
  try {
    await line.ready;
    const empty = line.memory();
    const began = performance.now();
    await startAll(
      line,
      Array.from({ length: instances }, (_, at) => people.spec(at + 1)),
    );
    const started = performance.now() - began;
    await line.until(
      () => line.statuses.size === instances && [...line.statuses.values()].every((one) => one.cursor > 3),
      600_000,
    );
    const memory = line.memory();
    process.stderr.write(
      `${instances} instances: ${Math.round(started)} ms to start, ${Math.round(empty / 1e6)} MB before, ${Math.round(memory / 1e6)} MB with them\n`,
    );
    return [measured(`density_${instances}_mb`, "MB", [memory / 1e6])];
  } finally {
    await line.close();
    people.remove();
  }
}
