import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { digestOf } from "@rumi/kernel";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket, type MarketOptions } from "./generator.ts";
import { VENUE_LIMITS } from "./limits.ts";
import type { TradeColumns } from "./types.ts";

const GOLDEN = JSON.parse(readFileSync(new URL("../../../docs/formats/recordings.json", import.meta.url), "utf8")) as {
  demo_market: { sha256: string; first_line: string };
};

function market(change: Partial<MarketOptions> = {}): TradeColumns {
  const made = generateMarket({ ...DEMO_MARKET, ...change });
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  return made.value;
}

describe("synthetic market", () => {
  it("is the same bytes on every machine (golden digest)", () => {
    const csv = encodeAggTrades(market(), DEMO_INSTRUMENT);
    expect(Buffer.from(csv).toString("latin1").split("\n")[0]).toBe(GOLDEN.demo_market.first_line);
    expect(digestOf(csv)).toBe(GOLDEN.demo_market.sha256);
  });

  it("another seed is another market", () => {
    const other = encodeAggTrades(market({ seed: "other", trades: 100 }), DEMO_INSTRUMENT);
    expect(digestOf(other)).not.toBe(digestOf(encodeAggTrades(market({ trades: 100 }), DEMO_INSTRUMENT)));
  });

  it("fills its session in time order, busier at both ends than in the middle", () => {
    const columns = market();
    let previous = 0;
    const thirds = [0, 0, 0];
    for (const at of columns.event_time_us) {
      expect(at >= previous).toBe(true);
      previous = at;
      const third = Math.floor(((at - DEMO_MARKET.start_us) * 3) / DEMO_MARKET.session_us);
      thirds[third] = (thirds[third] ?? 0) + 1;
    }
    expect(previous).toBeLessThan(DEMO_MARKET.start_us + DEMO_MARKET.session_us);
    expect(thirds[0]).toBeGreaterThan((thirds[1] ?? 0) * 1.2);
    expect(thirds[2]).toBeGreaterThan((thirds[1] ?? 0) * 1.2);
  });

  it("lets an exponential-average cross trade dozens of times", () => {
    const { price, length } = market();
    let [fast, slow, position, trades] = [price[0] ?? 0, price[0] ?? 0, 0, 0];
    for (let row = 0; row < length; row += 1) {
      fast += (((price[row] ?? 0) - fast) * 2) / 201;
      slow += (((price[row] ?? 0) - slow) * 2) / 801;
      const wanted = fast > slow ? 1 : -1;
      if (row > 800 && wanted !== position) {
        position = wanted;
        trades += 1;
      }
    }
    expect(trades).toBeGreaterThan(24);
    expect(trades).toBeLessThan(400);
  });

  it("refuses options beyond its limits by name", () => {
    for (const change of [
      { trades: VENUE_LIMITS.generated_trades + 1 },
      { start_price: 1.5 },
      { seed: "" },
      { jump_price: 0 },
    ]) {
      const made = generateMarket({ ...DEMO_MARKET, ...change });
      expect(made.ok ? "" : `${made.error.code} ${made.error.params["field"]}`).toBe(
        `RUMI-MKT-010 ${Object.keys(change)[0]}`,
      );
    }
  });
});
