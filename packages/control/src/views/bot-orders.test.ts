/** A bot's orders as they are read: the last word of the venue beside what was asked of it. */
import { write } from "@rumi/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { onBothStores } from "../../test/both-stores.ts";
import type { Control } from "../../test/kit.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { orderState } from "./order-states.ts";
import type { IntentRow, OrderRow, ViewTables } from "./tables.ts";

type Order = { readonly client_order_id: string; readonly [name: string]: unknown };
type Answer = {
  readonly orders: readonly Order[];
  readonly unanswered: readonly Order[];
  readonly next_cursor: string | null;
};

const RUN = "run-2";
let world: Control;
let seq = 0;

const intent = (client_order_id: string | null, body: object, over: Partial<IntentRow> = {}): IntentRow => ({
  run_id: RUN,
  seq: (seq += 1),
  bot_id: "bot-1",
  instance_id: "main",
  at_us: seq,
  event_time_us: seq * 1_000,
  trace_id: `t-${seq}`,
  verdict: "forwarded",
  reason_code: null,
  client_order_id,
  idempotency_key: String(seq),
  intent: JSON.stringify(body),
  ...over,
});
const order = (
  client_order_id: string,
  status: string,
  report: object = {},
  over: Partial<OrderRow> = {},
): OrderRow => ({
  client_order_id,
  run_id: RUN,
  seq: (seq += 1),
  bot_id: "bot-1",
  instance_id: "main",
  at_us: seq,
  trace_id: "t-venue",
  status,
  report: JSON.stringify({
    report: status,
    side: "buy",
    instrument_id: "XRPETH.SIM",
    event_time_us: seq * 1_000,
    ...report,
  }),
  ...over,
});
const limit = {
  kind: "order",
  instrument_id: "XRPETH.SIM",
  side: "buy",
  order_type: "limit",
  price: "1.5",
  quantity: "3",
};

async function put(...rows: readonly (IntentRow | OrderRow)[]): Promise<void> {
  const db = world.store.builder<ViewTables>();
  const writes = rows.map((row) =>
    write("intent" in row ? db.insertInto("intent_view").values(row) : db.insertInto("order_view").values(row), 1),
  );
  expect((await world.store.commit({ writes, events: [] })).ok).toBe(true);
}
const orders = async (query: Readonly<Record<string, string>> = {}, bot_id = "bot-1"): Promise<Answer> =>
  dataOf(await world.query("bots.orders", query, { bot_id })) as unknown as Answer;
const orderOf = async (id: string): Promise<Order | undefined> => {
  const { orders: placed, unanswered } = await orders({ limit: "200" });
  return [...placed, ...unanswered].find(({ client_order_id }) => client_order_id === id);
};

describe("what became of an order", () => {
  it("[G-9.1] is told by the last word about it; a refused cancel of what is over does not open it again", () => {
    const gone = { reason_code: "M.VENUE.ORDER_CLOSED" };
    const said = (["accepted", "partially_filled", "amended", "filled", "cancelled", "rejected"] as const).map((word) =>
      orderState(word, {}),
    );
    expect(said).toEqual(["open", "open", "open", "filled", "cancelled", "rejected"]);
    expect([orderState("cancel_rejected", gone), orderState("amend_rejected", gone)]).toEqual(["over", "over"]);
    expect(orderState("amend_rejected", { reason_code: "M.VENUE.AMEND_BELOW_FILLED" })).toBe("open");
    expect(orderState("something new", {})).toBe("unknown");
  });
});

onBothStores((open) => {
  beforeAll(async () => {
    world = await open();
    seq = 0;
    dataOf(await world.makeBot("bot-1"));
    dataOf(await world.makeBot("bot-2"));
  }, 180_000);
  afterAll(async () => {
    await world.close();
  });

  describe("orders of a bot", () => {
    it("[G-9.1] an open order has its limit, quantity, side, and when it was sent", async () => {
      await put(intent("rests", limit), order("rests", "accepted", { remaining: "3" }));
      expect(await orderOf("rests")).toMatchObject({
        state: "open",
        status: "accepted",
        side: "buy",
        order_type: "limit",
        price: "1.5",
        quantity: "3",
        remaining: "3",
        by: "strategy",
        sent_time_us: 1_000,
        last_time_us: 2_000,
        trace_id: "t-1",
      });
      expect((await orders()).unanswered, "the venue answered").toEqual([]);
    });
    it("[G-9.1] its price is what the gate let out, and after an amendment the amended one; what was refused changes none", async () => {
      const normalised = { price: "1.4", quantity: "2", side: "buy", reduce_only: false };
      await put(
        intent("moved", { ...limit, normalised }, { verdict: "degraded" }),
        order("moved", "accepted"),
        intent(null, { kind: "amend", normalised: { price: "9", quantity: null } }, { verdict: "discarded" }),
      );
      expect(await orderOf("moved")).toMatchObject({ price: "1.4", quantity: "2" });
      await put(
        intent("moved", { kind: "amend", normalised: { price: "1.3", quantity: null } }),
        // Of the same moment: the later one counts.
        intent("moved", { kind: "amend", normalised: { price: "1.25", quantity: "2" } }, { at_us: 900 }),
        intent("moved", { kind: "amend", normalised: { price: "1.2", quantity: "1" } }, { at_us: 900 }),
        intent(
          "moved",
          { kind: "amend", normalised: { price: "9", quantity: "9" } },
          { verdict: "discarded", at_us: 901 },
        ),
        intent("moved", { kind: "cancel", target_key: "1" }),
      );
      expect(await orderOf("moved")).toMatchObject({ price: "1.2", quantity: "1", order_type: "limit" });
    });
    it("[G-9.1] an order at the market has no price; one for a position has the side that the gate gave it", async () => {
      await put(
        intent("market", { ...limit, order_type: "market", price: "0" }),
        order("market", "filled", { remaining: "0" }),
        intent("target", {
          kind: "position",
          instrument_id: "XRPETH.SIM",
          order_type: "limit",
          target: "-2",
          limit_price: "1.7",
          normalised: { side: "sell", price: "1.7", quantity: "2", reduce_only: false },
        }),
      );
      expect(await orderOf("market")).toMatchObject({ state: "filled", price: null });
      expect(await orderOf("target")).toMatchObject({ state: "submitted", side: "sell", price: "1.7", quantity: "2" });
    });
    it("[G-9.1] a refusal has its reason and its page; the runtime's own order says so", async () => {
      await put(
        intent("refused", limit),
        order("refused", "rejected", { reason_code: "M.VENUE.POST_ONLY" }),
        intent("own", { ...limit, origin: "runtime", order_type: "market", price: "0" }),
      );
      expect(await orderOf("refused")).toMatchObject({
        state: "rejected",
        reason_code: "M.VENUE.POST_ONLY",
        runbook: "docs/runbooks/reasons/venue.md",
      });
      expect(await orderOf("own")).toMatchObject({ by: "runtime" });
    });
    it("[G-9.1] what has not left is no order: staged, refused and recorded intents are none", async () => {
      for (const verdict of ["staged", "discarded", "recorded"])
        await put(intent(`not-${verdict}`, limit, { verdict }));
      for (const verdict of ["staged", "discarded", "recorded"])
        expect(await orderOf(`not-${verdict}`)).toBeUndefined();
    });
    it("[G-9.1] a text that looks like another kind of intent within is taken for none", async () => {
      const told = JSON.stringify({ kind: "amend" });
      await put(intent("plain", { ...limit, note: `"kind":"amend" ${told}` }), order("plain", "accepted"));
      expect(await orderOf("plain")).toMatchObject({ price: "1.5" });
    });
    it("[G-9.1] pages follow one another, each order once; another bot's and another run's are not among them", async () => {
      await put(
        order("other-bot", "accepted", {}, { bot_id: "bot-2" }),
        order("other-run", "cancelled", {}, { run_id: "run-1" }),
      );
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const answer: Answer = await orders({ run_id: RUN, limit: "2", ...(cursor === null ? {} : { cursor }) });
        expect(answer.orders.length).toBeLessThanOrEqual(2);
        if (cursor !== null) expect(answer.unanswered).toEqual([]);
        seen.push(...answer.orders.map(({ client_order_id }) => client_order_id));
        cursor = answer.next_cursor;
      } while (cursor !== null);
      expect(seen).toEqual(["plain", "refused", "market", "moved", "rests"]);
      expect((await orders({}, "bot-2")).orders.map(({ client_order_id }) => client_order_id)).toEqual(["other-bot"]);
    });
    it("[G-9.1] the look for what was not answered has its limit", async () => {
      await put(intent("late", limit, { bot_id: "bot-2" }));
      expect((await orders({}, "bot-2")).unanswered).toHaveLength(1);
      const noise = Array.from({ length: CONTROL_LIMITS.intents_looked_through }, () =>
        intent(null, { kind: "noop", reason: 1 }, { bot_id: "bot-2" }),
      );
      await put(...noise.slice(1));
      expect((await orders({}, "bot-2")).unanswered).toHaveLength(1);
      await put(...noise.slice(0, 1).map((row) => ({ ...row, seq: (seq += 1) })));
      expect((await orders({}, "bot-2")).unanswered).toHaveLength(0);
    });
    it("[G-9.1] no such bot, no such cursor, no such field: refused", async () => {
      const refusal = async (query: Readonly<Record<string, string>>, bot_id: string) => {
        const answer = await world.query("bots.orders", query, { bot_id });
        return answer.kind === "refused" ? answer.failure.code : answer.kind;
      };
      expect(await refusal({}, "nobody")).toBe("RUMI-BOT-001");
      expect(await refusal({ cursor: "x" }, "bot-1")).toBe("RUMI-VAL-002");
      expect(await refusal({ limit: "201" }, "bot-1")).toMatch(/^RUMI-VAL-/);
      expect(await refusal({ colour: "red" }, "bot-1")).toMatch(/^RUMI-VAL-/);
    });
  });
});
