import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { ownThread, threadTimes } from "@rumi/sandbox";
import { expect, it } from "vitest";
import { CpuMeter, kernelAccount } from "./cpu-time.ts";

it.each([
  // slices by the clock, on a processor, waiting for one → what is counted
  [800, 800, 0, 800],
  [800, 40, 760, 40],
  [100, 900, 900, 50],
  [100, 0, 900, 0],
  [100, 30, 0, 30],
])("[M-3.3.1] of %i ms of slices, with %i ms on a processor and %i ms in the queue for one, %i count", (...row) => {
  const [slices, ran_ms, waited_ms, counted] = row;
  let account = { ran_ms: 5_000, waited_ms: 7_000 };
  const meter = new CpuMeter({}, () => account);
  account = { ran_ms: 5_000 + ran_ms, waited_ms: 7_000 + waited_ms };
  expect(meter.window(slices)).toBeCloseTo(counted, 6);
  expect(meter.window(slices), "nothing is counted twice").toBe(0);
});

it("[M-3.3.1] where nobody tells, all time counts; another process has spent all that it has spent", () => {
  expect(new CpuMeter({}).window(70)).toBe(70);
  let spent: { pid: number; ms: number } | null = { pid: 1, ms: 900 };
  const meter = new CpuMeter({ cpu: () => spent });
  spent = { pid: 1, ms: 950 };
  expect(meter.window(1_000)).toBe(50);
  spent = { pid: 2, ms: 30 };
  expect(meter.window(1_000)).toBe(30);
  spent = null;
  expect(meter.window(20)).toBe(20);
});

/** Works, and does nothing else, for so long by the clock. */
function work(ms: number): number {
  const began = performance.now();
  while (performance.now() - began < ms);
  return performance.now() - began;
}

it("[M-3.3.1] the kernel's own word: a thread that shares one processor with four burners counts what it ran", async () => {
  const thread = String(ownThread());
  const pin = (cpus: string): string => execFileSync("taskset", ["-cp", cpus, thread], { encoding: "utf8" });
  const before = /list: ([\d,-]+)/.exec(execFileSync("taskset", ["-cp", thread], { encoding: "utf8" }))?.[1] ?? "0";
  const [cpu = "0"] = before.split(/[,-]/);
  const burners = Array.from({ length: 4 }, () => spawn("taskset", ["-c", cpu, "sh", "-c", "while :; do :; done"]));
  try {
    await Promise.all(burners.map((burner) => once(burner, "spawn")));
    pin(cpu);
    const meter = new CpuMeter(
      {},
      kernelAccount(() => performance.now()),
    );
    const from = threadTimes(ownThread())?.ran_ms ?? 0;
    const slices = work(1_000);
    const counted = meter.window(slices);
    const ran = (threadTimes(ownThread())?.ran_ms ?? 0) - from;
    expect(counted).toBeGreaterThan(0);
    expect(counted).toBeLessThan(slices * 0.7);
    expect(Math.abs(counted - ran)).toBeLessThan(0.15 * slices);
  } finally {
    for (const burner of burners) burner.kill("SIGKILL");
    pin(before);
  }
});
