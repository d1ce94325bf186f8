import { describe, expect, it } from "vitest";
import type { InstrumentSpec } from "@rumi/abi";
import { DEMO_INSTRUMENT } from "./generator.ts";
import { parseInstrumentSpec, roundPrice, roundQuantity } from "./instruments.ts";

const value = (result: ReturnType<typeof roundPrice>): number | string =>
  result.ok ? result.value : result.error.code;

describe("instruments", () => {
  it("takes a correct description as it is", () => {
    expect(parseInstrumentSpec(JSON.parse(JSON.stringify(DEMO_INSTRUMENT)))).toEqual({
      ok: true,
      value: DEMO_INSTRUMENT,
    });
  });

  const wrong: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ surprise: 1 }, "surprise"],
    [{ instrument_id: "demo.sim" }, "instrument_id"],
    [{ price_digits: 16 }, "price_digits"],
    [{ price_digits: "2" }, "price_digits"],
    [{ tick_size: 0 }, "tick_size"],
    [{ lot_size: 1.5 }, "lot_size"],
    [{ lot_size: 3 }, "min_quantity"],
    [{ max_quantity: 2 ** 53 }, "max_quantity"],
    [{ min_quantity: 2_000_000_000 }, "max_quantity"],
    [{ quote_currency: "usd" }, "quote_currency"],
  ];
  for (const [change, field] of wrong) {
    it(`refuses ${JSON.stringify(change)}`, () => {
      const parsed = parseInstrumentSpec({ ...DEMO_INSTRUMENT, ...change });
      expect(parsed.ok ? "" : `${parsed.error.code} ${parsed.error.params["field"]}`).toBe(`RUMI-MKT-006 ${field}`);
    });
  }

  it("refuses what is missing or no object", () => {
    const { lot_size: _, ...rest } = DEMO_INSTRUMENT;
    for (const value of [rest, null, [], "x"]) expect(parseInstrumentSpec(value).ok).toBe(false);
  });

  const spec: InstrumentSpec = {
    ...DEMO_INSTRUMENT,
    tick_size: 5,
    lot_size: 10,
    min_quantity: 20,
    max_quantity: 1_000,
  };
  it("[M-8.1.1] rounds prices and quantities towards less risk, or refuses", () => {
    const rows: readonly (readonly [number | string, number | string])[] = [
      [value(roundPrice(spec, "buy", 1_004)), 1_000],
      [value(roundPrice(spec, "sell", 1_001)), 1_005],
      [value(roundPrice(spec, "sell", 1_005)), 1_005],
      [value(roundPrice(spec, "buy", 4)), "RUMI-MKT-013"],
      [value(roundPrice(spec, "sell", 4)), 5],
      [value(roundPrice(spec, "buy", -5)), "RUMI-MKT-013"],
      [value(roundPrice(spec, "sell", Number.MAX_SAFE_INTEGER)), "RUMI-MKT-013"],
      [value(roundQuantity(spec, 39)), 30],
      [value(roundQuantity(spec, 19)), "RUMI-MKT-013"],
      [value(roundQuantity(spec, 1_009)), 1_000],
      [value(roundQuantity(spec, 1_010)), "RUMI-MKT-013"],
      [value(roundQuantity(spec, 20.5)), "RUMI-MKT-013"],
    ];
    for (const [got, expected] of rows) expect(got).toBe(expected);
  });
});
