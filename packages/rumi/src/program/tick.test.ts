import { systemClock } from "@rumi/kernel";
import { createLogger } from "@rumi/operations";
import { expect, it } from "vitest";
import { startTicker } from "./tick.ts";

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
