/**
 * Ten passes of the Rust EMA cross over decoded events, through the same machine, intent gate and simulated venue as
 * a paper bot. The clock runs over whole backtests: compiling, orders, fills and the digest of what happened included.
 * The peak is the whole process's: the recording, its decoding and everything else.
 */
import { measured, repeat, type Measured } from "../measure.ts";
import { emaCross } from "./ema-cross.ts";
import type { MeasuredMarket } from "./market.ts";

const RUNS = 5;
const PASSES = 10;

export async function backtestSuite(argument: string): Promise<readonly Measured[]> {
  const market = JSON.parse(argument) as MeasuredMarket & { readonly root: string };
  const { pass } = await emaCross(market);
  pass();
  const runs = await repeat(RUNS, () => {
    const began = performance.now();
    let events = 0;
    for (let at = 0; at < PASSES; at += 1) events += pass();
    return (events * 1_000) / (performance.now() - began);
  });
  return [
    measured(`backtest_${market.name}_events_per_s`, "events/s", runs),
    measured(`backtest_${market.name}_peak_mb`, "MB", [process.resourceUsage().maxRSS / 1_024]),
  ];
}
