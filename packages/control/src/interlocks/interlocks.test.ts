/** Each rule over its threshold, from both sides; which thresholds a home may have; what a minute of samples says. */
import { describe, expect, it } from "vitest";
import {
  DEFAULT_THRESHOLDS,
  hasTripped,
  INTERLOCK_LIMITS,
  INTERLOCK_RULES,
  INTERLOCKS,
  thresholdsOf,
  trippedBy,
  type InterlockRule,
  type Readings,
} from "./model.ts";
import { InterlockMonitor, type RunTotals, type Sample } from "./monitor.ts";

const QUIET: RunTotals = { orders: 0, cancels: 0, unknown_outcomes: 0, foreign_orders: 0 };
const CALM: Sample = {
  at_ms: 0,
  live: new Map([["run 1", QUIET]]),
  exposure: 0,
  capital: 1_000,
  running: ["a", "b", "c"],
  silent: [],
  disk_free_percent: 50,
  clock_error_ms: 0,
};
const totals = (change: Partial<RunTotals>): Pick<Sample, "live"> => ({
  live: new Map([["run 1", { ...QUIET, ...change }]]),
});
function readings(...samples: readonly Partial<Sample>[]): Readings {
  const monitor = new InterlockMonitor();
  let read = monitor.take(CALM);
  samples.forEach((sample, at) => (read = monitor.take({ ...CALM, at_ms: (at + 1) * 1_000, ...sample })));
  return read;
}
const silentFor = (ms: number): Readings => {
  const eight = Array.from({ length: 8 }, (_, at) => `i${at}`);
  const off = { running: eight, silent: ["i0", "i1"] };
  return readings({ ...off, at_ms: 1_000 }, { ...off, at_ms: 1_000 + ms });
};

describe("[G-5.3] [L-N4] interlocks", () => {
  for (const [rule, before, at] of [
    ["observation_unknown", silentFor(59_999), silentFor(60_000)],
    ["clock_error", readings({ clock_error_ms: 1_499 }), readings({ clock_error_ms: 1_500 })],
    ["position_mismatch", readings({}), readings(totals({ foreign_orders: 1 }))],
    ["order_storm", readings(totals({ orders: 1_199 })), readings(totals({ orders: 1_200 }))],
    ["cancel_loop", readings(totals({ cancels: 799 })), readings(totals({ cancels: 800 }))],
    ["unknown_spike", readings(totals({ unknown_outcomes: 49 })), readings(totals({ unknown_outcomes: 50 }))],
    ["disk_free", readings({ disk_free_percent: 5.01 }), readings({ disk_free_percent: 5 })],
    ["exposure_jump", readings({ exposure: 349 }), readings({ exposure: 350 })],
  ] as const satisfies readonly (readonly [InterlockRule, Readings, Readings])[])
    it(`${rule} trips at ${INTERLOCKS[rule].threshold} ${INTERLOCKS[rule].unit} and not before`, () => {
      expect(trippedBy(before, DEFAULT_THRESHOLDS), `${rule} at ${before[rule]}`).toEqual([]);
      expect(trippedBy(at, DEFAULT_THRESHOLDS), `${rule} at ${at[rule]}`).toEqual([rule]);
    });

  it("ship with these thresholds and actions, and the latched ones are those that stop everything", () => {
    const words = INTERLOCK_RULES.map((rule) => {
      const { threshold, action, latched } = INTERLOCKS[rule];
      return `${rule} ${threshold} ${action}${latched ? " latched" : ""}`;
    });
    expect(words).toEqual([
      "observation_unknown 20 SAFE",
      "clock_error 1500 EMERGENCY_STOP latched",
      "position_mismatch 1 EMERGENCY_STOP latched",
      "order_storm 120 EMERGENCY_STOP latched",
      "cancel_loop 80 SAFE",
      "unknown_spike 50 SAFE",
      "disk_free 5 EMERGENCY_STOP latched",
      "exposure_jump 35 EMERGENCY_STOP latched",
    ]);
  });

  it("[G-12] a home's thresholds are stricter or refused by name", () => {
    const made = thresholdsOf({ order_storm: 60, disk_free: 10 });
    expect(made).toEqual({ ok: true, value: { ...DEFAULT_THRESHOLDS, order_storm: 60, disk_free: 10 } });
    for (const rule of INTERLOCK_RULES) {
      const { threshold, trips } = INTERLOCKS[rule];
      expect(thresholdsOf({ [rule]: threshold }).ok, "as it is").toBe(true);
      const looser = thresholdsOf({ [rule]: trips === "at_least" ? threshold + 0.001 : threshold - 0.001 });
      expect([rule, looser.ok]).toEqual([rule, false]);
    }
    for (const bad of [{ order_storm: 0 }, { disk_free: 101 }, { weather: 1 }])
      expect(thresholdsOf(bad)).toMatchObject({ ok: false, error: { code: "RUMI-SYS-002" } });
  });

  it("read no storm from a run that is seen for the first time, begins anew, or had its orders long ago", () => {
    const many = { ...QUIET, orders: 1_000_000 };
    expect(readings({ live: new Map([["run 2", many]]) }).order_storm).toBe(0);
    expect(readings(totals({ orders: 500 }), totals({ orders: 0 }), totals({ orders: 10 })).order_storm).toBe(51);
    const later = { at_ms: 1_000 + INTERLOCK_LIMITS.rate_window_ms + 1 };
    expect(readings(totals({ orders: 5_000 }), { ...totals({ orders: 5_000 }), ...later }).order_storm).toBe(0);
    expect(readings({ exposure: 900, capital: 0 }).exposure_jump, "no live bot").toBe(0);
  });

  it("do not look at the clock while nothing runs", () => {
    expect(readings({ running: [], clock_error_ms: 5_000 }).clock_error).toBe(0);
  });

  it("of nine instances and two facts of the machine two that nobody hears of are not a fifth yet", () => {
    const nine = Array.from({ length: 9 }, (_, at) => `i${at}`);
    const off = { running: nine, silent: ["i0", "i1"] };
    const read = readings({ ...off, at_ms: 1_000 }, { ...off, at_ms: 90_000 });
    expect([Math.floor(read.observation_unknown ?? 0), trippedBy(read, DEFAULT_THRESHOLDS)]).toEqual([18, []]);
  });

  it("what cannot be read is no reading of its rule, and counts as unobserved", () => {
    const blind = readings({ disk_free_percent: null, running: [] });
    expect(hasTripped("disk_free", blind.disk_free, DEFAULT_THRESHOLDS)).toBe(false);
    expect(trippedBy(blind, DEFAULT_THRESHOLDS)).toEqual(["observation_unknown"]);
  });
});
