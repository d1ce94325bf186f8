/**
 * What one recorded trade, quote or bar gives to one of our orders: the model of docs/formats/simulated-exchange.md.
 *
 * Invariants (venue-properties.test.ts, kinds-properties.test.ts): never more than was offered, never beyond the limit; a
 * bar's fills lie within its high and low.
 */
import type { QueueModel } from "../types.ts";
import type { Market, Order, Side } from "./market.ts";

export type Trade = {
  readonly of: "trade";
  readonly price: number;
  readonly quantity: number;
  readonly aggressor: number;
  readonly time_us: number;
};
/** What stands opposite to one side of our orders: for our buys the best ask. Price 0: nothing does. */
export type Quote = {
  readonly of: "quote";
  readonly price: number;
  readonly quantity: number;
  readonly time_us: number;
};
export type Bar = {
  readonly of: "bar";
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** The volume. */ readonly quantity: number;
  readonly open_us: number;
  /** Its end. */ readonly time_us: number;
};
export type Offered = Trade | Quote | Bar;

/** An order that arrived in this part of a bar (one second of a minute) was there at its open. */
export const BAR_OPEN_PART = 60;

/**
 * The quantity that `order` gets of what is offered, of which `budget` is left. Moves the order's place in the
 * queue: the quantity ahead shrinks, and a taker that meets a worse price than its limit rests from now on.
 */
export function offer(
  order: Order,
  offered: Offered,
  budget: number,
  market: Market,
  model: QueueModel | undefined,
): number {
  if (offered.of === "trade") return ofTrade(order, offered, budget, market, model);
  const reached = offered.of === "quote" ? reachesQuote(order, offered) : reachesBar(order, offered);
  if (!reached) {
    if (order.mode === "taker" && order.type === "limit" && budget > 0) rest(order, market, model);
    return 0;
  }
  return allowed(order, budget, market);
}

/** What a fill of `order` out of `offered` costs: a resting order its own limit. */
export function fillPrice(order: Order, offered: Offered): number {
  if (order.mode === "resting") return order.price;
  return offered.of === "bar" ? barPrice(order, offered) : offered.price;
}

function reachesQuote(order: Order, quote: Quote): boolean {
  return quote.price !== 0 && (order.type === "market" || order.side * (order.price - quote.price) >= 0);
}

/** A resting order wants the bar to go through its limit: at the limit itself others were first. */
function reachesBar(order: Order, bar: Bar): boolean {
  if (order.mode === "taker") return order.type === "market" || order.side * (order.price - barPrice(order, bar)) >= 0;
  const best = wasAtOpen(order, bar) ? (order.side === 1 ? bar.low : bar.high) : bar.close;
  return order.side * (order.price - best) > 0;
}

/** The open for who was there; later the worse of open and close, because nobody knows the way between. */
function barPrice(order: Order, bar: Bar): number {
  if (wasAtOpen(order, bar)) return bar.open;
  return order.side === 1 ? Math.max(bar.open, bar.close) : Math.min(bar.open, bar.close);
}

function wasAtOpen(order: Order, bar: Bar): boolean {
  return order.active_us - bar.open_us <= (bar.time_us - bar.open_us) / BAR_OPEN_PART;
}

function rest(order: Order, market: Market, model: QueueModel | undefined): void {
  order.mode = "resting";
  order.ahead = queueAhead(market, order.side, order.price, model);
}

function allowed(order: Order, available: number, market: Market): number {
  const remaining = order.quantity - order.filled;
  const most = order.reduce_only ? Math.min(remaining, market.position.reducible(order.side)) : remaining;
  const quantity = Math.max(0, Math.min(most, available));
  return order.time_in_force === "fok" && quantity < remaining ? 0 : quantity;
}

function ofTrade(order: Order, trade: Trade, budget: number, market: Market, model: QueueModel | undefined): number {
  const through = order.type === "market" ? Infinity : order.side * (order.price - trade.price);
  if (through < 0) {
    if (order.mode === "taker") rest(order, market, model);
    return 0;
  }
  let available = budget;
  if (order.mode === "resting") {
    if (through > 0) order.ahead = 0;
    else {
      // Bought (or sold) by our own side's aggressor: nobody came to our queue.
      if (trade.aggressor === (order.side === 1 ? 1 : 2)) return 0;
      available = budget - order.ahead;
      order.ahead = Math.max(0, order.ahead - trade.quantity);
    }
  }
  return allowed(order, available, market);
}

/** What stands before an order that arrives at `price` now. */
export function queueAhead(market: Market, side: Side, price: number, model: QueueModel | undefined): number {
  return model?.kind === "fixed" ? model.quantity : market.queueAt(side, price);
}

/** 32 well-mixed bits of a seed and a count, so that the stream's whole state is the count. */
export function mix(seed: number, count: number): number {
  let x = Math.imul(seed ^ Math.imul(count, 0x9e3779b1), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) ^ count;
  x = Math.imul(x ^ (x >>> 16), 0x27d4eb2f);
  return (x ^ (x >>> 15)) >>> 0;
}
