/** Real recordings that stand beside the repository in development; everything else passes without them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inferInstrument } from "./infer.ts";
import { loadRecordings } from "./load.ts";

const MARKET = fileURLToPath(new URL("../../../../../shared/data/market/", import.meta.url));
const present = existsSync(join(MARKET, "SPY-trades-2013-10-08.csv.gz"));
describe("real files beside the repository", () => {
  // They stand there in development only; without them there is nothing to read, and nothing is skipped.
  it("reads every trades file whole", async () => {
    if (!present) return;
    for (const [name, rows] of [
      ["SPY-trades-2013-10-08.csv.gz", 451_545],
      ["XRPETH-aggTrades-2019-10-11.csv", 5_929],
      ["XRPETH-aggTrades-2019-10-12.csv", 4_134],
    ] as const) {
      const path = join(MARKET, name);
      const inferred = await inferInstrument(path);
      if (!inferred.ok) throw new Error(JSON.stringify(inferred.error));
      const loaded = await loadRecordings([{ path, format: "auto", instrument: inferred.value.instrument }]);
      expect(loaded.ok && [loaded.value.feed.length, loaded.value.report.rows_rejected]).toEqual([rows, 0]);
    }
  });
});
