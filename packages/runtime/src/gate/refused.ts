/**
 * What a strategy hears of an intent that the gate destroyed: an execution report, as if the venue had refused it. Pure.
 *
 * How to think: an order or a position comes back `rejected` under its own key; a cancel or an amendment comes back
 * `cancel_rejected` under the key of the order that it meant, as the venue's own refusals do. Nothing of it is an order: it
 * has no client order id, and the record of it is the intent's own (`discarded`, with its reason), from which it follows.
 *
 * Invariants (instance/refusals.test.ts)
 * - An order or position without a key of its own (missing, reserved, not above every key before) is not told: under that
 *   key the strategy knows another one.
 * - Alerts, no-ops and hints open nothing, so nothing comes back.
 */
import { NO_INSTRUMENT, REFUSAL } from "@rumi/abi";
import type { ClientOrderId } from "@rumi/kernel";
import type { ExecutionReport } from "@rumi/venues";
import { RUNTIME_KEYS_FROM } from "../breaker/hedge.ts";
import { type GateMoment, missingQuantity } from "./gate.ts";
import type { Intent } from "./intent.ts";

/** Refused intents of one callback that come back beyond its cap of intents per event; what is more is only counted. */
export const REFUSALS_BEYOND_CAP_MAX = 64;

/** Plain JSON, part of a checkpoint while it waits to be told. */
export type RefusedIntent = {
  readonly kind: "rejected" | "cancel_rejected" | "amend_rejected";
  readonly key: number;
  /** Of the order that a cancel or an amendment meant; empty where none is known. */
  readonly client_order_id: string;
  readonly instrument: number;
  readonly side: "buy" | "sell";
  readonly remaining: number;
  readonly reason_code: string;
  readonly event_time_us: number;
};

/** `undefined` for what nobody waits for. `lastKey`: the greatest key that was used before this intent. */
export function refusedIntent(
  { body, key }: Pick<Intent, "body" | "key">,
  reason_code: string,
  {
    lastKey,
    moment,
    idOf,
  }: {
    readonly lastKey: number;
    readonly moment: GateMoment;
    readonly idOf: (key: number) => string;
  },
): RefusedIntent | undefined {
  const place = { reason_code, event_time_us: moment.now_us };
  if (body.kind === "cancel" || body.kind === "amend") {
    const kind = body.kind === "cancel" ? "cancel_rejected" : "amend_rejected";
    const target = moment.open_orders.find((order) => order.key === body.target_key);
    const { instrument, side = "buy", remaining = 0 } = target ?? { instrument: body.instrument };
    const client_order_id = target === undefined ? "" : idOf(body.target_key);
    return { kind, key: body.target_key, client_order_id, instrument, side, remaining, ...place };
  }
  if ((body.kind !== "order" && body.kind !== "position") || key <= lastKey || key >= RUNTIME_KEYS_FROM)
    return undefined;
  const missing = body.kind === "order" ? body.quantity : missingQuantity(body, moment);
  const side = body.kind === "order" ? body.side : missing < 0 ? "sell" : "buy";
  const { instrument } = body;
  return { kind: "rejected", key, client_order_id: "", instrument, side, remaining: Math.abs(missing), ...place };
}

/** In the venue's words; an instrument that is not in the strategy's table is none. */
export function refusedReport(refused: RefusedIntent, instruments: number): ExecutionReport {
  const { kind, client_order_id, side, remaining, reason_code, event_time_us } = refused;
  return {
    kind,
    client_order_id: client_order_id as ClientOrderId,
    venue_order_id: "",
    fill_id: null,
    instrument: refused.instrument < instruments ? refused.instrument : NO_INSTRUMENT,
    side,
    price: 0,
    quantity: 0,
    remaining: Math.min(remaining, Number.MAX_SAFE_INTEGER),
    fee: 0n,
    liquidity: "none",
    reason_code,
    event_time_us,
  };
}

const RATE: ReadonlySet<string> = new Set([
  "M.INTENT.CAP_EVENT",
  "M.INTENT.CAP_SECOND",
  "M.INTENT.CAP_INSTANCE",
  "M.STAGING.FULL",
]);
const LIMIT = /^M\.(LIMIT|RISK)\./;
const INTENT = /^M\.(INTENT|CAPABILITY|NORMALISE)\./;

/** The number that stands for the gate's reason in an execution frame; what is left is a restriction of the moment. */
export function refusalOf(reason_code: string): number {
  if (RATE.has(reason_code)) return REFUSAL.rate;
  if (LIMIT.test(reason_code)) return REFUSAL.limit;
  return INTENT.test(reason_code) ? REFUSAL.intent : REFUSAL.restricted;
}
