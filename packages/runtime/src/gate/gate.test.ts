import type { InstrumentSpec } from "@rumi/abi";
import type { InstrumentId } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { GATE_START, type GateContext, type GateMoment, judge } from "./gate.ts";
import type { Intent, IntentBody } from "./intent.ts";
import { normaliseOrder } from "./normalise.ts";

const SPEC: InstrumentSpec = {
  instrument_id: "XRPETH.BINANCE" as InstrumentId,
  price_digits: 2,
  quantity_digits: 0,
  tick_size: 5,
  lot_size: 10,
  min_quantity: 20,
  max_quantity: 1_005,
  base_currency: "XRP",
  quote_currency: "ETH",
};
const CONTEXT: GateContext = {
  instruments: [SPEC],
  instrument_allowed: [true],
  order_types: ["limit", "market"],
  venue_allowed: true,
  intents_per_event: 3,
  intents_per_second: 5,
  instance_intents_per_second: 4,
  max_open_orders: 2,
  capital: 1_000_00000000n,
  shadow: false,
};
const MOMENT: GateMoment = {
  now_us: 5_500_000,
  safety: "NORMAL",
  kill_switch: "ALLOW",
  restriction: "none",
  open_orders: [],
  positions: [0],
  last_prices: [100],
};
const ORDER: IntentBody = {
  kind: "order",
  instrument: 0,
  side: "buy",
  type: "limit",
  time_in_force: "gtc",
  reduce_only: false,
  post_only: false,
  price: 100,
  quantity: 100,
};
const intent = (body: IntentBody = ORDER, change: Partial<Intent> = {}): Intent => ({
  missing: "",
  foreign: "",
  key: 1,
  risk: { max_slippage_bps: 1, max_latency_us: 1, expected_holding_us: 1, budget: Number.MAX_SAFE_INTEGER },
  body,
  ...change,
});
const check = (
  body: IntentBody,
  context: Partial<GateContext>,
  moment: Partial<GateMoment>,
  expected: string | null,
  verdict = expected === null ? "forwarded" : "discarded",
) => {
  const judged = judge(GATE_START, intent(body), { ...CONTEXT, ...context }, { ...MOMENT, ...moment });
  expect([judged.verdict, judged.reason_code]).toEqual([verdict, expected]);
  return judged;
};

describe("intent gate", () => {
  for (const missing of [
    "bot_id",
    "strategy_id",
    "strategy_version",
    "instance_id",
    "run_id",
    "trace_id",
    "idempotency_key",
    "risk_context.max_slippage_bps",
    "risk_context.max_latency_us",
    "risk_context.expected_holding_us",
    "risk_context.budget",
  ] as const) {
    it(`[M-2.4.2] an intent without ${missing} is discarded and the reason names it`, () => {
      const judged = judge(GATE_START, intent(ORDER, { missing }), CONTEXT, MOMENT);
      expect(judged).toMatchObject({
        verdict: "discarded",
        actions: [],
        reason_code: `M.INTENT.MISSING_${missing.toUpperCase().replaceAll(".", "_")}`,
      });
      expect(judged.state).toMatchObject({ in_event: 1, in_second: 1, last_key: 0 });
    });
  }
  for (const foreign of ["bot_id", "strategy_id", "strategy_version", "instance_id", "run_id", "trace_id"] as const) {
    it(`[M-0.5] an intent that names another ${foreign} is discarded`, () => {
      expect(judge(GATE_START, intent(ORDER, { foreign }), CONTEXT, MOMENT).reason_code).toBe(
        `M.INTENT.FOREIGN_${foreign.toUpperCase()}`,
      );
    });
  }
  it("[M-8.2.1] [M-15.4] a key that was seen, or runs backwards, is suppressed", () => {
    const first = judge(GATE_START, intent(ORDER, { key: 7 }), CONTEXT, MOMENT);
    expect(first.actions).toHaveLength(1);
    for (const key of [7, 3])
      expect(judge(first.state, intent(ORDER, { key }), CONTEXT, MOMENT).reason_code).toBe("M.INTENT.DUPLICATE_KEY");
    expect(judge(first.state, intent(ORDER, { key: 8 }), CONTEXT, MOMENT).verdict).toBe("forwarded");
  });
  it("[M-8.1.2] [M-5.2.5] caps per event, second and instance discard the excess", () => {
    const flood = (context: Partial<GateContext>, events: number, each: number): (string | null)[] => {
      let state = GATE_START;
      const reasons: (string | null)[] = [];
      for (let key = 1; key <= events * each; key += 1) {
        if ((key - 1) % each === 0) state = { ...state, in_event: 0 };
        const judged = judge(state, intent({ kind: "noop", reason: 0 }, { key }), { ...CONTEXT, ...context }, MOMENT);
        state = judged.state;
        reasons.push(judged.reason_code);
      }
      return reasons;
    };
    expect(flood({}, 1, 4)).toEqual([null, null, null, "M.INTENT.CAP_EVENT"]);
    expect(flood({}, 5, 1)).toEqual([null, null, null, null, "M.INTENT.CAP_INSTANCE"]);
    expect(flood({ instance_intents_per_second: 9 }, 6, 1)[5]).toBe("M.INTENT.CAP_SECOND");
    const full = judge({ last_key: 9, second: 5, in_second: 4, in_event: 0 }, intent(ORDER, { key: 10 }), CONTEXT, {
      ...MOMENT,
      now_us: 6_000_000,
    });
    expect(full.verdict, "a new second of event time opens the window").toBe("forwarded");
  });
  it("[M-2.1.2] instruments, order types and venues outside the capabilities are refused", () => {
    check({ ...ORDER, instrument: 1 }, {}, {}, "M.CAPABILITY.INSTRUMENT_NOT_ALLOWED");
    check(ORDER, { instrument_allowed: [false] }, {}, "M.CAPABILITY.INSTRUMENT_NOT_ALLOWED");
    check(
      { ...ORDER, type: "market", price: 0 },
      { order_types: ["limit"] },
      {},
      "M.CAPABILITY.ORDER_TYPE_NOT_ALLOWED",
    );
    check(ORDER, { venue_allowed: false }, {}, "M.CAPABILITY.VENUE_NOT_ALLOWED");
  });
  it("[M-8.1.3] safety and restrictions: NoTrade, limit-only, reduce-only; cancels always pass", () => {
    const open = [
      { key: 5, instrument: 0, side: "buy", type: "limit", price: 100, remaining: 20, quantity: 20 },
    ] as const;
    const cancel: IntentBody = { kind: "cancel", target_key: 5, instrument: 0 };
    for (const safety of ["SAFE", "EMERGENCY_STOP"] as const) {
      check(ORDER, {}, { safety }, `M.SAFETY.${safety}`);
      check(
        { kind: "position", instrument: 0, type: "market", target: 40, limit_price: 0 },
        {},
        { safety },
        `M.SAFETY.${safety}`,
      );
      check(
        { kind: "amend", target_key: 5, instrument: 0, price: 105, quantity: -1 },
        {},
        { safety, open_orders: open },
        `M.SAFETY.${safety}`,
      );
      expect(check(cancel, {}, { safety, open_orders: open }, null).actions).toEqual([
        { kind: "cancel", target_key: 5 },
      ]);
    }
    check(ORDER, {}, { restriction: "no_trade" }, "M.DEGRADE.NO_TRADE");
    check(ORDER, {}, { restriction: "reduce_only" }, "M.DEGRADE.REDUCE_ONLY");
    const cut = check(ORDER, {}, { restriction: "reduce_only", positions: [-40] }, "M.DEGRADE.REDUCE_ONLY", "degraded");
    expect(cut.actions[0]).toMatchObject({ order: { quantity: 40, reduce_only: true } });
    check(cancel, {}, { restriction: "no_trade", open_orders: open }, null);
    check(cancel, {}, {}, "M.INTENT.UNKNOWN_TARGET");
  });
  it("[M-8.1.3] limit-only makes a limit order of a market order, as dear as its own slippage allows and on the tick", () => {
    const moment = { restriction: "limit_only", last_prices: [1_000] } as const;
    const market: IntentBody = { ...ORDER, type: "market", time_in_force: "ioc", price: 0 };
    const made = (body: IntentBody, bps: number, more: Partial<GateMoment> = {}) => {
      const risk = { max_slippage_bps: bps, max_latency_us: 1, expected_holding_us: 1, budget: 2_000_00000000 };
      const wide = { ...CONTEXT, capital: 10_000_00000000n };
      const at = { ...MOMENT, ...moment, ...more };
      const { verdict, reason_code, actions } = judge(GATE_START, intent(body, { risk }), wide, at);
      const [action] = actions;
      if (action?.kind !== "submit") return [verdict, reason_code];
      const { type, time_in_force, price, quantity } = action.order;
      return [verdict, reason_code, `${type} ${time_in_force} ${price}×${quantity}`];
    };
    const limited = (words: string) => ["degraded", "M.DEGRADE.LIMIT_ONLY", words];
    // The tick is 5: a buy pays no more, a sell takes no less than allowed.
    expect(made(market, 100)).toEqual(limited("limit ioc 1010×100"));
    expect(made(market, 149)).toEqual(limited("limit ioc 1010×100"));
    expect(made({ ...market, side: "sell" }, 149)).toEqual(limited("limit ioc 990×100"));
    expect(made({ ...market, side: "sell" }, 20_000)).toEqual(limited("limit ioc 5×100"));
    expect(made({ ...market, time_in_force: "fok" }, 0)).toEqual(limited("limit fok 1000×100"));
    expect(made({ ...market, time_in_force: "gtc" }, 0), "a market order never rests").toEqual(
      limited("limit ioc 1000×100"),
    );
    const position: IntentBody = { kind: "position", instrument: 0, type: "market", target: -40, limit_price: 0 };
    expect(made(position, 100)).toEqual(limited("limit ioc 990×40"));
    expect(made(ORDER, 100), "a limit order stays as it is").toEqual(["forwarded", null, "limit gtc 100×100"]);
    expect(made(market, 100, { restriction_reason: "M.DATA.GAP" })[1]).toBe("M.DATA.GAP");
    expect(made(market, 100, { last_prices: [0] })).toEqual(["discarded", "M.LIMIT.NO_PRICE"]);
    check(market, { order_types: ["market"] }, moment, "M.DEGRADE.LIMIT_ONLY");
  });
  it("[M-2.4.2] an order that adds more than its own intent's budget is discarded; what closes a position is not", () => {
    const budget = (body: IntentBody, amount: number, moment: Partial<GateMoment> = {}): string | null => {
      const risk = { max_slippage_bps: 1, max_latency_us: 1, expected_holding_us: 1, budget: amount };
      return judge(GATE_START, intent(body, { risk }), CONTEXT, { ...MOMENT, ...moment }).reason_code;
    };
    const resting = {
      key: 5,
      instrument: 0,
      side: "buy",
      type: "limit",
      price: 100,
      remaining: 100,
      quantity: 100,
    } as const;
    const open = [resting];
    // 100 pieces at 1.00 are 100.00 of the quote currency.
    expect(budget(ORDER, 100_00000000)).toBe(null);
    expect(budget(ORDER, 100_00000000 - 1)).toBe("M.RISK.BUDGET");
    expect(budget({ ...ORDER, type: "market", price: 0 }, 100_00000000 - 1), "at the last price").toBe("M.RISK.BUDGET");
    expect(budget({ ...ORDER, side: "sell" }, 0, { positions: [100] }), "closes").toBe(null);
    expect(budget({ ...ORDER, side: "sell" }, 0, { positions: [50] }), "turns").toBe("M.RISK.BUDGET");
    expect(budget({ ...ORDER, side: "sell" }, 50_00000000, { positions: [50] }), "half of it is new").toBe(null);
    const closing = [{ ...resting, side: "sell" }] as const;
    expect(budget({ ...ORDER, side: "sell" }, 0, { positions: [100], open_orders: closing }), "closed twice").toBe(
      "M.RISK.BUDGET",
    );
    expect(budget({ ...ORDER, side: "sell", reduce_only: true }, 0, { positions: [50] })).toBe(null);
    const position: IntentBody = { kind: "position", instrument: 0, type: "market", target: 100, limit_price: 0 };
    expect(budget(position, 99_00000000)).toBe("M.RISK.BUDGET");
    const amend = (price: number, quantity: number): IntentBody => ({
      kind: "amend",
      target_key: 5,
      instrument: 0,
      price,
      quantity,
    });
    expect(budget(amend(105, -1), 104_99999999, { open_orders: open })).toBe("M.RISK.BUDGET");
    expect(budget(amend(105, -1), 105_00000000, { open_orders: open })).toBe(null);
    expect(budget(amend(100, 50), 0, { open_orders: open }), "shrinks").toBe(null);
    expect(budget({ kind: "cancel", target_key: 5, instrument: 0 }, 0, { open_orders: open })).toBe(null);
  });
  it("capital and open orders are fenced a second time here", () => {
    const open = {
      key: 5,
      instrument: 0,
      side: "buy",
      type: "limit",
      price: 100,
      remaining: 980,
      quantity: 980,
    } as const;
    check({ ...ORDER, quantity: 1_000 }, { capital: 100_000_000_000n }, {}, null);
    check({ ...ORDER, quantity: 1_000, price: 105 }, {}, {}, "M.LIMIT.CAPITAL");
    check({ ...ORDER, quantity: 30 }, {}, { open_orders: [open] }, "M.LIMIT.CAPITAL");
    check({ ...ORDER, side: "sell", quantity: 1_000 }, {}, { positions: [1_000] }, null);
    check({ ...ORDER, type: "market", price: 0 }, {}, { last_prices: [0] }, "M.LIMIT.NO_PRICE");
    check(
      { ...ORDER, quantity: 20 },
      { capital: 10n ** 20n },
      { open_orders: [open, { ...open, key: 6 }] },
      "M.LIMIT.OPEN_ORDERS",
    );
    check(
      { kind: "amend", target_key: 5, instrument: 0, price: 200, quantity: -1 },
      {},
      { open_orders: [open] },
      "M.LIMIT.CAPITAL",
    );
  });
  it("a position intent becomes the order that is still missing", () => {
    const want = (target: number): IntentBody => ({
      kind: "position",
      instrument: 0,
      type: "market",
      target,
      limit_price: 0,
    });
    expect(check(want(100), {}, { positions: [40] }, null).actions[0]).toMatchObject({
      key: 1,
      order: { side: "buy", type: "market", quantity: 60 },
    });
    expect(check(want(-40), {}, { positions: [40] }, null).actions[0]).toMatchObject({
      order: { side: "sell", quantity: 80 },
    });
    expect(check(want(40), {}, { positions: [40] }, null).actions).toEqual([]);
    const open = [
      { key: 5, instrument: 0, side: "buy", type: "limit", price: 100, remaining: 60, quantity: 60 },
    ] as const;
    expect(check(want(100), {}, { positions: [40], open_orders: open }, null).actions).toEqual([]);
  });
  it("[M-1.1.1] a shadow's intents are recorded and never become actions", () => {
    expect(check(ORDER, { shadow: true }, {}, null, "recorded").actions).toEqual([]);
  });
  it("[M-8.1.1] table of instruments and wishes → exact order or refusal", () => {
    const rows: readonly [
      side: "buy" | "sell",
      type: "limit" | "market",
      price: number,
      quantity: number,
      expected: string,
    ][] = [
      ["buy", "limit", 100, 100, "100×100"],
      ["buy", "limit", 103, 100, "100×100 M.NORMALISE.ROUNDED"],
      ["sell", "limit", 101, 100, "105×100 M.NORMALISE.ROUNDED"],
      ["buy", "limit", 100, 29, "100×20 M.NORMALISE.ROUNDED"],
      ["buy", "limit", 100, 19, "M.NORMALISE.QUANTITY_TOO_SMALL"],
      ["buy", "limit", 100, 2_000, "100×1000 M.NORMALISE.QUANTITY_CUT"],
      ["buy", "limit", 0, 100, "M.NORMALISE.PRICE_NOT_POSITIVE"],
      ["buy", "limit", -5, 100, "M.NORMALISE.PRICE_NOT_POSITIVE"],
      ["buy", "limit", 4, 100, "M.NORMALISE.PRICE_BELOW_TICK"],
      ["sell", "limit", 4, 100, "5×100 M.NORMALISE.ROUNDED"],
      ["buy", "market", 0, 100, "0×100"],
      ["buy", "market", 7, 100, "M.NORMALISE.PRICE_NOT_POSITIVE"],
      ["buy", "limit", 100, 0, "M.NORMALISE.QUANTITY_NOT_POSITIVE"],
      ["buy", "limit", 100, -10, "M.NORMALISE.QUANTITY_NOT_POSITIVE"],
      ["buy", "limit", 100, 1.5, "M.NORMALISE.QUANTITY_NOT_POSITIVE"],
      ["buy", "limit", 2 ** 60, 100, "M.NORMALISE.PRICE_NOT_WHOLE"],
    ];
    for (const [side, type, price, quantity, expected] of rows) {
      const fit = normaliseOrder({ side, type, price, quantity }, SPEC);
      expect(
        fit.kind === "refused" ? fit.reason : `${fit.price}×${fit.quantity} ${fit.changed}`.trim(),
        `${side} ${type} ${price} ${quantity}`,
      ).toBe(expected);
    }
  });
});
