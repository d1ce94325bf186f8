/** How intents, orders and fills stand in the journal: decimal strings, ids, nothing that a clock or a thread decides. */
import type { InstrumentSpec } from "@rumi/abi";
import { formatDecimal, type JsonObject } from "@rumi/kernel";
import type { ExecutionReport } from "@rumi/venues";
import type { Intent, IntentBody, VenueAction } from "../gate/intent.ts";
import type { JournalEntry } from "../protocol.ts";

type Strip<T> = T extends unknown ? Omit<T, "seq" | "at_us"> : never;
/** An entry without its place and wall time: what a replay must reproduce. */
export type MachineEntry =
  | Strip<Extract<JournalEntry, { kind: "intent" | "staging" | "order" | "fill" | "health" | "breaker" | "input" }>>
  | { readonly kind: "feed_ended"; readonly event_time_us: number; readonly cursor: number; readonly trace_id: string };

export type Identity = {
  readonly bot_id: string;
  readonly strategy_id: string;
  readonly strategy_version: string;
  readonly instance_id: string;
  readonly run_id: string;
};

const price = (value: number, of: InstrumentSpec | undefined): string => formatDecimal(value, of?.price_digits ?? 0);
const quantity = (value: number, of: InstrumentSpec | undefined): string =>
  formatDecimal(value, of?.quantity_digits ?? 0);

export function intentJson(
  intent: Intent,
  identity: Identity,
  traceId: string,
  instruments: readonly InstrumentSpec[],
  actions: readonly VenueAction[],
): JsonObject {
  const normalised = actions.find((action) => action.kind !== "cancel");
  const of = instruments["instrument" in intent.body ? intent.body.instrument : -1];
  return {
    ...bodyJson(intent.body, of),
    ...identity,
    trace_id: traceId,
    idempotency_key: String(intent.key),
    risk_context: { ...intent.risk, budget: formatDecimal(intent.risk.budget, 8) },
    ...(normalised?.kind === "submit"
      ? {
          normalised: {
            side: normalised.order.side,
            // Only where it became another type; an older journal does not say it.
            ...(intent.body.kind === "order" || intent.body.kind === "position"
              ? intent.body.type === normalised.order.type
                ? {}
                : { order_type: normalised.order.type, time_in_force: normalised.order.time_in_force }
              : {}),
            price: price(normalised.order.price, of),
            quantity: quantity(normalised.order.quantity, of),
            reduce_only: normalised.order.reduce_only,
          },
        }
      : {}),
    ...(normalised?.kind === "amend"
      ? {
          normalised: {
            price: price(normalised.price, of),
            quantity: normalised.quantity === -1 ? null : quantity(normalised.quantity, of),
          },
        }
      : {}),
  };
}

function bodyJson(body: IntentBody, of: InstrumentSpec | undefined): JsonObject {
  const instrument = of === undefined ? null : of.instrument_id;
  switch (body.kind) {
    case "order":
      return {
        kind: "order",
        instrument_id: instrument,
        side: body.side,
        order_type: body.type,
        time_in_force: body.time_in_force,
        reduce_only: body.reduce_only,
        post_only: body.post_only,
        price: price(body.price, of),
        quantity: quantity(body.quantity, of),
      };
    case "cancel":
      return { kind: "cancel", instrument_id: instrument, target_key: String(body.target_key) };
    case "amend":
      return {
        kind: "amend",
        instrument_id: instrument,
        target_key: String(body.target_key),
        price: body.price === -1 ? null : price(body.price, of),
        quantity: body.quantity === -1 ? null : quantity(body.quantity, of),
      };
    case "position":
      return {
        kind: "position",
        instrument_id: instrument,
        order_type: body.type,
        target: quantity(body.target, of),
        limit_price: price(body.limit_price, of),
      };
    case "alert":
      return { kind: "alert", code: body.code, severity: body.severity, args: body.args.map(String) };
    case "noop":
      return { kind: "noop", reason: body.reason };
    case "risk_hint":
      return { kind: "risk_hint", instrument_id: instrument, hint: body.hint, value: body.value };
  }
}

export const isFill = (report: ExecutionReport): boolean =>
  report.kind === "filled" || report.kind === "partially_filled";

export function orderJson(report: ExecutionReport, key: number, of: InstrumentSpec | undefined): JsonObject {
  return {
    report: report.kind,
    client_order_id: report.client_order_id,
    venue_order_id: report.venue_order_id,
    idempotency_key: String(key),
    instrument_id: of?.instrument_id ?? null,
    side: report.side,
    remaining: quantity(report.remaining, of),
    reason_code: report.reason_code,
    event_time_us: report.event_time_us,
  };
}

export function fillJson(report: ExecutionReport, key: number, of: InstrumentSpec | undefined): JsonObject {
  // Written out: spreading one object into another costs twenty times as much here.
  return {
    report: report.kind,
    client_order_id: report.client_order_id,
    venue_order_id: report.venue_order_id,
    idempotency_key: String(key),
    instrument_id: of?.instrument_id ?? null,
    side: report.side,
    remaining: quantity(report.remaining, of),
    reason_code: report.reason_code,
    event_time_us: report.event_time_us,
    fill_id: report.fill_id,
    price: price(report.price, of),
    quantity: quantity(report.quantity, of),
    fee: formatDecimal(report.fee, (of?.price_digits ?? 0) + (of?.quantity_digits ?? 0)),
    liquidity: report.liquidity,
  };
}
