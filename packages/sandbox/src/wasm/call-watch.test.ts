import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import type { TimesOf } from "../own-time.ts";
import { CallMark, createCallWatch, type LateCall, startCallWatchdog } from "./call-watch.ts";

/** A thread that writes what a lane writes around a call, announces itself, and then spins for ever. */
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const { readlinkSync } = require("node:fs");
const { watch } = workerData;
Atomics.store(watch, 3, Number(readlinkSync("/proc/thread-self").split("/").at(-1)));
watch[1] = 7; watch[2] = 50; watch[0] = 1;
parentPort.postMessage("inside");
for (;;);
`;

const workers: Worker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate();
});

async function spinning() {
  const watch = createCallWatch();
  const worker = new Worker(THREAD, { eval: true, workerData: { watch } });
  workers.push(worker);
  await new Promise((resolve) => worker.once("message", resolve));
  return watch;
}
const late = (
  watch: ReturnType<typeof createCallWatch>,
  ms: number,
  more: { readonly timesOf?: TimesOf } = {},
): Promise<LateCall | null> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => {
      stop();
      resolve(null);
    }, ms);
    const stop = startCallWatchdog(watch, {
      every_ms: 5,
      ...more,
      now_ms: () => performance.now(),
      onLate: (found) => {
        clearTimeout(timer);
        resolve(found);
      },
    });
  });

describe("watch over calls", () => {
  it("[M-5.2.1] [M-5.2.7] tells a call that spins past its deadline, and whose it is", async () => {
    expect(await late(await spinning(), 20_000)).toEqual({ slot: 7, deadline_ms: 50 });
  });

  it("[M-5.2.7] condemns nobody for the time that the machine kept it waiting", async () => {
    // It could run all the time and never did; of its wait the kernel tells nothing before it is over.
    const starved = () => ({ ran_ms: 1_000, waited_ms: 5, canRun: true });
    expect(await late(await spinning(), 600, { timesOf: starved })).toBe(null);
  });

  it("[M-5.2.7] a thread that sleeps inside of a call is judged by the clock, less what it waited for a processor", async () => {
    const asleep = () => ({ ran_ms: 0, waited_ms: 0, canRun: false });
    expect(await late(await spinning(), 20_000, { timesOf: asleep })).toEqual({ slot: 7, deadline_ms: 50 });
    const waited = () => ({ ran_ms: 0, waited_ms: performance.now(), canRun: false });
    expect(await late(await spinning(), 600, { timesOf: waited })).toBe(null);
  });

  it("sees no call between two calls, and a new call has a new deadline", async () => {
    const watch = createCallWatch();
    const found: LateCall[] = [];
    let now = 0;
    const stop = startCallWatchdog(watch, {
      every_ms: 1,
      now_ms: () => (now += 1),
      onLate: (one) => found.push(one),
      timesOf: () => null,
    });
    const mark = new CallMark(watch, 3, 20);
    // More looks than the deadline has milliseconds, but none of the calls is seen for so long.
    for (let turn = 0; turn < 60; turn += 1) {
      mark.enterEvent();
      await new Promise((resolve) => setTimeout(resolve, 2));
      mark.leave();
    }
    stop();
    expect(now).toBeGreaterThan(30);
    expect(found).toEqual([]);
  });
});
