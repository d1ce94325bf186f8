import { describe, expect, it } from "vitest";
import type { BotOrder } from "../../../answers/bot-page.ts";
import { countsOf, LINES_DRAWN, momentsOf, orderLines } from "./order-marks.ts";

const order = (over: Partial<BotOrder> = {}): BotOrder => ({
  client_order_id: "a",
  instance_id: "main",
  state: "open",
  side: "buy",
  instrument_id: "X",
  order_type: "limit",
  price: "1.5",
  quantity: "1",
  remaining: "1",
  reason_code: null,
  runbook: null,
  by: "strategy",
  trace_id: "t",
  sent_time_us: 10_500_000,
  last_time_us: 20_900_000,
  ...over,
});

describe("orders on the chart", () => {
  it("[G-9.1] what rests goes on; what is over ends when it was; a refusal is a point", () => {
    const drawn = (["open", "submitted", "filled", "cancelled", "over", "rejected"] as const).map((state) => {
      const [line] = orderLines([order({ state, ...(state === "rejected" ? { last_time_us: null } : {}) })], []);
      return [line?.look, line?.from, line?.until];
    });
    expect(drawn).toEqual([
      ["resting", 10, null],
      ["resting", 10, null],
      ["done", 10, 20],
      ["taken_back", 10, 20],
      ["taken_back", 10, 20],
      ["refused", 10, 10],
    ]);
  });
  it("[G-9.1] no line ends before it begins, whatever the venue's clock said", () => {
    expect(orderLines([order({ state: "filled", last_time_us: 1_000_000 })], [])[0]?.until).toBe(10);
  });
  it("[G-9.1] without a price, a side or a beginning there is no line", () => {
    const without = [order({ price: null }), order({ side: null }), order({ sent_time_us: null })];
    expect(orderLines(without, [])).toEqual([]);
  });
  it("[G-9.1] one far from where was traded presses nothing flat, and the newest are drawn up to a limit", () => {
    expect(orderLines([order({ price: "9" }), order()], [1.4, 1.6]).map(({ price }) => price)).toEqual([1.5]);
    expect(orderLines([order({ price: "9" })], [])).toHaveLength(1);
    const many = Array.from({ length: LINES_DRAWN + 1 }, (_, at) => order({ client_order_id: String(at) }));
    const lines = orderLines(many, []);
    expect([lines.length, lines[0]?.id]).toEqual([LINES_DRAWN, "0"]);
  });
  it("[G-9.1] the axis has every moment once and in order", () => {
    const lines = orderLines([order({ sent_time_us: 30_000_000 }), order({ state: "filled" }), order()], []);
    expect(momentsOf(lines).map(([second]) => second)).toEqual([10, 20, 30]);
  });
  it("[G-9.1] the words beside it count what is open, done, taken back and refused", () => {
    const states = ["open", "submitted", "filled", "cancelled", "rejected", "over"] as const;
    expect(countsOf(states.map((state) => order({ state })))).toEqual({ open: 2, done: 1, taken_back: 2, refused: 1 });
  });
});
