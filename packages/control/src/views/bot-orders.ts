/**
 * GET /api/bots/{bot_id}/orders: what a bot sent, with the price it asked for, what became of it and when (G-9.1).
 *
 * How to think: the venue's last word about an order names no limit price and no beginning; the intent that sent it does.
 * So a page of last words is read, then the intents that sent those orders and the newest that changed them, each by its
 * order's id. What left and was not answered yet stands beside them, as far as the newest intents tell. Only views are
 * read: nothing asks a runner.
 */
import { err, failure, ok, type JsonObject } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readBot } from "../bots/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { runbookOf } from "../runbooks.ts";
import { BotIdField, CLOSED, EVERYONE } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, jsonOf, type Sql } from "../shared/sql.ts";
import { BotOrdersAnswer } from "./answers.ts";
import { orderState, type OrderState } from "./order-states.ts";
import type { IntentRow, OrderRow, ViewTables } from "./tables.ts";

type Place = { readonly run_id: string; readonly seq: number };
/** Which orders: of one run, or of all of the bot's. */
type Which = { readonly bot_id: string; readonly run_id?: string };

export const botOrders: Declaration = defineQuery({
  name: "bots.orders",
  summary: "Orders of a bot with price, quantity, state and both their times, by the newest word about them",
  http: { method: "GET", path: "/api/bots/{bot_id}/orders" },
  input: Type.Object(
    { bot_id: BotIdField, run_id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })), ...PAGE_FIELDS },
    CLOSED,
  ),
  output: BotOrdersAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id, run_id, cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["string", "number"]);
    if (!after.ok) return after;
    if ((await readBot(reader, store, bot_id)) === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    const which = { bot_id, ...(run_id === undefined ? {} : { run_id }) };
    const place =
      after.value === undefined ? undefined : { run_id: String(after.value[0]), seq: Number(after.value[1]) };
    const rows = await reader.rows<OrderRow>(newestWords(store, which, place, limit + 1));
    const { page, next_cursor } = pageOf(rows, limit, (row) => [row.run_id, row.seq]);
    const intents = await intentsAbout(reader, store, page);
    const orders = page.map((row) => orderView(row, intents.get(row.client_order_id)));
    return ok({
      orders,
      count: orders.length,
      next_cursor,
      // They are the newest of all: a later page has none.
      unanswered: place === undefined ? (await unanswered(reader, store, which)).map(sentView) : [],
    });
  },
});

function newestWords(sql: Sql, { bot_id, run_id }: Which, after: Place | undefined, limit: number) {
  let query = sql
    .builder<ViewTables>()
    .selectFrom("order_view")
    .selectAll()
    .where("bot_id", "=", bot_id)
    .orderBy("run_id", "desc")
    .orderBy("seq", "desc")
    .limit(limit);
  if (run_id !== undefined) query = query.where("run_id", "=", run_id);
  if (after === undefined) return query;
  return query.where((of) =>
    of.or([of("run_id", "<", after.run_id), of.and([of("run_id", "=", after.run_id), of("seq", "<", after.seq)])]),
  );
}

/** The intent that sent an order, and the newest that changed it. */
type About = { readonly sent?: IntentRow; readonly changed?: IntentRow };

async function intentsAbout(
  reader: Reader,
  sql: Sql,
  orders: readonly OrderRow[],
): Promise<ReadonlyMap<string, About>> {
  if (orders.length === 0) return new Map();
  const ids = orders.map(({ client_order_id }) => client_order_id);
  const db = sql.builder<ViewTables>();
  const sent = await reader.rows<IntentRow>(
    db
      .selectFrom("intent_view")
      .selectAll()
      .where("client_order_id", "in", ids)
      .where((of) => of.or([of("intent", "like", kindLike("order")), of("intent", "like", kindLike("position"))])),
  );
  const newest = db
    .selectFrom("intent_view")
    .select((of) => ["client_order_id as id", of.fn.max("at_us").as("newest")])
    .where("client_order_id", "in", ids)
    .where("verdict", "in", LEFT)
    .where("intent", "like", kindLike("amend"))
    .groupBy("client_order_id")
    .as("newest_of");
  const changed = await reader.rows<IntentRow>(
    db
      .selectFrom("intent_view")
      .innerJoin(newest, (join) =>
        join.onRef("newest_of.id", "=", "client_order_id").onRef("newest_of.newest", "=", "at_us"),
      )
      .selectAll("intent_view")
      .where("intent", "like", kindLike("amend"))
      .orderBy("seq", "desc"),
  );
  const found = new Map<string, About>();
  for (const row of sent)
    if (row.client_order_id !== null && isSending(row)) found.set(row.client_order_id, { sent: row });
  // Of one moment the last one counts: it is met first.
  for (const row of changed) {
    const id = row.client_order_id;
    const known = id === null ? undefined : found.get(id);
    if (id !== null && known?.changed === undefined && kindOf(row) === "amend")
      found.set(id, { ...known, changed: row });
  }
  return found;
}

/** Within a text of JSON quotes are escaped, so that only a member can look like this. */
const kindLike = (kind: string): string => `%"kind":"${kind}"%`;
const intentOf = (row: IntentRow): JsonObject => jsonOf<JsonObject>(row.intent);
const kindOf = (row: IntentRow): unknown => intentOf(row)["kind"];
const isSending = (row: IntentRow): boolean => ["order", "position"].includes(String(kindOf(row)));
const LEFT = ["forwarded", "degraded"];

/** Orders among the newest intents that have left, and of which no word has come. */
async function unanswered(reader: Reader, sql: Sql, { bot_id, run_id }: Which): Promise<readonly IntentRow[]> {
  const db = sql.builder<ViewTables>();
  let query = db
    .selectFrom("intent_view")
    .selectAll()
    .where("bot_id", "=", bot_id)
    .orderBy("run_id", "desc")
    .orderBy("seq", "desc")
    .limit(CONTROL_LIMITS.intents_looked_through);
  if (run_id !== undefined) query = query.where("run_id", "=", run_id);
  const sent = (await reader.rows<IntentRow>(query)).filter(
    (row) => row.client_order_id !== null && LEFT.includes(row.verdict) && isSending(row),
  );
  if (sent.length === 0) return [];
  const ids = sent.flatMap(({ client_order_id }) => client_order_id ?? []);
  const answered = await reader.rows<{ client_order_id: string }>(
    db.selectFrom("order_view").select("client_order_id").where("client_order_id", "in", ids),
  );
  const known = new Set(answered.map(({ client_order_id }) => client_order_id));
  return sent.filter(({ client_order_id }) => !known.has(client_order_id ?? ""));
}

function orderView(row: OrderRow, { sent, changed }: About = {}) {
  const report = jsonOf<JsonObject>(row.report);
  const state = orderState(row.status, report);
  const reason_code = wordOf(report, "reason_code");
  const wished = sent === undefined ? null : wishOf(sent, changed);
  return {
    client_order_id: row.client_order_id,
    run_id: row.run_id,
    instance_id: row.instance_id,
    state,
    status: row.status,
    side: wordOf(report, "side") ?? wished?.side ?? null,
    instrument_id: wordOf(report, "instrument_id") ?? wished?.instrument_id ?? null,
    order_type: wished?.order_type ?? null,
    price: wished?.price ?? null,
    quantity: wished?.quantity ?? null,
    remaining: wordOf(report, "remaining"),
    reason_code,
    runbook: runbookOf("", reason_code ?? undefined) ?? null,
    by: wished?.by ?? null,
    trace_id: sent?.trace_id ?? row.trace_id,
    sent_time_us: sent?.event_time_us ?? null,
    last_time_us: numberOf(report, "event_time_us"),
    at_us: row.at_us,
  };
}

function sentView(row: IntentRow) {
  const wished = wishOf(row, undefined);
  return {
    client_order_id: row.client_order_id ?? "",
    run_id: row.run_id,
    instance_id: row.instance_id,
    state: "submitted" satisfies OrderState,
    status: "submitted",
    ...wished,
    remaining: wished.quantity,
    reason_code: null,
    runbook: null,
    trace_id: row.trace_id,
    sent_time_us: row.event_time_us,
    last_time_us: null,
    at_us: row.at_us,
  };
}

/** What was asked of the venue: as the gate let it out, else as it was wished; a market order has no price. */
function wishOf(sent: IntentRow, changed: IntentRow | undefined) {
  const intent = intentOf(sent);
  const first = normalisedOf(intent);
  const last = changed === undefined ? {} : normalisedOf(intentOf(changed));
  const order_type = wordOf(first, "order_type") ?? wordOf(intent, "order_type");
  const price =
    wordOf(last, "price") ?? wordOf(first, "price") ?? wordOf(intent, "price") ?? wordOf(intent, "limit_price");
  return {
    side: wordOf(first, "side") ?? wordOf(intent, "side"),
    instrument_id: wordOf(intent, "instrument_id"),
    order_type,
    price: order_type === "market" ? null : price,
    quantity: wordOf(last, "quantity") ?? wordOf(first, "quantity") ?? wordOf(intent, "quantity"),
    by: intent["origin"] === "runtime" ? "runtime" : "strategy",
  } as const;
}

function normalisedOf({ normalised }: JsonObject): JsonObject {
  return typeof normalised === "object" && normalised !== null && !Array.isArray(normalised)
    ? (normalised as JsonObject)
    : {};
}

function wordOf(of: JsonObject, name: string): string | null {
  const value = of[name];
  return typeof value === "string" ? value : null;
}

function numberOf(of: JsonObject, name: string): number | null {
  const value = of[name];
  return typeof value === "number" ? value : null;
}
