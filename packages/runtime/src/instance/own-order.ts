/** An order of the runtime itself, as a breaker sends it: reduce-only, at the market, under a key no strategy can have. */
import type { InstrumentSpec } from "@rumi/abi";
import { formatDecimal, type JsonObject } from "@rumi/kernel";
import type { OrderWish } from "../gate/intent.ts";
import type { Identity } from "./entry.ts";

export type OwnOrder = {
  readonly key: number;
  readonly instrument: number;
  readonly side: "buy" | "sell";
  readonly quantity: number;
  readonly reason_code: string;
};

export const ownOrderWish = ({ instrument, side, quantity }: OwnOrder): Omit<OrderWish, "kind"> => ({
  instrument,
  side,
  type: "market",
  time_in_force: "ioc",
  reduce_only: true,
  post_only: false,
  price: 0,
  quantity,
});

/** As an intent of the strategy stands in the journal, with `origin` beside it; no risk context, because it only shrinks risk. */
export function ownIntentJson(
  own: OwnOrder,
  identity: Identity,
  trace_id: string,
  of: InstrumentSpec | undefined,
): JsonObject {
  return {
    kind: "order",
    origin: "runtime",
    instrument_id: of?.instrument_id ?? null,
    side: own.side,
    order_type: "market",
    time_in_force: "ioc",
    reduce_only: true,
    post_only: false,
    price: "0",
    quantity: formatDecimal(own.quantity, of?.quantity_digits ?? 0),
    ...identity,
    trace_id,
    idempotency_key: String(own.key),
  };
}
