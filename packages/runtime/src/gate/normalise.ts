/**
 * Tick, lot, smallest and largest quantity (M-8.1.1): an exact order or a refusal.
 *
 * Rounding never makes an order worse for its owner than wished: a buy's price goes down to the tick, a sell's up,
 * quantities go down to the lot.
 */
import type { InstrumentSpec } from "@rumi/abi";

export type Normalised =
  | {
      readonly kind: "fits";
      readonly price: number;
      readonly quantity: number;
      /** What was changed. */ readonly changed: "" | "M.NORMALISE.ROUNDED" | "M.NORMALISE.QUANTITY_CUT";
    }
  | { readonly kind: "refused"; readonly reason: string };

export function normaliseOrder(
  wish: {
    readonly side: "buy" | "sell";
    readonly type: "limit" | "market";
    readonly price: number;
    readonly quantity: number;
  },
  instrument: InstrumentSpec,
): Normalised {
  if (!Number.isSafeInteger(wish.quantity) || wish.quantity <= 0)
    return { kind: "refused", reason: "M.NORMALISE.QUANTITY_NOT_POSITIVE" };
  if (!Number.isSafeInteger(wish.price)) return { kind: "refused", reason: "M.NORMALISE.PRICE_NOT_WHOLE" };
  if (wish.type === "market" ? wish.price !== 0 : wish.price <= 0)
    return { kind: "refused", reason: "M.NORMALISE.PRICE_NOT_POSITIVE" };
  const { tick_size: tick, lot_size: lot } = instrument;
  const price =
    wish.type === "market"
      ? 0
      : wish.side === "buy"
        ? Math.floor(wish.price / tick) * tick
        : Math.ceil(wish.price / tick) * tick;
  if (wish.type === "limit" && price <= 0) return { kind: "refused", reason: "M.NORMALISE.PRICE_BELOW_TICK" };
  const most = Math.floor(instrument.max_quantity / lot) * lot;
  const rounded = Math.floor(wish.quantity / lot) * lot;
  const quantity = Math.min(rounded, most);
  if (quantity < instrument.min_quantity || quantity <= 0)
    return { kind: "refused", reason: "M.NORMALISE.QUANTITY_TOO_SMALL" };
  const changed =
    quantity < rounded
      ? "M.NORMALISE.QUANTITY_CUT"
      : price !== wish.price || quantity !== wish.quantity
        ? "M.NORMALISE.ROUNDED"
        : "";
  return { kind: "fits", price, quantity, changed };
}
