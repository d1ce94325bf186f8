/**
 * Whether the fuel of one event fits its deadline on this machine (M-5.2.1).
 *
 * Fuel is what stops a Wasm strategy, and it is fixed in the descriptor so that a replay is exact anywhere. So a machine
 * judges before the start how long that much fuel may take here; a slower machine refuses instead of stopping late.
 */
import type { StrategyDescriptor } from "@rumi/abi";
import type { Failure, Result } from "@rumi/kernel";
import { measureFuelNs } from "@rumi/sandbox";

/** Work that waits for memory takes longer per unit of fuel than the measured loop. */
const SLOWER_THAN_MEASURED = 4;

let measured: Result<number, Failure> | undefined;

/** Of this machine; measured once, and again while it could not be. */
function measuredHere(): Result<number, Failure> {
  if (measured?.ok !== true) measured = measureFuelNs(() => process.hrtime.bigint());
  return measured;
}

/** `null`, or why a call that spends all its fuel would pass its deadline. */
export function deadlineProblem(
  { runtime_kind, resources }: Pick<StrategyDescriptor, "runtime_kind" | "resources">,
  nsPerFuel: () => Result<number, Failure> = measuredHere,
): { readonly reason_code: string; readonly detail: string; readonly failure?: Failure } | null {
  if (runtime_kind !== "rust_wasm") return null;
  const ns = nsPerFuel();
  if (!ns.ok)
    return {
      reason_code: ns.error.reasonCode ?? ns.error.code,
      detail: "the speed of this machine could not be measured",
      failure: ns.error,
    };
  const needed_ms = (resources.fuel_per_event * ns.value * SLOWER_THAN_MEASURED) / 1e6;
  return needed_ms <= resources.event_timeout_ms
    ? null
    : {
        reason_code: "M.ADMISSION.DEADLINE",
        detail: `${resources.fuel_per_event} units of fuel may take ${Math.ceil(needed_ms)} ms here; event_timeout_ms is ${resources.event_timeout_ms}`,
      };
}
