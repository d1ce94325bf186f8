/** From the simulator's wire to scaled integers; what does not fit is no answer (`undefined`). */
import type { InstrumentSpec } from "@rumi/abi";
import { parseDecimal, type ClientOrderId } from "@rumi/kernel";
import type { FeedRow } from "../feed-builder.ts";
import { WIRE_CODES, type WireCode, type WireFill, type WireOrder, type WireTrade } from "../venue-sim/wire.ts";
import type { OrderSnapshot, RefusalKind, VenueFill } from "./ports.ts";

const AGGRESSORS: Readonly<Record<WireTrade["aggressor"], number>> = { unknown: 0, buyer: 1, seller: 2 };

export class Words {
  readonly #instruments: readonly InstrumentSpec[];

  constructor(instruments: readonly InstrumentSpec[]) {
    this.#instruments = instruments;
  }

  spec(index: number): InstrumentSpec | undefined {
    return this.#instruments[index];
  }

  /** An order of an instrument that this instance does not list is told with index -1. */
  order(wire: WireOrder): OrderSnapshot | undefined {
    const instrument = this.#index(wire.instrument_id);
    const spec = this.#instruments[instrument];
    const price = parseDecimal(wire.price, spec?.price_digits ?? 15);
    const quantity = parseDecimal(wire.quantity, spec?.quantity_digits ?? 15);
    const filled = parseDecimal(wire.filled, spec?.quantity_digits ?? 15);
    if (price === undefined || quantity === undefined || filled === undefined) return undefined;
    return {
      client_order_id: wire.client_order_id as ClientOrderId,
      venue_order_id: wire.venue_order_id,
      instrument,
      side: wire.side,
      price,
      quantity,
      filled,
      state: wire.state,
      reason_code: wire.reason_code,
      updated_us: wire.updated_us,
    };
  }

  fill(wire: WireFill): VenueFill | undefined {
    const instrument = this.#index(wire.instrument_id);
    const spec = this.#instruments[instrument];
    const price = parseDecimal(wire.price, spec?.price_digits ?? 15);
    const quantity = parseDecimal(wire.quantity, spec?.quantity_digits ?? 15);
    const fee = scaledText(wire.fee, (spec?.price_digits ?? 15) + (spec?.quantity_digits ?? 15));
    if (price === undefined || quantity === undefined || fee === undefined) return undefined;
    return {
      number: wire.number,
      fill_id: wire.fill_id,
      client_order_id: wire.client_order_id as ClientOrderId,
      venue_order_id: wire.venue_order_id,
      instrument,
      side: wire.side,
      price,
      quantity,
      fee,
      liquidity: wire.liquidity,
      time_us: wire.time_us,
    };
  }

  /** `undefined` for instruments that are not ours, too. */
  trade(wire: WireTrade, received_time_us: number, flags: number): FeedRow | undefined {
    const instrument = this.#index(wire.instrument_id);
    const spec = this.#instruments[instrument];
    if (spec === undefined) return undefined;
    const price = parseDecimal(wire.price, spec.price_digits);
    const quantity = parseDecimal(wire.quantity, spec.quantity_digits);
    if (price === undefined || quantity === undefined) return undefined;
    return {
      kind: "trade",
      instrument,
      event_time_us: wire.time_us,
      received_time_us,
      flags,
      price,
      quantity,
      aggressor: AGGRESSORS[wire.aggressor] ?? 0,
      trade_id: wire.trade_id,
    };
  }

  #index(instrument_id: string): number {
    return this.#instruments.findIndex((one) => one.instrument_id === instrument_id);
  }
}

const REFUSALS: Readonly<Record<WireCode, RefusalKind | null>> = {
  BAD_REQUEST: "malformed",
  UNAUTHORISED: "key",
  KEY_DISABLED: "key",
  TIMESTAMP: "clock",
  RATE_LIMITED: null,
  DUPLICATE_CLIENT_ORDER_ID: "duplicate",
  UNKNOWN_ORDER: "unknown_order",
  ORDER_CLOSED: "order_closed",
  REJECTED: "rejected",
  VENUE_BUSY: "busy",
  NOT_FOUND: "malformed",
  INTERNAL: null,
};
const REASONS: Readonly<Record<RefusalKind, string>> = {
  duplicate: "M.VENUE.DUPLICATE",
  unknown_order: "M.VENUE.UNKNOWN_ORDER",
  order_closed: "M.VENUE.ORDER_CLOSED",
  clock: "M.VENUE.CLOCK",
  key: "M.VENUE.KEY_DISABLED",
  busy: "M.VENUE.BUSY",
  rejected: "M.VENUE.REJECTED",
  malformed: "M.VENUE.MALFORMED",
};

/** The venue's word, or `undefined` when it is none that we know. */
export function refusalOf(
  body: Readonly<Record<string, unknown>>,
): { readonly refusal: RefusalKind; readonly reason_code: string } | undefined {
  const code = WIRE_CODES.find((one) => one === body["code"]);
  const refusal = code === undefined ? null : REFUSALS[code];
  if (refusal === null) return undefined;
  const own = body["reason_code"];
  return { refusal, reason_code: typeof own === "string" ? own : REASONS[refusal] };
}

/** A decimal text scaled by a power of ten, exact at any size. */
function scaledText(text: string, digits: number): string | undefined {
  const match = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/.exec(text);
  if (match === null) return undefined;
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  if (fraction.length > digits) return undefined;
  return String(BigInt(`${match[1] ?? ""}${match[2] ?? "0"}${fraction.padEnd(digits, "0")}`));
}
