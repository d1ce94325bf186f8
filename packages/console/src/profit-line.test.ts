import { describe, expect, it } from "vitest";
import { drawdownOf, profitLine, type ProfitFill } from "./profit-line.ts";

const fill = (at_us: number, side: "buy" | "sell", quantity: string, price: string): ProfitFill => ({
  at_us,
  side,
  quantity,
  price,
});

describe("realised profit from fills", () => {
  it("releases the average cost of what is closed", () => {
    const fills = [fill(1, "buy", "2", "10"), fill(2, "buy", "2", "20"), fill(3, "sell", "1", "18")];
    expect(profitLine(fills, { kind: "flat" })).toEqual([
      { at_us: 1, realised: "0" },
      { at_us: 2, realised: "0" },
      { at_us: 3, realised: "3" },
    ]);
  });
  it("what is closed is gone from the cost of what stays", () => {
    const fills = [fill(1, "buy", "4", "15"), fill(2, "sell", "1", "18"), fill(3, "sell", "3", "20")];
    expect(profitLine(fills, { kind: "flat" }).map(({ realised }) => realised)).toEqual(["0", "3", "18"]);
  });
  it("a fill beyond flat closes first and opens the other side at its own price", () => {
    const fills = [fill(1, "sell", "1.0", "10.00"), fill(2, "buy", "3.0", "8.50"), fill(3, "sell", "2.0", "9.00")];
    expect(profitLine(fills, { kind: "flat" }).map(({ realised }) => realised)).toEqual(["0", "1.5", "2.5"]);
  });
  it("a run that is cut off in front is drawn from where it is first flat", () => {
    const fills = [fill(1, "sell", "1", "10"), fill(2, "buy", "1", "7"), fill(3, "sell", "1", "9")];
    expect(profitLine(fills, { kind: "unknown", last_quantity: "0" })).toEqual([
      { at_us: 1, realised: "0" },
      { at_us: 2, realised: "0" },
      { at_us: 3, realised: "2" },
    ]);
    expect(profitLine([fill(1, "sell", "1", "10")], { kind: "unknown", last_quantity: "5" })).toEqual([]);
  });
  it("stays exact where binary floats do not", () => {
    const fills = [fill(1, "buy", "0.3", "0.1"), fill(2, "sell", "0.3", "0.3")];
    expect(profitLine(fills, { kind: "flat" }).at(-1)?.realised).toBe("0.06");
  });
  it("no fills, no line", () => {
    expect(profitLine([], { kind: "flat" })).toEqual([]);
  });
});

describe("the drawdown", () => {
  const line = (...values: readonly string[]) => values.map((realised, at_us) => ({ at_us, realised }));
  it.each([
    [[], "0"],
    [["1", "2", "3"], "0"],
    [["-1.5"], "1.5"],
    [["10", "4", "12", "7.25", "11"], "6"],
    [["0.1", "-0.2", "0.3", "-0.4"], "0.7"],
  ] as const)("of %j is %s", (values, deepest) => {
    expect(drawdownOf(line(...values))).toBe(deepest);
  });
});
