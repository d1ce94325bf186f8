/**
 * What one recorded trade gives to one of our orders: the model of docs/formats/simulated-exchange.md.
 */
import type { QueueModel } from "../types.ts";
import type { Market, Order } from "./market.ts";

export type Trade = {
  readonly price: number;
  readonly quantity: number;
  readonly aggressor: number;
  readonly time_us: number;
};

/**
 * The quantity that `order` gets of `trade`, of which `budget` is left. Moves the order's place in the
 * queue: the quantity ahead shrinks, and a taker that meets a worse price than its limit rests from now on.
 */
export function offer(
  order: Order,
  trade: Trade,
  budget: number,
  market: Market,
  model: QueueModel | undefined,
): number {
  const through = order.type === "market" ? Infinity : order.side * (order.price - trade.price);
  if (through < 0) {
    if (order.mode === "taker") {
      order.mode = "resting";
      order.ahead = queueAhead(market, order.price, model);
    }
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
  const remaining = order.quantity - order.filled;
  const allowed = order.reduce_only ? Math.min(remaining, market.position.reducible(order.side)) : remaining;
  const quantity = Math.max(0, Math.min(allowed, available));
  return order.time_in_force === "fok" && quantity < remaining ? 0 : quantity;
}

/** What stands before an order that arrives at `price` now. */
export function queueAhead(market: Market, price: number, model: QueueModel | undefined): number {
  return model?.kind === "fixed" ? model.quantity : market.lastQuantityAt(price);
}

/** 32 well-mixed bits of a seed and a count, so that the stream's whole state is the count. */
export function mix(seed: number, count: number): number {
  let x = Math.imul(seed ^ Math.imul(count, 0x9e3779b1), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) ^ count;
  x = Math.imul(x ^ (x >>> 16), 0x27d4eb2f);
  return (x ^ (x >>> 15)) >>> 0;
}
