/**
 * What an order would add, in money: against the bot's capital and against the budget that its own intent names (M-2.4.1).
 *
 * How to think: whatever only closes a position adds nothing, as far as no open order closes it already. Amounts are
 * rounded up and exact at any size; a market order counts at the last price. Doubles count while they are exact, which is
 * nearly always; where one is not, the same is counted in whole numbers of any size.
 *
 * Invariants
 * - What adds nothing passes every budget, a budget of nothing included (gate.test.ts).
 * - Both ways of counting come to the same (exposure.test.ts).
 */
import { type InstrumentSpec, MONEY_DIGITS } from "@rumi/abi";
import type { GateContext, GateMoment } from "./context.ts";
import type { VenueAction } from "./intent.ts";

export type Book = Pick<GateMoment, "open_orders" | "positions" | "last_prices">;

/** Whether one of the actions adds more than `budget`, quote currency scaled by 10^8. */
export function exceedsBudget(
  actions: readonly VenueAction[],
  budget: number,
  instruments: readonly InstrumentSpec[],
  book: Book,
): boolean {
  for (const action of actions) if (worth(action, instruments, book) > budget) return true;
  return false;
}

/** What the action adds to the instance's exposure at most, quote currency scaled by 10^8; exact. */
export function worthAdded(action: VenueAction, instruments: readonly InstrumentSpec[], book: Book): bigint {
  return BigInt(worth(action, instruments, book));
}

/** In a double where that is exact. */
function worth(action: VenueAction, instruments: readonly InstrumentSpec[], book: Book): number | bigint {
  if (action.kind === "cancel" || (action.kind === "submit" && action.order.reduce_only)) return 0;
  const target = action.kind === "amend" ? book.open_orders.find((one) => one.key === action.target_key) : undefined;
  const order = action.kind === "submit" ? action.order : target;
  const of = order === undefined ? undefined : instruments[order.instrument];
  if (order === undefined || of === undefined) return 0;
  let { price, quantity } = order;
  if (action.kind === "amend" && target !== undefined) {
    const total = action.quantity === -1 ? target.quantity : action.quantity;
    // Neither more of it nor dearer: it shrinks.
    if (total <= target.quantity && action.price <= target.price) return 0;
    price = action.price;
    quantity = total - (target.quantity - target.remaining);
  }
  const adds = quantity - Math.min(quantity, closable(order.instrument, order.side, book, target?.key));
  const at = price === 0 ? (book.last_prices[order.instrument] ?? 0) : price;
  const digits = MONEY_DIGITS - of.price_digits - of.quantity_digits;
  const quick = safe(safe(at * adds) * powerOfTen(digits));
  return Number.isNaN(quick) ? toMoney(BigInt(at) * BigInt(adds), of.price_digits + of.quantity_digits) : quick;
}

/** How much an order of this side may still close: the position, less what open orders of the same side close already. */
function closable(instrument: number, side: "buy" | "sell", book: Book, except: number | undefined): number {
  const position = book.positions[instrument] ?? 0;
  let open = 0;
  for (const one of book.open_orders)
    if (one.instrument === instrument && one.side === side && one.key !== except) open += one.remaining;
  return Math.max(0, (side === "buy" ? -position : position) - open);
}

type NewOrder = {
  readonly instrument: number;
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly quantity: number;
};

/** Gross exposure if everything open filled, the new order included, against the capital. */
export function exceedsCapital(
  order: NewOrder,
  context: Pick<GateContext, "instruments" | "capital">,
  moment: Book,
  except: number,
): string {
  if (order.price === 0 && (moment.last_prices[order.instrument] ?? 0) === 0) return "M.LIMIT.NO_PRICE";
  const quick = quickGross(order, context.instruments, moment, except);
  const gross = Number.isNaN(quick) ? exactGross(order, context.instruments, moment, except) : quick;
  return gross > context.capital ? "M.LIMIT.CAPITAL" : "";
}

/** In doubles, which is where nearly every order's amounts fit; `NaN` as soon as one of them is not exact. */
export function quickGross(
  order: NewOrder,
  instruments: readonly InstrumentSpec[],
  moment: Book,
  except: number,
): number {
  let gross = 0;
  for (let index = 0; index < instruments.length; index += 1) {
    const of = instruments[index];
    const last = moment.last_prices[index] ?? 0;
    let buys = 0;
    let sells = 0;
    for (const open of moment.open_orders) {
      if (open.instrument !== index || open.key === except) continue;
      const amount = safe((open.price === 0 ? last : open.price) * open.remaining);
      if (open.side === "buy") buys = safe(buys + amount);
      else sells = safe(sells + amount);
    }
    if (order.instrument === index) {
      const amount = safe((order.price === 0 ? last : order.price) * order.quantity);
      if (order.side === "buy") buys = safe(buys + amount);
      else sells = safe(sells + amount);
    }
    const held = safe(last * (moment.positions[index] ?? 0));
    const most = Math.max(Math.abs(safe(held + buys)), Math.abs(safe(held - sells)));
    const digits = MONEY_DIGITS - (of?.price_digits ?? 0) - (of?.quantity_digits ?? 0);
    // A quotient of two exact numbers may round over a whole one; the exact way knows better.
    gross = safe(gross + safe(most * powerOfTen(digits)));
  }
  return gross;
}

/** Looked up: raising costs more than everything else that is counted here. No number for what is no whole one. */
const POWERS_OF_TEN: readonly number[] = Array.from({ length: MONEY_DIGITS + 1 }, (_, digits) => 10 ** digits);
const powerOfTen = (digits: number): number => (digits < 0 ? Number.NaN : (POWERS_OF_TEN[digits] ?? Number.NaN));

const safe = (value: number): number => (Number.isSafeInteger(value) ? value : Number.NaN);

export function exactGross(
  order: NewOrder,
  instruments: readonly InstrumentSpec[],
  moment: Book,
  except: number,
): bigint {
  let gross = 0n;
  for (const [index, instrument] of instruments.entries()) {
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
    if (order.instrument === index) add(order.side, order.price, order.quantity);
    const held = BigInt(last) * BigInt(position);
    const long = magnitude(held + buys);
    const short = magnitude(held - sells);
    gross += toMoney(long > short ? long : short, instrument.price_digits + instrument.quantity_digits);
  }
  return gross;
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

/** From a product's scale to money's, rounded up. */
function toMoney(value: bigint, digits: number): bigint {
  if (digits <= MONEY_DIGITS) return value * 10n ** BigInt(MONEY_DIGITS - digits);
  const by = 10n ** BigInt(digits - MONEY_DIGITS);
  return (value + by - 1n) / by;
}
