import type { InstrumentSpec } from "@rumi/abi";
import { describe, expect, it } from "vitest";
import {
  answered,
  BREAKER_BACK,
  BREAKER_CLOSED,
  BREAKER_REASON,
  type BreakerState,
  looked,
  nextLook,
  occurred,
  resetByHand,
  trippedByHand,
} from "./breaker.ts";
import {
  BREAKER_LIMITS,
  BREAKER_TRIGGERS,
  type BreakerConfig,
  type BreakerRule,
  type BreakerTrigger,
} from "./config.ts";
import { planHedge } from "./hedge.ts";

const RULE: BreakerRule = { count: 3, within_us: 1_000, mode: "no_trade" };
const config = (rules: BreakerConfig["rules"], back: BreakerConfig["back"] = { kind: "manual" }): BreakerConfig => ({
  rules,
  back,
});
const at = (of: BreakerConfig, trigger: BreakerTrigger, ...times: number[]): BreakerState =>
  times.reduce((state, time) => occurred(state, of, trigger, time), BREAKER_CLOSED);

describe("circuit breaker", () => {
  it.each(BREAKER_TRIGGERS)(
    "[M-9.1.1] %s trips it at its count within its window, not before and not outside",
    (trigger) => {
      const of = config({ [trigger]: RULE });
      expect(at(of, trigger, 1, 2).open).toBeNull();
      expect(at(of, trigger, 1, 2, 3).open).toEqual({
        trigger,
        mode: "no_trade",
        reason_code: BREAKER_REASON[trigger],
        since_us: 3,
      });
      expect(at(of, trigger, 1, 500, 1_002).open, "the first is too old").toBeNull();
      expect(at(of, trigger, 1, 500, 1_002, 1_400).open?.since_us).toBe(1_400);
      expect(at(config({}), trigger, 1, 2, 3), "without a rule nothing is counted").toBe(BREAKER_CLOSED);
    },
  );
  it("[M-9.1.1] rejections trip it by their share of the venue's words, too", () => {
    const of = config({ rejections: { ...RULE, share_percent: 60 } });
    const words = (...refused: readonly boolean[]): BreakerState =>
      refused.reduce((state, no, n) => answered(state, of, no, n), BREAKER_CLOSED);
    expect(words(false, false, false, true, true, true).open, "half of them").toBeNull();
    expect(words(false, false, true, true, true).open?.trigger).toBe("rejections");
    expect(words(...Array.from({ length: BREAKER_LIMITS.outcomes * 3 }, () => false)).outcomes).toHaveLength(
      BREAKER_LIMITS.outcomes,
    );
  });
  it("[M-9.2.1] a stricter mode replaces a milder one, a milder one changes nothing", () => {
    const of = config({
      timeouts: { ...RULE, count: 1, mode: "cancel_all" },
      queue: { ...RULE, count: 1, mode: "reduce_only" },
      latency: { ...RULE, count: 1, mode: "hedge_to_flat" },
    });
    const mild = occurred(BREAKER_CLOSED, of, "queue", 1);
    const strict = occurred(mild, of, "timeouts", 2);
    expect([mild.open?.mode, strict.open?.mode]).toEqual(["reduce_only", "cancel_all"]);
    expect(occurred(strict, of, "queue", 3).open).toEqual(strict.open);
    expect(occurred(strict, of, "latency", 4).open?.mode).toBe("hedge_to_flat");
    expect(occurred(strict, of, "latency", 4).trips).toBe(3);
  });
  it("[M-9.2.2] it comes back after its cooldown, once it is calm, or by a person's word, each with its reason", () => {
    const rules = { queue: RULE };
    const cooldown = config(rules, { kind: "cooldown", after_us: 5_000 });
    const calm = config(rules, { kind: "calm", quiet_us: 5_000 });
    const manual = config(rules);
    const open = at(cooldown, "queue", 1, 2, 3);
    expect(looked(open, cooldown, 5_002)).toBe(open);
    expect(looked(open, cooldown, 5_003)).toMatchObject({
      open: null,
      back_reason: BREAKER_BACK.cooldown,
      trips: 1,
      times: {},
    });
    const restless = occurred(open, calm, "queue", 4_000);
    expect(looked(restless, calm, 8_999)).toBe(restless);
    expect(looked(restless, calm, 9_000)).toMatchObject({ open: null, back_reason: BREAKER_BACK.calm });
    expect(looked(open, manual, 1e15)).toBe(open);
    expect([nextLook(open, manual), nextLook(BREAKER_CLOSED, calm)]).toEqual([Infinity, Infinity]);
    expect(resetByHand(open)).toMatchObject({ open: null, back_reason: BREAKER_BACK.operator });
    expect(resetByHand(BREAKER_CLOSED)).toBe(BREAKER_CLOSED);
  });
  it("[M-9.2.2] what a person opened, time does not close", () => {
    const of = config({}, { kind: "cooldown", after_us: 1 });
    const open = trippedByHand(BREAKER_CLOSED, "cancel_all", 10);
    expect(open.open).toMatchObject({ trigger: "operator", mode: "cancel_all", reason_code: "M.BREAKER.OPERATOR" });
    expect(looked(open, of, 1e15)).toBe(open);
    expect(resetByHand(open).open).toBeNull();
  });
});

describe("hedge to flat", () => {
  const spec = { lot_size: 10, min_quantity: 20, max_quantity: 1_000 } as InstrumentSpec;
  const plan = (positions: readonly number[], underway: readonly number[] = [], attempts = 0) =>
    planHedge({ instruments: [spec, spec], positions, underway: new Set(underway), attempts });
  it("[M-9.2.1] one reduce-only order for each position that nothing is under way for, cut to what the venue takes", () => {
    expect(plan([0, 0])).toEqual({ orders: [], stuck: false, flat: true });
    expect(plan([45, -3_000]).orders).toEqual([
      { instrument: 0, side: "sell", quantity: 40 },
      { instrument: 1, side: "buy", quantity: 1_000 },
    ]);
    expect(plan([45, -30], [0])).toMatchObject({ orders: [{ instrument: 1 }], flat: false });
    expect(plan([15, 0]), "below the least quantity").toEqual({ orders: [], stuck: true, flat: false });
    expect(plan([45, 0], [], BREAKER_LIMITS.hedges)).toMatchObject({ orders: [], stuck: true });
  });
});
