/** Rows of a feed that are no trades, as the simulated exchange takes them. */
import { MARKET_KIND, type MarketFeed, type MixedColumns } from "../types.ts";
import type { StandingQuote } from "./market.ts";
import type { Bar } from "./matching.ts";

/** Best bid and ask of a quote, or of the book after a book row. */
export function quoteAt(mixed: MixedColumns, row: number, time_us: number): StandingQuote {
  const table = mixed.kind[row] === MARKET_KIND.quote ? mixed.quotes : mixed.books;
  const at = mixed.detail[row] ?? 0;
  return {
    time_us,
    bid_price: table.bid_price[at] ?? 0,
    bid_quantity: table.bid_quantity[at] ?? 0,
    ask_price: table.ask_price[at] ?? 0,
    ask_quantity: table.ask_quantity[at] ?? 0,
  };
}

export function barAt(feed: MarketFeed, mixed: MixedColumns, row: number): Bar {
  const at = mixed.detail[row] ?? 0;
  const time_us = feed.event_time_us[row] ?? 0;
  return {
    of: "bar",
    open: mixed.bars.open[at] ?? 0,
    high: mixed.bars.high[at] ?? 0,
    low: mixed.bars.low[at] ?? 0,
    close: feed.price[row] ?? 0,
    quantity: feed.quantity[row] ?? 0,
    open_us: time_us - (mixed.bars.duration_us[at] ?? 0),
    time_us,
  };
}
