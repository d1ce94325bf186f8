import { ok } from "@rumi/kernel";
import { expect, it } from "vitest";
import { spec, thinker } from "../../test/support.ts";
import { sideRunId } from "../compute/side.ts";
import type { InstanceSpec, InstanceStatus } from "../protocol.ts";
import { COMPANION_LIMITS, Companions } from "./companions.ts";

/** Lanes that only count, and timers that wait for the test. */
function scene() {
  let now = 0;
  const begun: number[] = [];
  const inputs: unknown[] = [];
  const waiting = new Set<{ at: number; act: () => void }>();
  const companions = new Companions({
    begin: async () => {
      begun.push(now);
      return ok({} as InstanceStatus);
    },
    input: async (_run_id, input) => {
      inputs.push(input);
      return ok({} as InstanceStatus);
    },
    log: () => undefined,
    monotonic: () => now,
    timers: {
      after: (duration_ms, act) => {
        const one = { at: now + duration_ms, act };
        waiting.add(one);
        return () => waiting.delete(one);
      },
    },
  });
  const pass = (ms: number): void => {
    const until = now + ms;
    for (;;) {
      const next = [...waiting].filter((one) => one.at <= until).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      now = next.at;
      waiting.delete(next);
      next.act();
    }
    now = until;
  };
  const lead: InstanceSpec = {
    ...spec("/nowhere"),
    compute: { descriptor: thinker("compute"), config: {}, staleness_us: 1, when_behind: "noop" },
  };
  return { companions, begun, inputs, pass, lead, side: sideRunId(lead.run_id), now: () => now };
}
const progress = { role: "lead", rows: new SharedArrayBuffer(8) } as const;

it("[M-3.2.1] a side whose thread died begins again, each time after twice the wait, and its lead's record says so", async () => {
  const { companions, begun, inputs, pass, lead, side, now } = scene();
  await companions.begin(lead, 3, progress);
  expect(begun).toEqual([0]);
  const waits: number[] = [];
  for (let loss = 0; loss < 4; loss += 1) {
    const at = now();
    companions.lost(["another run", side]);
    pass(10_000);
    waits.push((begun.at(-1) ?? 0) - at);
  }
  expect(begun).toHaveLength(5);
  expect(waits).toEqual([500, 1_000, 2_000, 4_000]);
  expect(inputs[0]).toMatchObject({
    input: "signal",
    signal: { compute: "lost", reason_code: "M.COMPUTE.LOST", restart_in_ms: 500, losses: 1 },
  });
});

it("[M-3.2.1] a side that lived well begins with the shortest wait again, and the longest wait has a limit", async () => {
  const { companions, begun, pass, lead, side, now } = scene();
  await companions.begin(lead, 3, progress);
  for (let loss = 0; loss < 12; loss += 1) {
    // Lost as soon as it lives: it never does well.
    companions.lost([side]);
    const at = now();
    while (begun.length < loss + 2) pass(500);
    expect(now() - at).toBeLessThanOrEqual(COMPANION_LIMITS.restart_max_ms);
  }
  pass(COMPANION_LIMITS.well_ms);
  const at = now();
  companions.lost([side]);
  pass(COMPANION_LIMITS.restart_ms);
  expect(begun.at(-1)).toBe(at + COMPANION_LIMITS.restart_ms);
});

it("[M-3.2.1] no side begins again after its lead has ended, or the runner", async () => {
  for (const end of ["forget", "close"] as const) {
    const { companions, begun, pass, lead, side } = scene();
    await companions.begin(lead, 3, progress);
    companions.lost([side]);
    if (end === "forget") companions.forget(side);
    else companions.close();
    pass(COMPANION_LIMITS.restart_max_ms * 2);
    expect(begun).toHaveLength(1);
    expect(companions.sideOf(lead.run_id)).toBeUndefined();
  }
});
