/** The recording that is measured on: a real day of SPY where it lies beside the repository, else a generated one. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket } from "@rumi/venues";

const SPY = "../shared/data/market/SPY-trades-2013-10-08.csv.gz";
const GENERATED_TRADES = 450_000;

export type MeasuredMarket = {
  /** Goes into the names of the figures, so that nobody compares one market with another. */
  readonly name: "spy" | "generated";
  readonly path: string;
};

/** `root` is the repository, `folder` may be written to. */
export function measuredMarket(root: string, folder: string): MeasuredMarket {
  const spy = join(root, SPY);
  if (existsSync(spy)) return { name: "spy", path: spy };
  const market = generateMarket({ ...DEMO_MARKET, trades: GENERATED_TRADES });
  if (!market.ok) throw new Error(`the market cannot be generated: ${market.error.code}`);
  const path = join(folder, "DEMO-aggTrades.csv");
  writeFileSync(path, encodeAggTrades(market.value, DEMO_INSTRUMENT));
  return { name: "generated", path };
}
