/** An order of the primary as its shadow's desk keeps it, from the record of the intent that it came from. Pure. */
import type { InstrumentSpec } from "@rumi/abi";
import { type Json, type JsonObject, parseDecimal } from "@rumi/kernel";
import type { LiveOrder, LiveOrders } from "../instance/orders.ts";
import type { MachineInput } from "../instance/input.ts";
import type { JournalEntry } from "../protocol.ts";
import type { ShadowVenue } from "./shadow-venue.ts";

/** A shadow's machine takes what its primary had on the record: orders and reports, and the inputs that both obey. */
export function followPrimary(
  entry: JournalEntry,
  venue: Partial<Pick<ShadowVenue, "follow" | "isBetweenRows">>,
  desk: { adopt(entry: Extract<JournalEntry, { kind: "intent" }>): void },
  apply: (input: MachineInput) => void,
): void {
  if (entry.kind === "order" || entry.kind === "fill") {
    venue.follow?.(entry);
    if (venue.isBetweenRows === true) apply(heardAt(entry.event_time_us));
  } else if (entry.kind === "intent") desk.adopt(entry);
  else if (entry.kind === "input") apply(entry.input as unknown as MachineInput);
}

/** A word of the venue that says nothing but when: what was laid ready for that moment is heard. */
const heardAt = (received_time_us: number): MachineInput => ({
  input: "venue_report",
  report: { kind: "fills_up_to", number: 0 },
  received_time_us,
});

/** `undefined` for what opened or changed no order. */
export function adoptedOrder(
  { intent, client_order_id, trace_id, idempotency_key }: Extract<JournalEntry, { kind: "intent" }>,
  instruments: readonly InstrumentSpec[],
  known: Pick<LiveOrders, "byId">,
): LiveOrder | undefined {
  const normalised = objectOf(intent["normalised"]);
  if (client_order_id === null || normalised === undefined) return undefined;
  const instrument = instruments.findIndex((one) => one.instrument_id === intent["instrument_id"]);
  const of = instruments[instrument];
  if (of === undefined) return undefined;
  const number = (name: string, digits: number): number | undefined =>
    typeof normalised[name] === "string" ? parseDecimal(normalised[name], digits) : undefined;
  const price = number("price", of.price_digits) ?? 0;
  const quantity = number("quantity", of.quantity_digits);
  if (intent["kind"] === "amend") {
    const order = known.byId(client_order_id);
    return order === undefined ? undefined : { ...order, amending: { price, quantity: quantity ?? order.quantity } };
  }
  if (quantity === undefined) return undefined;
  return {
    key: Number(idempotency_key),
    client_order_id,
    instrument,
    side: normalised["side"] === "sell" ? "sell" : "buy",
    type: price === 0 ? "market" : "limit",
    price,
    remaining: quantity,
    quantity,
    amending: null,
    trace_id,
  };
}

export function objectOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}
