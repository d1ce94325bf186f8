/**
 * Instruments from outside, and values made to fit them (M-8.1.1).
 *
 * Rounding goes towards less risk: a quantity is only ever made smaller; a buy's price is only made lower, a
 * sale's only higher. What would vanish or leave the bounds is refused, never stretched.
 */
import type { InstrumentSpec } from "@rumi/abi";
import { failure, MAX_SCALE_DIGITS, parseInstrumentId, type Failure, type Result } from "@rumi/kernel";

const FIELDS = [
  "instrument_id",
  "price_digits",
  "quantity_digits",
  "tick_size",
  "lot_size",
  "min_quantity",
  "max_quantity",
  "base_currency",
  "quote_currency",
] as const satisfies readonly (keyof InstrumentSpec)[];

/** A JSON value as an instrument; nothing is converted, unknown fields are refused. Error RUMI-MKT-006. */
export function parseInstrumentSpec(json: unknown): Result<InstrumentSpec, Failure> {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return refused("instrument", "is not an object");
  const given = new Map<string, unknown>(Object.entries(json));
  for (const field of given.keys())
    if (!FIELDS.some((known) => known === field)) return refused(field, "is not a field of an instrument");
  for (const field of FIELDS) if (!given.has(field)) return refused(field, "is missing");
  const id = given.get("instrument_id");
  const instrument_id = typeof id === "string" ? parseInstrumentId(id) : undefined;
  if (instrument_id === undefined)
    return refused("instrument_id", "has not the form SYMBOL.VENUE in capitals, digits, - and _");
  const numbers: Record<string, number> = {};
  for (const field of [
    "price_digits",
    "quantity_digits",
    "tick_size",
    "lot_size",
    "min_quantity",
    "max_quantity",
  ] as const) {
    const value = given.get(field);
    const [least, most] = field.endsWith("_digits") ? [0, MAX_SCALE_DIGITS] : [1, Number.MAX_SAFE_INTEGER];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
      return refused(field, `must be a whole number from ${least} to ${most}`);
    }
    numbers[field] = value;
  }
  const currencies: string[] = [];
  for (const field of ["base_currency", "quote_currency"] as const) {
    const value = given.get(field);
    if (typeof value !== "string" || !/^[A-Z0-9][A-Z0-9_-]{0,31}$/.test(value))
      return refused(field, "must be 1 to 32 capitals, digits, - and _");
    currencies.push(value);
  }
  const {
    price_digits = 0,
    quantity_digits = 0,
    tick_size = 1,
    lot_size = 1,
    min_quantity = 1,
    max_quantity = 1,
  } = numbers;
  const [base_currency = "", quote_currency = ""] = currencies;
  if (min_quantity % lot_size !== 0) return refused("min_quantity", "is not a multiple of lot_size");
  if (max_quantity % lot_size !== 0) return refused("max_quantity", "is not a multiple of lot_size");
  if (max_quantity < min_quantity) return refused("max_quantity", "is below min_quantity");
  return {
    ok: true,
    value: {
      instrument_id,
      price_digits,
      quantity_digits,
      tick_size,
      lot_size,
      min_quantity,
      max_quantity,
      base_currency,
      quote_currency,
    },
  };
}

/** The nearest tick that is no worse for us: a buy's price goes down, a sale's up. Error RUMI-MKT-013. */
export function roundPrice(spec: InstrumentSpec, side: "buy" | "sell", price: number): Result<number, Failure> {
  if (!Number.isSafeInteger(price) || price <= 0)
    return unfit(spec, "price", "it is not a positive whole number of price units");
  const below = price - (price % spec.tick_size);
  const rounded = side === "buy" || below === price ? below : below + spec.tick_size;
  if (rounded <= 0) return unfit(spec, "price", "it is below one tick");
  if (!Number.isSafeInteger(rounded)) return unfit(spec, "price", "it is 2^53 or more");
  return { ok: true, value: rounded };
}

/** The largest whole number of lots not above `quantity`, within the bounds of one order. Error RUMI-MKT-013. */
export function roundQuantity(spec: InstrumentSpec, quantity: number): Result<number, Failure> {
  if (!Number.isSafeInteger(quantity) || quantity <= 0)
    return unfit(spec, "quantity", "it is not a positive whole number of quantity units");
  const rounded = quantity - (quantity % spec.lot_size);
  if (rounded < spec.min_quantity)
    return unfit(spec, "quantity", `it is below the smallest order, ${spec.min_quantity}`);
  if (rounded > spec.max_quantity)
    return unfit(spec, "quantity", `it is above the largest order, ${spec.max_quantity}`);
  return { ok: true, value: rounded };
}

function refused(field: string, problem: string): Result<never, Failure> {
  return { ok: false, error: failure("RUMI-MKT-006", { field, problem }) };
}

function unfit(spec: InstrumentSpec, field: string, problem: string): Result<never, Failure> {
  return {
    ok: false,
    error: failure(
      "RUMI-MKT-013",
      { instrument: spec.instrument_id, field, problem },
      { reasonCode: "M.INTENT.PRECISION" },
    ),
  };
}
