/** Shared by the tests of the simulated exchange: a small instrument, orders, prints, reports in brief. */
import type { InstrumentSpec } from "@rumi/abi";
import type { ClientOrderId, InstrumentId } from "@rumi/kernel";
import { allocateColumns } from "../columns.ts";
import type { ExecutionReport, NewOrder, SimulatedVenue, SimulatedVenueOptions, TradeColumns } from "../types.ts";
import { createSimulatedVenue } from "./venue.ts";

export const SPEC: InstrumentSpec = {
  instrument_id: "ABC.SIM" as InstrumentId,
  price_digits: 2,
  quantity_digits: 0,
  tick_size: 5,
  lot_size: 2,
  min_quantity: 4,
  max_quantity: 1_000,
  base_currency: "ABC",
  quote_currency: "USD",
};
export const OPTIONS: SimulatedVenueOptions = {
  instruments: [SPEC],
  maker_fee_ppm: 100,
  taker_fee_ppm: 350,
  latency_us: 0,
  latency_jitter_us: 0,
  seed: "s",
};

export function open(change: Partial<SimulatedVenueOptions> = {}): SimulatedVenue {
  const made = createSimulatedVenue({ ...OPTIONS, ...change });
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  return made.value;
}

export const id = (text: string): ClientOrderId => text as ClientOrderId;

export function order(client: string, change: Partial<NewOrder> = {}): NewOrder {
  return {
    client_order_id: id(client),
    instrument: 0,
    side: "buy",
    type: "limit",
    time_in_force: "gtc",
    price: 1_000,
    quantity: 10,
    reduce_only: false,
    post_only: false,
    ...change,
  };
}

export type Print = {
  readonly at: number;
  readonly price: number;
  readonly quantity: number;
  readonly aggressor?: 0 | 1 | 2;
  readonly flags?: number;
};

export function feedOf(prints: readonly Print[]): TradeColumns {
  const feed = allocateColumns(prints.length);
  prints.forEach((print, row) => {
    feed.event_time_us[row] = print.at;
    feed.received_time_us[row] = print.at;
    feed.price[row] = print.price;
    feed.quantity[row] = print.quantity;
    feed.aggressor[row] = print.aggressor ?? 0;
    feed.flags[row] = print.flags ?? 0;
    feed.trade_id[row] = row;
  });
  return feed;
}

export function print(venue: SimulatedVenue, ...prints: readonly Print[]): string[] {
  const out: ExecutionReport[] = [];
  const feed = feedOf(prints);
  for (let row = 0; row < feed.length; row += 1) venue.onRow(feed, row, out);
  return out.map(brief);
}

export function advance(venue: SimulatedVenue, at: number): string[] {
  const out: ExecutionReport[] = [];
  venue.advanceTo(at, out);
  return out.map(brief);
}

export const brief = (r: ExecutionReport): string =>
  [
    r.kind,
    r.client_order_id,
    ...(r.fill_id === null ? [] : [`${r.quantity}@${r.price}`, r.liquidity]),
    ...(r.reason_code === null ? [] : [r.reason_code]),
  ].join(" ");

export const market = { type: "market", price: 0 } as const;
