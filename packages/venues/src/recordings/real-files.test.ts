/** Real recordings that stand beside the repository in development and CI; everything else passes without them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inferInstrument } from "./infer.ts";
import { loadRecordings } from "./load.ts";

const MARKET =
  process.env["RUMI_MARKET_DATA"] ?? fileURLToPath(new URL("../../../../../shared/data/market/", import.meta.url));

describe("real files beside the repository", () => {
  const files: readonly (readonly [name: string, format: string, rows: number, events: number])[] = [
    ["SPY-trades-2013-10-08.csv.gz", "tardis_trades", 451_545, 451_545],
    ["XRPETH-aggTrades-2019-10-11.csv", "binance_agg_trades", 5_929, 5_929],
    ["XRPETH-aggTrades-2019-10-12.csv", "binance_agg_trades", 4_134, 4_134],
    ["XAUUSD-quotes-2014-05-05.csv.gz", "tardis_quotes", 186_204, 186_204],
    ["tardis-huobi-dm-swap_quotes_BTC-USD.csv", "tardis_quotes", 10, 10],
    ["BTCPERP-1m-2022-01.csv", "binance_klines", 31_521, 31_521],
    ["tardis-bitmex_trades_XBTUSD.csv", "tardis_trades", 10, 10],
    ["tardis-deribit_incremental_book_L2_BTC-PERPETUAL.csv", "tardis_incremental_book_l2", 15, 1],
    ["tardis-binance-futures_book_snapshot_5_BTCUSDT.csv", "tardis_book_snapshot", 10, 10],
  ];
  for (const [name, format, rows, events] of files) {
    const path = join(MARKET, name);
    it.runIf(existsSync(path))(`[M-4.1.1] reads ${name} whole, its layout found by itself`, async () => {
      const inferred = await inferInstrument(path);
      if (!inferred.ok) throw new Error(JSON.stringify(inferred.error));
      const loaded = await loadRecordings([{ path, format: "auto", instrument: inferred.value.instrument }]);
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
      const { report, feed } = loaded.value;
      expect([report.files[0]?.format, report.rows_accepted, report.rows_rejected, feed.length]).toEqual([
        format,
        rows,
        0,
        events,
      ]);
    });
  }
});
