/** What the reads of what runs and of what it did answer. */
import { Type, type TObject, type TSchema } from "@sinclair/typebox";
import { InstanceField } from "../bots/answers.ts";
import { ORDER_STATES } from "./order-states.ts";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN } from "../shared/answers.ts";

const listOf = (name: string, row: TSchema): TObject =>
  Type.Object({ [name]: Type.Array<TSchema>(row), count: CountField }, OPEN);
const pageOf = (name: string, row: TSchema): TObject =>
  Type.Object({ [name]: Type.Array<TSchema>(row), count: CountField, next_cursor: CursorField }, OPEN);
const place = {
  run_id: Type.String(),
  seq: CountField,
  bot_id: Type.String(),
  instance_id: Type.String(),
  at_us: CountField,
  trace_id: Type.String(),
} as const;

export const InstancesAnswer: TObject = listOf("instances", InstanceField);
export const RunnersAnswer: TObject = listOf(
  "runners",
  Type.Object(
    { runner_id: Type.String(), state: Type.String(), connected_at: InstantField, last_seen_at: InstantField },
    OPEN,
  ),
);
export const IntentsAnswer: TObject = pageOf(
  "intents",
  Type.Object({ ...place, verdict: Type.String(), reason_code: nullable(Type.String()), intent: AnythingField }, OPEN),
);
export const OrdersAnswer: TObject = pageOf(
  "orders",
  Type.Object({ ...place, client_order_id: Type.String(), status: Type.String(), report: AnythingField }, OPEN),
);
const ByField = Type.Union(["strategy", "runtime"].map((word) => Type.Literal(word)));
const OrderField = Type.Object(
  {
    client_order_id: Type.String(),
    run_id: Type.String(),
    instance_id: Type.String(),
    state: Type.Union(ORDER_STATES.map((state) => Type.Literal(state))),
    /** The venue's own word. */
    status: Type.String(),
    side: nullable(Type.String()),
    instrument_id: nullable(Type.String()),
    order_type: nullable(Type.String()),
    /** Null for an order at the market, and where the intent that sent it is not kept. */
    price: nullable(Type.String()),
    quantity: nullable(Type.String()),
    remaining: nullable(Type.String()),
    reason_code: nullable(Type.String()),
    runbook: nullable(Type.String()),
    /** Who sent it: the strategy, or the runtime itself to shrink risk. */
    by: nullable(ByField),
    trace_id: Type.String(),
    /** Event time, in microseconds. */
    sent_time_us: nullable(Type.Integer()),
    last_time_us: nullable(Type.Integer()),
    /** By the runner's clock. */
    at_us: CountField,
  },
  OPEN,
);
export const BotOrdersAnswer: TObject = Type.Object(
  {
    orders: Type.Array(OrderField),
    count: CountField,
    next_cursor: CursorField,
    /** Sent, and not answered yet, as far as the newest intents tell; on the first page only. */
    unanswered: Type.Array(OrderField),
  },
  OPEN,
);
export const FillsAnswer: TObject = pageOf("fills", Type.Object({ ...place, fill: AnythingField }, OPEN));
export const PositionsAnswer: TObject = listOf(
  "positions",
  Type.Object(
    { bot_id: Type.String(), instance_id: Type.String(), instrument_id: Type.String(), updated_at: InstantField },
    OPEN,
  ),
);
