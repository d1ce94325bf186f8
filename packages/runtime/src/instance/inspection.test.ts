/** Sampling is bounded in rate and size, and of a state nothing but plain names leaves. */
import { expect, it } from "vitest";
import { INSPECTION_LIMITS, RowSamples, summariseState } from "./inspection.ts";
import { LATENCY_BOUNDS_MS, LatencyMeter } from "./latency.ts";

it("[M-14.2] at most one sample per interval, and the newest few are kept", () => {
  const samples = new RowSamples();
  for (let ms = 0; ms < 10_000; ms += 1) samples.offer(ms, ms, () => ms * 1_000);
  const kept = samples.list();
  expect(kept).toHaveLength(INSPECTION_LIMITS.samples);
  const rows = kept.map(({ row }) => row);
  expect(rows).toEqual(rows.toSorted((a, b) => a - b));
  expect((rows[1] ?? 0) - (rows[0] ?? 0)).toBe(INSPECTION_LIMITS.sample_every_ms);
  expect(rows.at(-1)).toBe(9_900);
});

it.each([
  ["no JSON", "\u0001\u0002", null, 0],
  ["a list", "[1,2]", null, 0],
  ["cut JSON", '{"a":1', null, 0],
  ["plain names", '{"b":"x","a":{"c":1}}', ["a", "b"], 0],
  ["names of credentials and names that are none", '{"seen":1,"api_key":"k","a b":1,"swordfish-1":2}', ["seen"], 3],
  [
    "more names than are told",
    JSON.stringify(Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`k${100 + at}`, at]))),
    Array.from({ length: 64 }, (_, at) => `k${100 + at}`),
    6,
  ],
])("[M-14.2] a state tells its size, digest and names: %s", (_what, text, keys, keys_withheld) => {
  const summary = summariseState({ version: 3, state: Buffer.from(text) });
  expect(summary).toMatchObject({ schema_version: 3, bytes: Buffer.byteLength(text), keys, keys_withheld });
});

it("[M-14.1] a latency falls into the first bucket that holds it; slower ones count beyond the last", () => {
  const meter = new LatencyMeter();
  expect(meter.quantile(0.95)).toBeNull();
  for (const ms of [0.001, 0.0011, 3, 5_000]) meter.observe(ms);
  expect(meter.buckets()).toEqual([
    ["0.001", 1],
    ["0.0025", 1],
    ["5", 1],
    ["+Inf", 1],
  ]);
  expect([meter.count, meter.quantile(0.5), meter.quantile(0.75), meter.quantile(1)]).toEqual([4, 0.0025, 5, null]);
  expect(LATENCY_BOUNDS_MS).toEqual(LATENCY_BOUNDS_MS.toSorted((a, b) => a - b));
});
