import { systemClock, type Clock, type Millis } from "@rumi/kernel";
import { createLogger } from "@rumi/operations";
import { expect, it } from "vitest";
import { REST_MOST_MS, startTicker } from "./tick.ts";

it("[L-44] a lane whose round takes long holds up no other, and a fault in one reconciler none behind it", async () => {
  const clock = systemClock();
  const lines: string[] = [];
  const logger = createLogger({ level: "INFO", format: "json", clock, sink: (line) => lines.push(line) });
  let locks = 0;
  let bulks = 0;
  let release: () => void = () => undefined;
  const faulty = { name: "faulty", run: () => Promise.reject(new Error("broken")) };
  const lock = { name: "locks", run: () => Promise.resolve(void (locks += 1)) };
  const bulk = {
    name: "bulk",
    run: async () => {
      bulks += 1;
      if (bulks === 2) await new Promise<void>((resolve) => (release = resolve));
    },
  };
  const ticker = startTicker([[faulty, lock], [bulk]], { clock, logger });
  await ticker.round();
  expect(locks).toBeGreaterThan(0);
  await expect.poll(() => bulks, { timeout: 10_000 }).toBe(2);
  for (let i = 0; i < 3; i += 1) {
    const before = locks;
    ticker.nudge();
    await expect.poll(() => locks, { timeout: 10_000 }).toBeGreaterThan(before);
  }
  expect(bulks).toBe(2);
  release();
  await ticker.close();
  expect(lines.join("\n")).toContain('"reconciler": "faulty"');
});

it("[L-44] where nudges do not end, a lane rests four times as long as it looked, and never longer than a stop may wait", async () => {
  const real = systemClock();
  const logger = createLogger({ level: "INFO", format: "json", clock: real, sink: () => undefined });
  let time = 0;
  let took = 10;
  const rests: number[] = [];
  // Time passes in rounds and rests alone.
  const clock: Clock = {
    now: () => real.now(),
    monotonic: () => time as Millis,
    sleep: async (ms, signal) => {
      if (ms >= 1_000) return real.sleep(ms, signal);
      rests.push(ms);
      time += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const looks = {
    name: "looks",
    run: () => {
      time += took;
      setImmediate(() => ticker.nudge());
      return Promise.resolve();
    },
  };
  const ticker = startTicker([[looks]], { clock, logger });
  const resting = async (round_ms: number): Promise<ReadonlySet<number>> => {
    took = round_ms;
    const seen = rests.length + 1; // one round may have begun with what it took before
    await expect.poll(() => rests.length, { timeout: 10_000 }).toBeGreaterThan(seen + 5);
    return new Set(rests.slice(seen + 1, seen + 5));
  };
  await ticker.round();
  expect(await resting(10)).toEqual(new Set([40]));
  expect(await resting(60)).toEqual(new Set([REST_MOST_MS]));
  expect(await resting(0)).toEqual(new Set([5]));
  expect(REST_MOST_MS).toBeLessThanOrEqual(100);
  await ticker.close();
});
