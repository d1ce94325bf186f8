/** The moving-average cross over one recording, in any language: what every backtest figure has in common. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type StrategyDescriptor } from "@rumi/abi";
import { type BacktestOptions, runBacktest } from "@rumi/runtime";
import { inferInstrument, loadRecordings, type MarketFeed } from "@rumi/venues";
import type { MeasuredMarket } from "./market.ts";

export type EmaCross = {
  readonly descriptor: StrategyDescriptor;
  readonly feed: MarketFeed;
  /** Runs it over the feed's first `rows`; answers them. Throws when it did not trade. */
  readonly pass: (changes?: Partial<BacktestOptions>, rows?: number) => number;
};

export async function emaCross({ path, root }: MeasuredMarket & { readonly root: string }): Promise<EmaCross> {
  const inferred = await inferInstrument(path);
  if (!inferred.ok) throw new Error(`${path}: ${inferred.error.code}`);
  const loaded = await loadRecordings([{ path, format: inferred.value.format, instrument: inferred.value.instrument }]);
  if (!loaded.ok) throw new Error(`${path}: ${loaded.error.code}`);
  const { feed, instruments } = loaded.value;
  const pack_dir = join(root, "packs/default");
  const descriptor = described(pack_dir, "ema_cross");
  const pass = (changes: Partial<BacktestOptions> = {}, rows = feed.length): number => {
    const result = runBacktest({
      descriptor,
      pack_dir,
      config: { order_quantity: "1", fast_trades: 50, slow_trades: 200 },
      seed: "bench",
      instruments,
      feed: { ...feed, length: rows },
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
      ...changes,
    });
    if (!result.ok)
      throw new Error(`the backtest was refused: ${result.error.code} ${JSON.stringify(result.error.params)}`);
    if (result.value.events !== rows || result.value.fills === 0)
      throw new Error(`it saw ${result.value.events} of ${rows} events and ${result.value.fills} fills`);
    return result.value.events;
  };
  return { descriptor, feed, pass };
}

export function described(pack_dir: string, id: string): StrategyDescriptor {
  const manifest = JSON.parse(readFileSync(join(pack_dir, "ecosystem.json"), "utf8")) as {
    readonly strategies: readonly StrategyDescriptor[];
  };
  const found = manifest.strategies.find((one) => one.strategy_id === id);
  if (found === undefined) throw new Error(`the default pack has no ${id}`);
  return found;
}
