import { expect, it } from "vitest";
import type { InstanceSpec } from "./protocol.ts";
import { SHARED_PARTS_LIMITS, SharedParts } from "./shared-parts.ts";

const spec = (number: number, config: object = { fast: 2 }): InstanceSpec =>
  structuredClone({
    run_id: `run-${number}`,
    descriptor: { strategy_id: "one", config_schema: { fast: { kind: "integer" } } },
    instruments: [{ instrument_id: "A.SIM" }],
    venue: { venue_id: "SIM", files: [] },
    limits: { capital: "1" },
    config,
    lease: { ttl_ms: 1 },
  }) as unknown as InstanceSpec;

it("[M-3.2.1] instances of one strategy hold one descriptor, and nothing is told differently of them", () => {
  const parts = new SharedParts();
  const first = parts.shared(spec(1));
  const second = parts.shared(spec(2));
  expect(second).toEqual(spec(2));
  expect(second.descriptor).toBe(first.descriptor);
  expect(second.instruments).toBe(first.instruments);
  expect(second.venue).toBe(first.venue);
  expect(second.config).toBe(first.config);
  expect(parts.shared(spec(3, { fast: 3 })).config).toEqual({ fast: 3 });
});

it("remembers a limited number of parts and forgets the oldest", () => {
  const parts = new SharedParts();
  const first = parts.shared(spec(1));
  for (let n = 0; n < SHARED_PARTS_LIMITS.parts; n += 1) parts.shared(spec(n, { fast: n + 10 }));
  const again = parts.shared(spec(1));
  expect(again).toEqual(first);
  expect(again.config).not.toBe(first.config);
});
