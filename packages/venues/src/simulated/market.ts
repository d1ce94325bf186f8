/**
 * What the simulated exchange knows of one instrument: last prints, our open orders, our position.
 *
 * Orders of a side are kept in price-time priority: market orders first, then the better price, then the
 * earlier arrival.
 */
import type { ClientOrderId } from "@rumi/kernel";
import type { NewOrder } from "../types.ts";
import { Position } from "./account.ts";

export type Side = 1 | -1;

export type Order = {
  readonly client_order_id: ClientOrderId;
  /** Its sender's own number, rising with every order. */
  sequence?: number;
  /** Counts from 1; its text is the venue order id. */
  readonly number: number;
  readonly instrument: number;
  readonly side: Side;
  readonly type: "limit" | "market";
  readonly time_in_force: "gtc" | "ioc" | "fok";
  readonly reduce_only: boolean;
  readonly post_only: boolean;
  /** As first submitted, to recognise a duplicate that differs. */
  readonly first_price: number;
  readonly first_quantity: number;
  price: number;
  quantity: number;
  filled: number;
  /** Trades before this time cannot fill it. */
  active_us: number;
  /** A taker takes what is printed; a resting order waits behind `ahead`. */
  mode: "taker" | "resting";
  ahead: number;
  /** Time priority; a lost place gets a new number. */
  priority: number;
  state: "open" | "filled" | "cancelled" | "rejected";
};

/** An order as it arrives, before it is judged. */
export function arriving(wanted: NewOrder, at_us: number, number: number, priority: number): Order {
  // Written out, and the one that may be absent last: a literal of this size that begins with a spread becomes a slow object.
  const order: Order = {
    client_order_id: wanted.client_order_id,
    number,
    instrument: wanted.instrument,
    side: wanted.side === "buy" ? 1 : -1,
    type: wanted.type,
    time_in_force: wanted.time_in_force,
    reduce_only: wanted.reduce_only,
    post_only: wanted.post_only,
    first_price: wanted.price,
    first_quantity: wanted.quantity,
    price: wanted.price,
    quantity: wanted.quantity,
    filled: 0,
    active_us: at_us,
    mode: "taker",
    ahead: 0,
    priority,
    state: "open",
  };
  if (wanted.sequence !== undefined) order.sequence = wanted.sequence;
  return order;
}

/** The best prices in force; what we took of them is gone until the next quote. */
export type StandingQuote = {
  readonly time_us: number;
  readonly bid_price: number;
  bid_quantity: number;
  readonly ask_price: number;
  ask_quantity: number;
};

/** Price levels whose last quantity is remembered, one place per price modulo this. */
const LEVELS = 1_024;
/** Places that are made together when the first price comes to one of them: a quiet market needs few. */
const PAGE_BITS = 5;
const PAGE = 1 << PAGE_BITS;
/** Prices, then the quantity of each. */
const NO_PAGE = new Float64Array(PAGE * 2);

export class Market {
  last_price = 0;
  last_time_us = -1;
  last_aggressor = 0;
  /** Since the first quote or book row. */
  quote: StandingQuote | undefined;
  /** Whether trades, quotes or books have been seen: bars say nothing that those did not. */
  hasTicks = false;
  readonly position = new Position();
  buys: Order[] = [];
  sells: Order[] = [];
  readonly #pages: Float64Array[] = Array.from({ length: LEVELS / PAGE }, () => NO_PAGE);

  see(price: number, quantity: number, aggressor: number, time_us: number): void {
    if (time_us < this.last_time_us) return;
    this.last_price = price;
    this.last_time_us = time_us;
    this.last_aggressor = aggressor;
    this.restoreLevel(price, quantity);
  }

  /** Nothing is known of it yet. */
  get isUnknown(): boolean {
    return this.last_time_us < 0 && this.quote === undefined;
  }

  /** What the market is worth, from a quote, a book or a bar. */
  mark(price: number, time_us: number): void {
    if (price === 0 || time_us < this.last_time_us) return;
    this.last_price = price;
    this.last_time_us = time_us;
  }

  /** What stands at `price` already on our side: at the best price the quote says so, elsewhere the last trade there. */
  queueAt(side: Side, price: number): number {
    const { quote } = this;
    if (quote !== undefined && price === (side === 1 ? quote.bid_price : quote.ask_price))
      return side === 1 ? quote.bid_quantity : quote.ask_quantity;
    return this.lastQuantityAt(price);
  }

  /** Quantity of the last trade remembered at `price`, 0 where none is. */
  lastQuantityAt(price: number): number {
    const page = this.#pages[(price & (LEVELS - 1)) >> PAGE_BITS] ?? NO_PAGE;
    const at = price & (PAGE - 1);
    return page[at] === price ? (page[at + PAGE] ?? 0) : 0;
  }

  levels(): [number, number][] {
    const seen: [number, number][] = [];
    for (const page of this.#pages)
      for (let at = 0; at < PAGE; at += 1) if (page[at] !== 0) seen.push([page[at] ?? 0, page[at + PAGE] ?? 0]);
    return seen;
  }

  restoreLevel(price: number, quantity: number): void {
    const number = (price & (LEVELS - 1)) >> PAGE_BITS;
    let page = this.#pages[number] ?? NO_PAGE;
    if (page === NO_PAGE) {
      page = new Float64Array(PAGE * 2);
      this.#pages[number] = page;
    }
    const at = price & (PAGE - 1);
    page[at] = price;
    page[at + PAGE] = quantity;
  }

  /**
   * Whether a limit order would trade at once, judged by the quote in force, or else by the last print: a print at the
   * bid shows no offer there.
   */
  marketable(side: Side, price: number): boolean {
    const { quote } = this;
    if (quote !== undefined) {
      const opposite = side === 1 ? quote.ask_price : quote.bid_price;
      return opposite !== 0 && side * (price - opposite) >= 0;
    }
    if (this.last_time_us < 0) return false;
    const better = side * (price - this.last_price);
    return better > 0 || (better === 0 && this.last_aggressor !== (side === 1 ? 2 : 1));
  }

  of(side: Side): Order[] {
    return side === 1 ? this.buys : this.sells;
  }

  insert(order: Order): void {
    const orders = this.of(order.side);
    orders.splice(orders.findLastIndex((other) => before(other, order)) + 1, 0, order);
  }

  /** Forgets orders that are no longer open. */
  sweep(): void {
    this.buys = this.buys.filter((order) => order.state === "open");
    this.sells = this.sells.filter((order) => order.state === "open");
  }

  remove(order: Order): void {
    const orders = this.of(order.side);
    const at = orders.indexOf(order);
    if (at >= 0) orders.splice(at, 1);
  }
}

function before(a: Order, b: Order): boolean {
  if (a.type !== b.type) return a.type === "market";
  if (a.type === "limit" && a.price !== b.price) return a.side * (a.price - b.price) > 0;
  return a.priority < b.priority;
}
