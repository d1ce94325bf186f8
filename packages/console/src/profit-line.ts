/**
 * Realised profit after each fill, at average cost, before fees: the accounting of the simulated exchange
 * (docs/formats/simulated-exchange.md), written again from the fills that the API lists.
 *
 * It starts where the position is known to be flat: at the first fill of a complete run, else where a position is
 * first seen to end at the quantity that the API reports. Before that nothing is drawn.
 */
import { addDecimals, compareDecimals, decimalText, negatedDecimal, type Scaled, scaled, widened } from "./numbers.ts";

export type ProfitFill = {
  readonly at_us: number;
  readonly side: "buy" | "sell";
  readonly price: string;
  readonly quantity: string;
};
export type ProfitPoint = { readonly at_us: number; readonly realised: string };

/** `fills` oldest first and of one instrument; `last_quantity` is the position after the last of them. */
export function profitLine(
  fills: readonly ProfitFill[],
  start: { readonly kind: "flat" } | { readonly kind: "unknown"; readonly last_quantity: string },
): readonly ProfitPoint[] {
  const price_digits = digitsOf(fills.map(({ price }) => price));
  const quantity_digits = digitsOf([
    ...fills.map(({ quantity }) => quantity),
    ...(start.kind === "unknown" ? [start.last_quantity] : []),
  ]);
  const trades = fills.map((fill) => ({
    at_us: fill.at_us,
    price: widened(scaled(fill.price), price_digits),
    signed: widened(scaled(fill.quantity), quantity_digits) * (fill.side === "buy" ? 1n : -1n),
  }));
  const total = trades.reduce((sum, { signed }) => sum + signed, 0n);
  let quantity = start.kind === "flat" ? 0n : widened(scaled(start.last_quantity), quantity_digits) - total;
  let isKnown = quantity === 0n;
  let [cost, realised] = [0n, 0n];
  const points: ProfitPoint[] = [];
  for (const { at_us, price, signed } of trades) {
    const isClosing = quantity !== 0n && quantity > 0n !== signed > 0n;
    const size = magnitude(signed);
    const closing = isClosing ? smaller(size, magnitude(quantity)) : 0n;
    const side = signed > 0n ? 1n : -1n;
    if (isKnown && closing > 0n) {
      const released = (cost * closing) / magnitude(quantity);
      realised -= price * side * closing + released;
      cost -= released;
    }
    if (closing === magnitude(quantity)) {
      isKnown = true;
      cost = 0n;
    }
    if (isKnown) cost += price * side * (size - closing);
    quantity += signed;
    const value: Scaled = { units: realised, digits: price_digits + quantity_digits };
    if (isKnown) points.push({ at_us, realised: decimalText(value) });
  }
  return points;
}

/** The furthest that it ever fell below the highest it had been; profit begins at nothing. */
export function drawdownOf(points: readonly ProfitPoint[]): string {
  let [peak, deepest] = ["0", "0"];
  for (const { realised } of points) {
    if (compareDecimals(realised, peak) > 0) peak = realised;
    const fall = addDecimals(peak, negatedDecimal(realised));
    if (compareDecimals(fall, deepest) > 0) deepest = fall;
  }
  return deepest;
}

function digitsOf(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, scaled(text).digits), 0);
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
