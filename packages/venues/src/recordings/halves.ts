/** Best prices and levels that are only half there: a price without an amount, or an amount without a price. */
import { SLOT } from "./layouts.ts";

export const halfOfQuote = (values: Float64Array): string =>
  half("bid", values[SLOT.a], values[SLOT.c]) || half("ask", values[SLOT.b], values[SLOT.d]);

/** `levels`: of each side; ask price, ask amount, bid price, bid amount from slot `a` on. */
export function halfOfSnapshot(values: Float64Array, levels: number): string {
  for (let level = 0; level < levels; level += 1) {
    const at = SLOT.a + level * 4;
    const problem = half("ask", values[at], values[at + 1]) || half("bid", values[at + 2], values[at + 3]);
    if (problem !== "") return problem;
  }
  return "";
}

function half(side: "bid" | "ask", price: number | undefined, amount: number | undefined): string {
  if (price === 0) return amount === 0 ? "" : `${side} has an amount and no price`;
  return amount === 0 ? `${side} has a price and no amount` : "";
}
