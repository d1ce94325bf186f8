/** Measures a call of a tiny metered strategy, for the bench report and the budget test. */
import { openWasmBox } from "./box.ts";
import { ENTRY } from "./rewrite.ts";
import { sampleModule } from "./sample.ts";
import { invariant } from "@rumi/kernel";

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
