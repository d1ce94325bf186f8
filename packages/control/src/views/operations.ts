/** Reads of what runs and of what it did: instances, runners, leases, intents, orders, fills, positions. */
import { isoFromMicros, micros, ok, type Failure, type Result } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type, type Static } from "@sinclair/typebox";
import { readInstances } from "../instances/tables.ts";
import { instanceView } from "../instances/view.ts";
import { leaseDeclarations } from "../leases/operations.ts";
import { readRunners } from "../runners/tables.ts";
import { BotIdField, CLOSED, EVERYONE } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, type Compilable, type Sql } from "../shared/sql.ts";
import { botOrders } from "./bot-orders.ts";
import type { FillRow, IntentRow, OrderRow, PositionRow, ViewTables } from "./tables.ts";
import {
  FillsAnswer,
  InstancesAnswer,
  IntentsAnswer,
  OrdersAnswer,
  PositionsAnswer,
  RunnersAnswer,
} from "./answers.ts";

const ByBot = Type.Object({ bot_id: Type.Optional(BotIdField) }, CLOSED);
const Page = Type.Object(
  {
    bot_id: Type.Optional(BotIdField),
    run_id: Type.Optional(Type.String({ maxLength: 64 })),
    ...PAGE_FIELDS,
  },
  CLOSED,
);
type PageInput = Static<typeof Page>;
type Place = { readonly run_id: string; readonly seq: number };

export function viewDeclarations(deps: Parameters<typeof leaseDeclarations>[0]): readonly Declaration[] {
  return [
    listInstances,
    listRunners,
    ...leaseDeclarations(deps),
    listIntents,
    listOrders,
    botOrders,
    listFills,
    listPositions,
  ];
}

const listInstances = defineQuery({
  name: "instances.list",
  summary: "What runs, and what was last heard of it",
  http: { method: "GET", path: "/api/instances" },
  input: ByBot,
  output: InstancesAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id }, { store }) => {
    const instances = (await readInstances(reader, store, bot_id)).slice(0, 1_000).map(instanceView);
    return ok({ instances, count: instances.length });
  },
});

const listRunners = defineQuery({
  name: "runners.list",
  summary: "Processes that host instances",
  http: { method: "GET", path: "/api/runners" },
  input: Type.Object({}, CLOSED),
  output: RunnersAnswer,
  permission: EVERYONE,
  read: async (reader, _input, { store }) => {
    const runners = (await readRunners(reader, store)).map((row) => ({
      ...row,
      isolation: JSON.parse(row.isolation) as unknown,
      connected_at: isoFromMicros(micros(row.connected_at)),
      last_seen_at: isoFromMicros(micros(row.last_seen_at)),
    }));
    return ok({ runners, count: runners.length });
  },
});

/** Newest first; the cursor is a place in a journal, so that pages stay put while entries arrive. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the row that the query reads
async function page<Row extends Place>(
  reader: Reader,
  input: PageInput,
  query: (after: Place | undefined, limit: number) => Compilable,
  name: string,
  view: (row: Row) => unknown,
): Promise<Result<unknown, Failure>> {
  const after = decodeCursor(input.cursor, ["string", "number"]);
  if (!after.ok) return after;
  const limit = input.limit ?? 50;
  const place = after.value === undefined ? undefined : { run_id: String(after.value[0]), seq: Number(after.value[1]) };
  const rows = await reader.rows<Row>(query(place, limit + 1));
  const { page: shown, next_cursor } = pageOf(rows, limit, (row) => [row.run_id, row.seq]);
  return ok({
    [name]: shown.map(view),
    count: shown.length,
    next_cursor,
  });
}

function pageQuery(
  sql: Sql,
  table: "intent_view" | "order_view" | "fill_view",
  input: PageInput,
  after: Place | undefined,
  limit: number,
): Compilable {
  let query = sql
    .builder<ViewTables>()
    .selectFrom(table)
    .selectAll()
    .orderBy("run_id", "desc")
    .orderBy("seq", "desc")
    .limit(limit);
  if (input.bot_id !== undefined) query = query.where("bot_id", "=", input.bot_id);
  if (input.run_id !== undefined) query = query.where("run_id", "=", input.run_id);
  if (after === undefined) return query;
  return query.where((of) =>
    of.or([of("run_id", "<", after.run_id), of.and([of("run_id", "=", after.run_id), of("seq", "<", after.seq)])]),
  );
}

const listIntents = defineQuery({
  name: "intents.list",
  summary: "Intents with their verdicts, newest first",
  http: { method: "GET", path: "/api/intents" },
  input: Page,
  output: IntentsAnswer,
  permission: EVERYONE,
  read: (reader, input, { store }) =>
    page<IntentRow>(
      reader,
      input,
      (after, limit) => pageQuery(store, "intent_view", input, after, limit),
      "intents",
      (row) => ({ ...row, intent: JSON.parse(row.intent) as unknown }),
    ),
});

const listOrders = defineQuery({
  name: "orders.list",
  summary: "Orders as the venue last reported them",
  http: { method: "GET", path: "/api/orders" },
  input: Page,
  output: OrdersAnswer,
  permission: EVERYONE,
  read: (reader, input, { store }) =>
    page<OrderRow>(
      reader,
      input,
      (after, limit) => pageQuery(store, "order_view", input, after, limit),
      "orders",
      (row) => ({ ...row, report: JSON.parse(row.report) as unknown }),
    ),
});

const listFills = defineQuery({
  name: "fills.list",
  summary: "Fills, newest first",
  http: { method: "GET", path: "/api/fills" },
  input: Page,
  output: FillsAnswer,
  permission: EVERYONE,
  read: (reader, input, { store }) =>
    page<FillRow>(
      reader,
      input,
      (after, limit) => pageQuery(store, "fill_view", input, after, limit),
      "fills",
      (row) => ({ ...row, fill: JSON.parse(row.fill) as unknown }),
    ),
});

const listPositions = defineQuery({
  name: "positions.list",
  summary: "Positions and profit of each instance",
  http: { method: "GET", path: "/api/positions" },
  input: ByBot,
  output: PositionsAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id }, { store }) => {
    const all = store
      .builder<ViewTables>()
      .selectFrom("position_view")
      .selectAll()
      .orderBy("bot_id")
      .orderBy("instance_id")
      .orderBy("instrument_id")
      .limit(1_000);
    const rows = await reader.rows<PositionRow>(bot_id === undefined ? all : all.where("bot_id", "=", bot_id));
    const positions = rows.map(({ position, updated_at, ...row }) => ({
      ...row,
      ...(JSON.parse(position) as object),
      updated_at: isoFromMicros(micros(updated_at)),
    }));
    return ok({ positions, count: positions.length });
  },
});
