import { describe, expect, it } from "vitest";
import { LatencyHistogram } from "./histogram.ts";
import { afterWindow, type Slo, SLO_LIMITS, type SloMeasured, SLO_START, type SloState } from "./slo.ts";

const SLO: Slo = { p95_latency_us: 1_000, drop_rate_ppm: 10_000, cpu_seconds_per_minute: 6 };
const FINE: SloMeasured = { events: 100, p95_latency_us: 100, drop_rate_ppm: 0, cpu_seconds_per_minute: 1 };
const after = (from: SloState, count: number, measured: Partial<SloMeasured>): SloState => {
  let state = from;
  for (let n = 0; n < count; n += 1) state = afterWindow(state, SLO, { ...FINE, ...measured });
  return state;
};

describe("service level", () => {
  it.each([
    ["p95_latency_us", 1_001, "LATENCY"],
    ["drop_rate_ppm", 10_001, "DROPS"],
    ["cpu_seconds_per_minute", 6.1, "CPU"],
  ] as const)("[M-3.3.2] a broken %s walks adjust → degrade → halt, each with its reason", (measure, value, word) => {
    const { bad_windows } = SLO_LIMITS;
    const slow = { [measure]: value };
    expect(after(SLO_START, bad_windows - 1, slow)).toMatchObject({ level: "none" });
    for (const [steps, level] of [
      [1, "adjust"],
      [2, "degrade"],
      [3, "halt"],
      [9, "halt"],
    ] as const) {
      const expected = { level, reason_code: `M.SLO.${word}_${level.toUpperCase()}` };
      expect(after(SLO_START, steps * bad_windows, slow)).toMatchObject(expected);
    }
  });
  it("[M-3.3.2] good windows lead back one step at a time; the edge of the promise moves nothing; a halt stays", () => {
    const { bad_windows, good_windows } = SLO_LIMITS;
    const degraded = after(SLO_START, 2 * bad_windows, { p95_latency_us: 5_000 });
    expect(after(degraded, good_windows - 1, {}).level).toBe("degrade");
    expect(after(degraded, good_windows, {})).toMatchObject({ level: "adjust", reason_code: "M.SLO.RECOVERED" });
    expect(after(degraded, 2 * good_windows, {}).level).toBe("none");
    expect(after(degraded, 1_000, { p95_latency_us: 900 }).level, "inside, not well inside").toBe("degrade");
    const halted = after(degraded, bad_windows, { p95_latency_us: 5_000 });
    expect(after(halted, 1_000, {}).level).toBe("halt");
  });
  it("[M-3.3.1] a window with few events says nothing of latency, and a good window between two bad ones begins anew", () => {
    expect(after(SLO_START, 1_000, { events: SLO_LIMITS.events_least - 1, p95_latency_us: 1e6 }).level).toBe("none");
    let state = SLO_START;
    for (let n = 0; n < 50; n += 1)
      state = after(after(state, SLO_LIMITS.bad_windows - 1, { p95_latency_us: 5e3 }), 1, {});
    expect(state.level).toBe("none");
  });
});

it("[M-3.3.1] percentiles of a histogram are within an eighth of the true ones", () => {
  const histogram = new LatencyHistogram();
  expect(histogram.percentile(0.95)).toBe(0);
  for (let us = 1; us <= 10_000; us += 1) histogram.add(us, 1);
  for (const share of [0.01, 0.5, 0.95, 0.99, 1]) {
    const found = histogram.percentile(share);
    expect(found).toBeGreaterThanOrEqual(share * 10_000 - 1);
    expect(found).toBeLessThanOrEqual(share * 10_000 * 1.125 + 1);
  }
  histogram.add(1e15, 1);
  expect(histogram.percentile(1)).toBeGreaterThan(1e9);
  histogram.clear();
  expect(histogram.total).toBe(0);
});
