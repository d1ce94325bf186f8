/**
 * What is drawn of a bot's orders on its chart: a line at the limit from when it was sent until it was over, a cross where
 * it was refused. Pure.
 *
 * An order at the market has no price and no line; its fills say where it went. Far from where was traded a line would
 * press everything else flat: it is left to the table.
 */
import type { BotOrder } from "../../../answers/bot-page.ts";
import { toFloat } from "../../../numbers.ts";

export type OrderLine = {
  readonly id: string;
  readonly side: "buy" | "sell";
  readonly price: number;
  /** Seconds. */
  readonly from: number;
  /** Null: it still rests. */
  readonly until: number | null;
  readonly look: "resting" | "done" | "taken_back" | "refused";
};

/** Lines drawn at most: the newest. */
export const LINES_DRAWN = 400;
/** So many times the range of the fills a line may lie above or below it. */
const REACH = 2;

const LOOK = {
  submitted: "resting",
  open: "resting",
  filled: "done",
  cancelled: "taken_back",
  over: "taken_back",
  unknown: "taken_back",
  rejected: "refused",
} as const satisfies Readonly<Record<BotOrder["state"], OrderLine["look"]>>;

export function orderLines(orders: readonly BotOrder[], fill_prices: readonly number[]): readonly OrderLine[] {
  const reach = reachOf(fill_prices);
  return orders
    .flatMap((order): readonly OrderLine[] => {
      const { side, price, state, sent_time_us, last_time_us } = order;
      if ((side !== "buy" && side !== "sell") || price === null || sent_time_us === null) return [];
      const [at, from] = [toFloat(price), secondOf(sent_time_us)];
      if (at < reach.low || at > reach.high) return [];
      const look = LOOK[state];
      const until = look === "resting" ? null : Math.max(from, secondOf(last_time_us ?? sent_time_us));
      return [{ id: order.client_order_id, side, price: at, from, until, look }];
    })
    .slice(0, LINES_DRAWN);
}

/** The moments that the lines need on the axis of time, each with a price where there is one. */
export function momentsOf(lines: readonly OrderLine[]): readonly (readonly [second: number, price: number])[] {
  const found = new Map<number, number>();
  for (const { from, until, price } of lines) {
    found.set(from, price);
    if (until !== null) found.set(until, price);
  }
  return [...found].toSorted(([a], [b]) => a - b);
}

export function countsOf(
  orders: readonly BotOrder[],
): Readonly<Record<"open" | "done" | "taken_back" | "refused", number>> {
  const counts = { open: 0, done: 0, taken_back: 0, refused: 0 };
  for (const { state } of orders) {
    const look = LOOK[state];
    counts[look === "resting" ? "open" : look] += 1;
  }
  return counts;
}

const secondOf = (time_us: number): number => Math.floor(time_us / 1_000_000);

function reachOf(prices: readonly number[]): { readonly low: number; readonly high: number } {
  if (prices.length === 0) return { low: -Infinity, high: Infinity };
  const low = prices.reduce((a, b) => Math.min(a, b));
  const high = prices.reduce((a, b) => Math.max(a, b));
  const margin = Math.max(high - low, high * 0.01) * REACH;
  return { low: low - margin, high: high + margin };
}
