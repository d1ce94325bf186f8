import { describe, expect, it } from "vitest";
import { botsPage, fillsPage, refusal, safetyState } from "./answers.ts";
import { list, object, oneOf, optional, ShapeError, text } from "./shape.ts";

const bot = {
  bot_id: "ema",
  display_name: "EMA",
  state: "IDLE",
  version: "1.0.0",
  generation: 1,
  observed_generation: 1,
  labels: {},
  spec: {
    strategy: { pack_id: "p", strategy_id: "s", strategy_version: "1.0.0", digest: "sha256:0" },
    venue: "SIM",
    instruments: ["X.SIM"],
    config: { fast: 1 },
    capital: "1000",
    isolation: "any",
  },
  status: {
    state: "IDLE",
    mode: null,
    run_id: null,
    reason: "INITIALISED",
    since: "2026-11-20T12:00:00.000000Z",
  },
  created_at: "2026-11-20T12:00:00.000000Z",
  created_by: "user:root",
};

describe("answers of the API", () => {
  it("are read as they are; members that this page does not know are let through", () => {
    const { bots } = botsPage({ bots: [{ ...bot, later: true }], count: 1, next_cursor: null }, "$");
    expect(bots[0]).toMatchObject({ bot_id: "ema", status: { mode: null } });
  });
  it.each([
    ["$.bots[0].state", { bots: [{ ...bot, state: "DANCING" }], next_cursor: null }],
    ["$.bots[0].spec.config", { bots: [{ ...bot, spec: { ...bot.spec, config: [] } }], next_cursor: null }],
    ["$.bots", { next_cursor: null }],
    ["$.next_cursor", { bots: [] }],
    ["$", null],
  ])("that do not fit name the place: %s", (path, answer) => {
    expect(() => botsPage(answer, "$")).toThrow(ShapeError);
    expect(() => botsPage(answer, "$")).toThrow(path);
  });
  it("money that is no decimal text is refused", () => {
    const fill = {
      run_id: "r",
      seq: 1,
      bot_id: "b",
      at_us: 1,
      event_time_us: 1,
      client_order_id: null,
      trace_id: "t",
    };
    const trade = { instrument_id: "X", side: "buy", price: "1.5", quantity: "1", fee: "0" };
    expect(fillsPage({ fills: [{ ...fill, fill: trade }], next_cursor: null }, "$").fills).toHaveLength(1);
    for (const price of [1.5, "1.5e3", "NaN", "", null])
      expect(() => fillsPage({ fills: [{ ...fill, fill: { ...trade, price } }], next_cursor: null }, "$")).toThrow(
        "$.fills[0].fill.price",
      );
  });
  it("a safety mode that this page does not know is no safety mode", () => {
    const state = { mode: "RELAXED", reason: "", activated_by: "user:root", activated_at: "" };
    expect(() => safetyState(state, "$")).toThrow("$.mode");
  });
  it("a refusal needs its code and its next step", () => {
    const full = { error: "no", error_code: "RUMI-BOT-001", suggestion: "look", status_code: 404 };
    expect(refusal(full, "$")).toEqual({ ...full, reason_code: null, trace_id: null, runbook: null, challenge: null });
    expect(() => refusal({ ...full, suggestion: undefined }, "$")).toThrow("$.suggestion");
  });
  it("shapes nest", () => {
    const shape = list(object({ side: oneOf("buy", "sell"), note: optional(text) }));
    expect(shape([{ side: "buy" }], "x")).toEqual([{ side: "buy", note: null }]);
    expect(() => shape([{ side: "hold" }], "x")).toThrow("x[0].side: expected one of buy, sell");
  });
});
