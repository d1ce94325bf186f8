/** Measures what the fuel of a script takes on this machine. */
import { type Failure, invariant, ok, type Result } from "@rumi/kernel";
import { openQuickJsBox } from "./box.ts";

/** A call of about half a million units: loads, additions, stores, a loop. */
const SAMPLE = `globalThis.rumi_strategy = () => {
  const memory = new Array(1024).fill(1);
  return () => { for (let i = 0, n = 0; n < 500; n += 1, i = (i + 7) % 1024) memory[i] += i; return 0; };
};`;
/** The engine's code is slow until the host has compiled it for good; the quickest of many short runs is neither that nor the load's. */
const RUNS = 200;

/** What one unit takes in an engine that has run for a while, nanoseconds. RUMI-STR-057. */
export function measureScriptFuelNs(now_ns: () => bigint): Result<number, Failure> {
  const opened = openQuickJsBox({ source: Buffer.from(SAMPLE), memory_bytes: 33_554_432, fuel_per_call: 10_000_000 });
  if (!opened.ok) return opened;
  const box = opened.value;
  let quickest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run += 1) {
    const start = now_ns();
    const answer = box.call(2, 0);
    quickest = Math.min(quickest, Number(now_ns() - start) / box.fuelUsed());
    invariant(answer === 0, "the sample answers");
  }
  return ok(quickest);
}
