/**
 * The simulated exchange's state as bytes: canonical JSON, version 1, bound to the options it was made with.
 *
 * Equal states are equal bytes. The caller checksums; this only refuses what is plainly not ours.
 */
import { canonicalJson, failure, FailureError, sha256Hex, type ClientOrderId, type Json } from "@rumi/kernel";
import type { NewOrder, SimulatedVenueOptions } from "../types.ts";
import { Market, type Order } from "./market.ts";

export type Command =
  | { readonly kind: "submit"; readonly arrival_us: number; readonly order: NewOrder }
  | {
      readonly kind: "cancel";
      readonly arrival_us: number;
      readonly client_order_id: ClientOrderId;
    }
  | {
      readonly kind: "amend";
      readonly arrival_us: number;
      readonly client_order_id: ClientOrderId;
      readonly price: number;
      readonly quantity: number;
    }
  | { readonly kind: "cancel_all"; readonly arrival_us: number };

export type VenueState = {
  readonly markets: readonly Market[];
  /** Orders that are open or remembered, in order of arrival. */
  readonly orders: readonly Order[];
  /** Highest sequence of an order that arrived; 0 without any. */
  readonly sequence: number;
  readonly commands: readonly Command[];
  readonly counters: readonly [number, number, number, number, number, number];
};

type SavedMarket = {
  readonly last: readonly [number, number, number];
  /** quantity, cost, realised, fees, cash */
  readonly position: readonly [number, string, string, string, string];
  readonly levels: readonly (readonly [number, number])[];
  /** time, bid price and quantity, ask price and quantity; absent before the first quote. */
  readonly quote?: readonly [number, number, number, number, number];
};
type Saved = {
  readonly version: 1;
  readonly options: string;
  readonly markets: readonly SavedMarket[];
  readonly orders: readonly Order[];
  readonly commands: readonly Command[];
  readonly counters: VenueState["counters"];
  /** Absent while no order came in sequence. */
  readonly sequence?: number;
};

export function encodeState(options: SimulatedVenueOptions, state: VenueState): Uint8Array {
  const saved: Saved = {
    version: 1,
    options: optionsDigest(options),
    markets: state.markets.map((market) => ({
      last: [market.last_price, market.last_time_us, market.last_aggressor],
      position: [
        market.position.quantity,
        `${market.position.cost}`,
        `${market.position.realised}`,
        `${market.position.fees}`,
        `${market.position.cash}`,
      ],
      levels: market.levels(),
      ...marketExtras(market),
    })),
    orders: state.orders,
    commands: state.commands,
    counters: state.counters,
    ...(state.sequence === 0 ? {} : { sequence: state.sequence }),
  };
  return new Uint8Array(Buffer.from(canonicalJson(saved as unknown as Json), "utf8"));
}

/** Throws `FailureError` (RUMI-MKT-008). */
export function decodeState(options: SimulatedVenueOptions, bytes: Uint8Array): VenueState {
  const saved = parse(bytes);
  if (saved.version !== 1) throw refused(`version ${String(saved.version)} is not known`);
  if (saved.options !== optionsDigest(options)) throw refused("it belongs to an exchange with other options");
  if (saved.markets.length !== options.instruments.length) throw refused("it lists other instruments");
  try {
    return {
      markets: saved.markets.map(restoreMarket),
      orders: saved.orders.map((order) => ({ ...order })),
      commands: saved.commands,
      counters: saved.counters,
      sequence: saved.sequence ?? 0,
    };
  } catch (cause) {
    throw refused("it is malformed", cause);
  }
}

/** Absent where there is none, so that a market of trades alone keeps the bytes it always had. */
function marketExtras({ quote }: Market): Pick<SavedMarket, "quote"> {
  if (quote === undefined) return {};
  const { time_us, bid_price, bid_quantity, ask_price, ask_quantity } = quote;
  return { quote: [time_us, bid_price, bid_quantity, ask_price, ask_quantity] };
}

function restoreMarket(saved: SavedMarket): Market {
  const market = new Market();
  [market.last_price, market.last_time_us, market.last_aggressor] = saved.last;
  market.position.quantity = saved.position[0];
  market.position.cost = BigInt(saved.position[1]);
  market.position.realised = BigInt(saved.position[2]);
  market.position.fees = BigInt(saved.position[3]);
  market.position.cash = BigInt(saved.position[4]);
  if (saved.quote !== undefined) {
    const [time_us, bid_price, bid_quantity, ask_price, ask_quantity] = saved.quote;
    market.quote = { time_us, bid_price, bid_quantity, ask_price, ask_quantity };
  }
  market.hasTicks = saved.levels.length > 0 || saved.quote !== undefined;
  for (const [price, quantity] of saved.levels) market.restoreLevel(price, quantity);
  return market;
}

function parse(bytes: Uint8Array): Saved {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as Saved;
  } catch (cause) {
    throw refused("it is not JSON", cause);
  }
}

function optionsDigest(options: SimulatedVenueOptions): string {
  return sha256Hex(canonicalJson(options));
}

function refused(problem: string, cause?: unknown): FailureError {
  return new FailureError(failure("RUMI-MKT-008", { problem }, { cause }));
}
