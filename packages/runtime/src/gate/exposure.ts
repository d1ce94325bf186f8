/**
 * What an order would add, in money: against the bot's capital and against the budget that its own intent names (M-2.4.1).
 *
 * How to think: whatever only closes a position adds nothing, as far as no open order closes it already. Amounts are
 * rounded up and exact at any size; a market order counts at the last price.
 *
 * Invariant: what adds nothing passes every budget, a budget of nothing included (gate.test.ts).
 */
import { type InstrumentSpec, MONEY_DIGITS } from "@rumi/abi";
import type { GateContext, GateMoment } from "./gate.ts";
import type { VenueAction } from "./intent.ts";

type Book = Pick<GateMoment, "open_orders" | "positions" | "last_prices">;

/** Whether one of the actions adds more than `budget`, quote currency scaled by 10^8. */
export function exceedsBudget(
  actions: readonly VenueAction[],
  budget: number,
  instruments: readonly InstrumentSpec[],
  book: Book,
): boolean {
  return actions.some((action) => worthAdded(action, instruments, book) > BigInt(budget));
}

/** What the action adds to the instance's exposure at most, quote currency scaled by 10^8. */
export function worthAdded(action: VenueAction, instruments: readonly InstrumentSpec[], book: Book): bigint {
  if (action.kind === "cancel" || (action.kind === "submit" && action.order.reduce_only)) return 0n;
  const target = action.kind === "amend" ? book.open_orders.find((one) => one.key === action.target_key) : undefined;
  const order = action.kind === "submit" ? action.order : target;
  const of = order === undefined ? undefined : instruments[order.instrument];
  if (order === undefined || of === undefined) return 0n;
  let { price, quantity } = order;
  if (action.kind === "amend" && target !== undefined) {
    const total = action.quantity === -1 ? target.quantity : action.quantity;
    // Neither more of it nor dearer: it shrinks.
    if (total <= target.quantity && action.price <= target.price) return 0n;
    price = action.price;
    quantity = total - (target.quantity - target.remaining);
  }
  const adds = quantity - Math.min(quantity, closable(order.instrument, order.side, book, target?.key));
  const at = price === 0 ? (book.last_prices[order.instrument] ?? 0) : price;
  return toMoney(BigInt(at) * BigInt(adds), of.price_digits + of.quantity_digits);
}

/** How much an order of this side may still close: the position, less what open orders of the same side close already. */
function closable(instrument: number, side: "buy" | "sell", book: Book, except: number | undefined): number {
  const position = book.positions[instrument] ?? 0;
  const open = book.open_orders
    .filter((one) => one.instrument === instrument && one.side === side && one.key !== except)
    .reduce((sum, one) => sum + one.remaining, 0);
  return Math.max(0, (side === "buy" ? -position : position) - open);
}

/** Gross exposure if everything open filled, the new order included, against the capital. */
export function exceedsCapital(
  order: {
    readonly instrument: number;
    readonly side: "buy" | "sell";
    readonly price: number;
    readonly quantity: number;
  },
  context: Pick<GateContext, "instruments" | "capital">,
  moment: Pick<GateMoment, "open_orders" | "positions" | "last_prices">,
  except: number,
): string {
  let gross = 0n;
  for (const [index, instrument] of context.instruments.entries()) {
    const last = moment.last_prices[index] ?? 0;
    const position = moment.positions[index] ?? 0;
    let buys = 0n;
    let sells = 0n;
    const add = (side: "buy" | "sell", price: number, quantity: number): void => {
      const amount = BigInt(price === 0 ? last : price) * BigInt(quantity);
      if (side === "buy") buys += amount;
      else sells += amount;
    };
    for (const open of moment.open_orders)
      if (open.instrument === index && open.key !== except) add(open.side, open.price, open.remaining);
    if (order.instrument === index) {
      if (order.price === 0 && last === 0) return "M.LIMIT.NO_PRICE";
      add(order.side, order.price, order.quantity);
    }
    const held = BigInt(last) * BigInt(position);
    const long = magnitude(held + buys);
    const short = magnitude(held - sells);
    gross += toMoney(long > short ? long : short, instrument.price_digits + instrument.quantity_digits);
  }
  return gross > context.capital ? "M.LIMIT.CAPITAL" : "";
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

/** From a product's scale to money's, rounded up. */
function toMoney(value: bigint, digits: number): bigint {
  if (digits <= MONEY_DIGITS) return value * 10n ** BigInt(MONEY_DIGITS - digits);
  const by = 10n ** BigInt(digits - MONEY_DIGITS);
  return (value + by - 1n) / by;
}
