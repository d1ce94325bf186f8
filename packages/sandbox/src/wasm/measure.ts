/** Measures a call of a tiny metered strategy, for the bench report and the budget test. */
import { openWasmBox, type WasmBox } from "./box.ts";
import { ENTRY } from "./rewrite.ts";
import { sampleModule } from "./sample.ts";
import { type Failure, invariant, ok, type Result } from "@rumi/kernel";

export type WasmCallMeasurement = {
  readonly calls: number;
  readonly ns_per_call: number;
  readonly fuel_per_call: number;
};

/** `now_ns` is a monotonic clock in nanoseconds. */
export function measureWasmCall(now_ns: () => bigint, calls = 2_000_000): WasmCallMeasurement {
  const opened = openWasmBox({ bytes: sampleModule(), memory_bytes: 1_048_576, fuel_per_call: 100_000 });
  invariant(opened.ok, "the sample module is accepted");
  const box = opened.value;
  const input = box.inputPointer(64) / 8;
  const { on_event } = ENTRY;
  const run = (count: number): void => {
    for (let i = 0; i < count; i += 1) {
      box.f64[input] = i;
      box.call(on_event, 64);
    }
  };
  run(100_000);
  const start = now_ns();
  run(calls);
  return { calls, ns_per_call: Number(now_ns() - start) / calls, fuel_per_call: box.fuelUsed() };
}

/** loop { memory[0] += 1; br 0 }: it never ends by itself. */
const SPIN = [0x03, 0x40, 0x41, 0, 0x41, 0, 0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0, 0x0c, 0, 0x0b, 0x00];

/** A box whose event callback never ends, for measurements. RUMI-STR-057 where there is no room for it. */
export function openSpinningBox(fuel_per_call: number): Result<WasmBox, Failure> {
  const bytes = sampleModule({ functions: { rumi_on_event: { code: SPIN } } });
  return openWasmBox({ bytes, memory_bytes: 131_072, fuel_per_call });
}

/** A box whose event callback adds two numbers, for measurements. */
export function openQuietBox(fuel_per_call: number): Result<WasmBox, Failure> {
  return openWasmBox({ bytes: sampleModule(), memory_bytes: 131_072, fuel_per_call });
}

/** What one unit of fuel takes here, nanoseconds: the quickest of a few runs of a loop that loads, adds and stores. RUMI-STR-057. */
export function measureFuelNs(now_ns: () => bigint, fuel = 2_000_000): Result<number, Failure> {
  const opened = openSpinningBox(fuel);
  if (!opened.ok) return opened;
  let quickest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run += 1) {
    const start = now_ns();
    opened.value.call(ENTRY.on_event, 0);
    quickest = Math.min(quickest, Number(now_ns() - start));
    invariant(opened.value.lastFault()?.kind === "fuel", "the loop spends all its fuel");
    if (opened.value.reset() !== null) break;
  }
  return ok(quickest / fuel);
}
