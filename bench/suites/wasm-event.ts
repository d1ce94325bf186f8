/** One call into a rewritten, metered Wasm strategy: the price of the box itself. */
import { measureWasmCall } from "@rumi/sandbox";
import { measured, type Measured } from "../measure.ts";

const RUNS = 5;

export function wasmEventSuite(): readonly Measured[] {
  const runs = Array.from({ length: RUNS }, () => measureWasmCall(() => process.hrtime.bigint()).ns_per_call);
  return [measured("wasm_event_ns", "ns", runs)];
}
