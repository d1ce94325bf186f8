/**
 * Ten passes of the Rust EMA cross over decoded events, through the same machine, intent gate and simulated venue as
 * a paper bot. The clock runs over whole backtests: compiling, orders, fills and the digest of what happened included.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StrategyDescriptor } from "@rumi/abi";
import { runBacktest } from "@rumi/runtime";
import { inferInstrument, loadRecordings } from "@rumi/venues";
import { measured, repeat, type Measured } from "../measure.ts";
import type { MeasuredMarket } from "./market.ts";

const RUNS = 5;
const PASSES = 10;

export async function backtestSuite(argument: string): Promise<readonly Measured[]> {
  const { name, path, root } = JSON.parse(argument) as MeasuredMarket & { readonly root: string };
  const inferred = await inferInstrument(path);
  if (!inferred.ok) throw new Error(`${path}: ${inferred.error.code}`);
  const loaded = await loadRecordings([{ path, format: inferred.value.format, instrument: inferred.value.instrument }]);
  if (!loaded.ok) throw new Error(`${path}: ${loaded.error.code}`);
  const { feed, instruments } = loaded.value;
  const pack_dir = join(root, "packs/default");
  const manifest = JSON.parse(readFileSync(join(pack_dir, "ecosystem.json"), "utf8")) as {
    readonly strategies: readonly StrategyDescriptor[];
  };
  const descriptor = manifest.strategies.find((one) => one.strategy_id === "ema_cross");
  if (descriptor === undefined) throw new Error("the default pack has no ema_cross");
  const pass = (): number => {
    const result = runBacktest({
      descriptor,
      pack_dir,
      config: { order_quantity: "1", fast_trades: 50, slow_trades: 200 },
      seed: "bench",
      instruments,
      feed,
      keep: "digest",
      monotonic: () => performance.now(),
      venue: {
        venue_id: instruments[0]?.instrument_id.split(".")[1] ?? "SIM",
        maker_fee_ppm: 20,
        taker_fee_ppm: 50,
        latency_us: 20_000,
        latency_jitter_us: 0,
        seed: "bench",
      },
      limits: { capital: "1000000", intents_per_second: descriptor.resources.intents_per_second, max_open_orders: 100 },
    });
    if (!result.ok)
      throw new Error(`the backtest was refused: ${result.error.code} ${JSON.stringify(result.error.params)}`);
    if (result.value.events !== feed.length || result.value.fills === 0)
      throw new Error(`it saw ${result.value.events} of ${feed.length} events and ${result.value.fills} fills`);
    return result.value.events;
  };
  pass();
  const runs = await repeat(RUNS, () => {
    const began = performance.now();
    let events = 0;
    for (let at = 0; at < PASSES; at += 1) events += pass();
    return (events * 1_000) / (performance.now() - began);
  });
  return [measured(`backtest_${name}_events_per_s`, "events/s", runs)];
}
