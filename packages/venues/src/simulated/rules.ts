/** What the simulated exchange lets in: pure checks of options, orders and amendments. */
import type { InstrumentSpec } from "@rumi/abi";
import { failure, type Failure } from "@rumi/kernel";
import type { VenueLimits } from "../limits.ts";
import type { NewOrder, SimulatedVenueOptions } from "../types.ts";
import type { Market, Order } from "./market.ts";
import { VENUE_REASONS, type VenueReason } from "./reasons.ts";

export function optionProblem(options: SimulatedVenueOptions, limits: VenueLimits): Failure | undefined {
  const bounds: readonly (readonly [string, number, number, number])[] = [
    ["instruments", options.instruments.length, 1, limits.venue_instruments],
    ["maker_fee_ppm", options.maker_fee_ppm, -100_000, 100_000],
    ["taker_fee_ppm", options.taker_fee_ppm, -100_000, 100_000],
    ["latency_us", options.latency_us, 0, 3_600_000_000],
    ["latency_jitter_us", options.latency_jitter_us, 0, 3_600_000_000],
    [
      "queue_ahead.quantity",
      options.queue_ahead?.kind === "fixed" ? options.queue_ahead.quantity : 0,
      0,
      Number.MAX_SAFE_INTEGER,
    ],
  ];
  for (const [field, value, least, most] of bounds) {
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      return failure("RUMI-MKT-011", {
        field,
        problem: `must be a whole number from ${least} to ${most}`,
      });
    }
  }
  if (new Set(options.instruments.map((spec) => spec.instrument_id)).size !== options.instruments.length) {
    return failure("RUMI-MKT-011", { field: "instruments", problem: "names one instrument twice" });
  }
  return undefined;
}

export function orderProblem(order: NewOrder, spec: InstrumentSpec, market: Market): VenueReason | undefined {
  const priced = order.type === "market" ? order.price === 0 : steps(order.price, spec.tick_size);
  if (!priced) return VENUE_REASONS.price;
  if (order.post_only && (order.type === "market" || order.time_in_force !== "gtc")) return VENUE_REASONS.post_only;
  // What only reduces may be smaller than the minimum, or a position's rest could never be closed.
  if (!steps(order.quantity, order.reduce_only ? 1 : spec.lot_size)) return VENUE_REASONS.quantity;
  if (order.quantity > spec.max_quantity || (!order.reduce_only && order.quantity < spec.min_quantity))
    return VENUE_REASONS.quantity;
  return fitsPosition(market, order.quantity) ? undefined : VENUE_REASONS.quantity;
}

export function amendProblem(
  order: Order,
  change: { readonly price: number; readonly quantity: number },
  spec: InstrumentSpec | undefined,
  market: Market,
): VenueReason | undefined {
  if (spec === undefined) return VENUE_REASONS.instrument;
  if (order.type === "market") return VENUE_REASONS.amend_market;
  if (!steps(change.price, spec.tick_size)) return VENUE_REASONS.price;
  if (!steps(change.quantity, order.reduce_only ? 1 : spec.lot_size) || change.quantity > spec.max_quantity)
    return VENUE_REASONS.quantity;
  if (change.quantity <= order.filled) return VENUE_REASONS.amend_filled;
  if (!order.reduce_only && change.quantity < spec.min_quantity) return VENUE_REASONS.quantity;
  return change.quantity <= order.quantity || fitsPosition(market, change.quantity - order.quantity)
    ? undefined
    : VENUE_REASONS.quantity;
}

/** Our open orders of the other side that `order` would trade with. */
export function crossesOwn(market: Market, order: Order): readonly Order[] {
  const others = order.side === 1 ? market.sells : market.buys;
  return others.filter((other) => {
    if (other.type === "market") return true;
    const reach = order.type === "limit" ? order.price : market.last_price;
    return (order.type === "limit" || market.last_time_us >= 0) && order.side * (reach - other.price) >= 0;
  });
}

export function sameOrder(known: Order, wanted: NewOrder): boolean {
  return (
    known.instrument === wanted.instrument &&
    known.side === (wanted.side === "buy" ? 1 : -1) &&
    known.type === wanted.type &&
    known.time_in_force === wanted.time_in_force &&
    known.first_price === wanted.price &&
    known.first_quantity === wanted.quantity &&
    known.reduce_only === wanted.reduce_only &&
    known.post_only === wanted.post_only
  );
}

function steps(value: number, step: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && value % step === 0;
}

/** Even if every open order filled, the position would stay below 2^53. */
function fitsPosition(market: Market, more: number): boolean {
  let total = Math.abs(market.position.quantity) + more;
  for (const order of market.buys) total += order.quantity - order.filled;
  for (const order of market.sells) total += order.quantity - order.filled;
  return total <= Number.MAX_SAFE_INTEGER;
}
