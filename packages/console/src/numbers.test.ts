import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  absoluteDecimal,
  addDecimals,
  decimalText,
  multiplyDecimals,
  scaled,
  shownDecimal,
  signTone,
  sumDecimals,
} from "./numbers.ts";

describe("decimal texts", () => {
  it.each([
    ["0.1", "0.2", "0.3"],
    ["-0.5", "0.5", "0"],
    ["1", "-1.25", "-0.25"],
    ["-0.05", "-0.05", "-0.1"],
    ["9007199254740993", "0.00000001", "9007199254740993.00000001"],
    ["100", "200", "300"],
  ])("%s + %s = %s, exactly", (a, b, sum) => {
    expect(addDecimals(a, b)).toBe(sum);
    expect(addDecimals(b, a)).toBe(sum);
  });
  it.each([
    ["0.1", "0.2", "0.02"],
    ["-3", "101.55", "-304.65"],
    ["9007199254740993", "10", "90071992547409930"],
    ["0", "-5", "0"],
  ])("%s × %s = %s, exactly", (a, b, product) => {
    expect(multiplyDecimals(a, b)).toBe(product);
    expect(absoluteDecimal(multiplyDecimals(b, a))).toBe(product.replace("-", ""));
  });
  it("any two add up as integers do", () => {
    const part = fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 12 }));
    fc.assert(
      fc.property(part, part, ([a, x], [b, y]) => {
        const sum = scaled(addDecimals(decimalText({ units: a, digits: x }), decimalText({ units: b, digits: y })));
        const widest = Math.max(x, y);
        const expected = a * 10n ** BigInt(widest - x) + b * 10n ** BigInt(widest - y);
        expect(sum.units * 10n ** BigInt(widest - sum.digits)).toBe(expected);
      }),
    );
  });
  it("a sum of nothing is 0", () => {
    expect(sumDecimals([])).toBe("0");
    expect(sumDecimals(["1.5", "-0.25", "3"])).toBe("4.25");
  });
  it.each([
    ["1234567.891", 2, "1,234,567.89"],
    ["-1234567.895", 2, "−1,234,567.90"],
    ["0.005", 2, "0.01"],
    ["-0.004", 2, "0.00"],
    ["12", 2, "12.00"],
    ["999.999", 2, "1,000.00"],
    ["1000", 0, "1,000"],
    ["-0.5", 0, "−1"],
    ["0.00150000", 8, "0.00150000"],
  ])("%s with %i digits is shown as %s", (exact, digits, shown) => {
    expect(shownDecimal(exact, digits)).toBe(shown);
  });
  it.each([
    ["0", "dim"],
    ["-0.00", "dim"],
    ["0.001", "good"],
    ["-3", "bad"],
  ])("%s has the tone %s", (text, tone) => {
    expect(signTone(text)).toBe(tone);
  });
});
