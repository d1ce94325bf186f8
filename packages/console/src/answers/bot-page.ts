/** Answers that only the page of one bot reads: its orders, its intents, who holds it. */
import { intentBody } from "./answers.ts";
import { decimal, integer, list, nullable, object, oneOf, optional, text, type Of } from "./shape.ts";

export const ORDER_STATES = ["submitted", "open", "filled", "cancelled", "rejected", "over", "unknown"] as const;
const order = object({
  client_order_id: text,
  instance_id: text,
  state: oneOf(...ORDER_STATES),
  side: nullable(text),
  instrument_id: nullable(text),
  order_type: nullable(text),
  price: nullable(decimal),
  quantity: nullable(decimal),
  remaining: nullable(decimal),
  reason_code: nullable(text),
  runbook: nullable(text),
  by: nullable(oneOf("strategy", "runtime")),
  trace_id: text,
  /** Event time, microseconds. */
  sent_time_us: nullable(integer),
  last_time_us: nullable(integer),
});
export type BotOrder = Of<typeof order>;
export type OrderState = BotOrder["state"];
export const botOrdersPage = object({
  orders: list(order),
  unanswered: list(order),
  next_cursor: nullable(text),
});

export const VERDICTS = ["forwarded", "degraded", "staged", "discarded", "recorded"] as const;
const place = { run_id: text, seq: integer, bot_id: text, verdict: text, reason_code: nullable(text) } as const;
const intent = object({ ...place, at_us: integer, trace_id: text, intent: intentBody });
export const botIntentsPage = object({ intents: list(intent) });
/** As the stream tells it; the trace stands inside. */
export const toldIntent = object({ ...place, intent: intentBody });
export const tracedIntent = object({ trace_id: optional(text) });

const lease = object({
  instance_id: text,
  strategy_id: text,
  /** `over`: somebody held it, and did not renew it in time. */
  state: oneOf("held", "over", "free"),
  holder: nullable(text),
  holder_state: nullable(text),
  epoch: integer,
  acquired_at: nullable(text),
  renewed_at: nullable(text),
  expires_at: nullable(text),
});
export type Lease = Of<typeof lease>;
export const leasesAnswer = object({ leases: list(lease), as_of: text, ttl_ms: integer, renewal_ms: integer });
