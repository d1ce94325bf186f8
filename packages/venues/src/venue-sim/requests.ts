/** What a request to the simulator may say: closed shapes, no coercion, every refusal names the field. */
import type { InstrumentSpec } from "@rumi/abi";
import { parseDecimal, type ClientOrderId } from "@rumi/kernel";
import type { NewOrder } from "../types.ts";

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

const CLIENT_ORDER_ID = /^[A-Za-z0-9_-]{1,36}$/;
type Fields = Readonly<Record<string, unknown>>;

const bad = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem });

export function parseObject(text: string): Parsed<Fields> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ok: true, value: value as Fields }
      : bad("the body is no object");
  } catch {
    return bad("the body is no JSON");
  }
}

function closed(fields: Fields, names: readonly string[]): string | undefined {
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) return `${unknown.slice(0, 64)} is not known`;
  const missing = names.find((name) => !Object.hasOwn(fields, name));
  return missing === undefined ? undefined : `${missing} is missing`;
}

const ORDER_FIELDS = [
  "client_order_id",
  "instrument_id",
  "side",
  "type",
  "time_in_force",
  "price",
  "quantity",
  "reduce_only",
  "post_only",
] as const;

/** An order as the exchange takes it; `problem` is the caller's fault. */
export function parseOrder(fields: Fields, instruments: readonly InstrumentSpec[]): Parsed<NewOrder> {
  const shape = closed(fields, ORDER_FIELDS);
  if (shape !== undefined) return bad(shape);
  const { client_order_id, instrument_id, side, type, time_in_force, reduce_only, post_only } = fields;
  if (typeof client_order_id !== "string" || !CLIENT_ORDER_ID.test(client_order_id))
    return bad("client_order_id must be 1 to 36 letters, digits, - or _");
  const instrument = instruments.findIndex((one) => one.instrument_id === instrument_id);
  const spec = instruments[instrument];
  if (spec === undefined) return bad("instrument_id is not listed here");
  if (side !== "buy" && side !== "sell") return bad("side is buy or sell");
  if (type !== "limit" && type !== "market") return bad("type is limit or market");
  if (time_in_force !== "gtc" && time_in_force !== "ioc" && time_in_force !== "fok")
    return bad("time_in_force is gtc, ioc or fok");
  if (typeof reduce_only !== "boolean" || typeof post_only !== "boolean")
    return bad("reduce_only and post_only are true or false");
  const price = decimal(fields["price"], spec.price_digits);
  const quantity = decimal(fields["quantity"], spec.quantity_digits);
  if (price === undefined) return bad(`price must be a decimal string of at most ${spec.price_digits} decimals`);
  if (quantity === undefined)
    return bad(`quantity must be a decimal string of at most ${spec.quantity_digits} decimals`);
  return {
    ok: true,
    value: {
      client_order_id: client_order_id as ClientOrderId,
      instrument,
      side,
      type,
      time_in_force,
      price,
      quantity,
      reduce_only,
      post_only,
    },
  };
}

/** Total quantity, filled part included. */
export function parseAmendment(
  fields: Fields,
  spec: InstrumentSpec,
): Parsed<{ readonly price: number; readonly quantity: number }> {
  const shape = closed(fields, ["price", "quantity"]);
  if (shape !== undefined) return bad(shape);
  const price = decimal(fields["price"], spec.price_digits);
  const quantity = decimal(fields["quantity"], spec.quantity_digits);
  return price === undefined || quantity === undefined
    ? bad("price and quantity must be decimal strings of the instrument's decimals")
    : { ok: true, value: { price, quantity } };
}

/** A whole number in a query; `otherwise` where it is absent. */
export function wholeNumber(text: string | null, name: string, otherwise: number, most: number): Parsed<number> {
  if (text === null) return { ok: true, value: otherwise };
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) && value <= most
    ? { ok: true, value }
    : bad(`${name} must be a whole number up to ${most}`);
}

const decimal = (value: unknown, digits: number): number | undefined =>
  typeof value === "string" ? parseDecimal(value, digits) : undefined;
