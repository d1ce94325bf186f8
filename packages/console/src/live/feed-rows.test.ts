import { describe, expect, it } from "vitest";
import { feedRow, mergeRows, ROWS_PER_KIND, type FeedRow } from "./feed-rows.ts";

const place = { run_id: "r-1", bot_id: "ema", instance_id: "main", seq: 7 };
const trade = {
  instrument_id: "BTCUSDT.SIM",
  side: "buy",
  price: "100.50",
  quantity: "0.10",
  fee: "0.01",
  liquidity: "taker",
};

const aRow = (kind: "fill" | "intent", at_ms: number): FeedRow => ({
  key: `${kind}${at_ms}`,
  kind,
  bot_id: "ema",
  at_ms,
  words: [],
  tone: "dim",
});

describe("rows of the live feed", () => {
  it.each([
    ["fill", { ...place, fill: trade }, "buy 0.10 BTCUSDT.SIM @ 100.50 taker", "buy"],
    [
      "order",
      {
        ...place,
        client_order_id: "c",
        status: "unknown",
        report: {
          report: "accepted",
          side: "buy",
          instrument_id: "X.SIM",
          remaining: "1",
          reason_code: null,
        },
      },
      "accepted buy X.SIM remaining 1",
      "info",
    ],
    [
      "intent",
      {
        ...place,
        verdict: "forwarded",
        reason_code: null,
        intent: { kind: "order", side: "sell", quantity: "2", instrument_id: "X.SIM", price: "9" },
      },
      "order sell 2 X.SIM @ 9 forwarded",
      "dim",
    ],
    [
      "intent",
      {
        ...place,
        verdict: "discarded",
        reason_code: "F.RATE",
        intent: { kind: "position", target: "-1", instrument_id: "X.SIM" },
      },
      "position → -1 X.SIM discarded F.RATE",
      "warn",
    ],
    ["health", { ...place, health_state: "halted", reason_code: "F.FAULT" }, "halted F.FAULT", "bad"],
    ["run", { ...place, what: "feed_ended" }, "feed_ended", "dim"],
    ["bot", { bot_id: "ema", state: "RUNNING_PAPER", run_id: "r-1" }, "RUNNING_PAPER", "info"],
    ["safety", { mode: "SAFE", reason: "drill" }, "SAFE drill", "warn"],
  ])("a change of kind %s becomes a line", (kind, data, words, tone) => {
    const row = feedRow({ id: "3", kind, data }, 1_000);
    expect([row?.words.join(" "), row?.tone, row?.at_ms]).toEqual([words, tone, 1_000]);
  });
  it("a change that does not fit is shown as what is wrong with it", () => {
    expect(feedRow({ id: "3", kind: "fill", data: place }, 0)).toMatchObject({
      tone: "bad",
      words: ["fill.fill: expected an object"],
    });
  });
  it("a market order has no price to show", () => {
    const intent = { kind: "order", order_type: "market", side: "buy", quantity: "1", price: "0" };
    const data = { ...place, verdict: "forwarded", reason_code: null, intent };
    const row = feedRow({ id: "3", kind: "intent", data }, 0);
    expect(row?.words.join(" ")).toBe("order buy 1 market forwarded");
  });
  it("audit events, positions and a run's housekeeping are no rows", () => {
    expect(feedRow({ id: "3", kind: "run", data: { ...place, what: "checkpoint" } }, 0)).toBeNull();
    expect(feedRow({ id: "3", kind: "bot.state.transition", data: {} }, 0)).toBeNull();
    expect(feedRow({ id: "3", kind: "position", data: {} }, 0)).toBeNull();
  });
  it("the same entry of a journal is one row", () => {
    const row = feedRow({ id: "3", kind: "fill", data: { ...place, fill: trade } }, 5);
    if (row === null) throw new Error("no row");
    expect(mergeRows([row], [{ ...row, at_ms: 9 }])).toHaveLength(1);
  });
  it("a flood of one kind never pushes another out, and the feed has a limit", () => {
    const flood = Array.from({ length: 5_000 }, (_, at) => aRow("intent", at + 10));
    const rows = mergeRows([aRow("fill", 1)], flood);
    expect(rows).toHaveLength(ROWS_PER_KIND + 1);
    expect(rows.at(-1)?.kind).toBe("fill");
    expect(rows[0]?.at_ms).toBe(5_009);
  });
});
