/**
 * Whether a strategy can begin with the state that is there (M-6.2.3): tried, not asked. The newest checkpoint of the
 * earlier run goes through the real migration hook into a real `on_init`; whatever does not come through is refused here,
 * before anything that runs is touched.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StrategyDescriptor } from "@rumi/abi";
import { invariant } from "@rumi/kernel";
import { type Checkpoint, decodeCheckpoint } from "../checkpoint/format.ts";
import { newestSlot } from "../checkpoint/slots.ts";
import { HEALTHY } from "../instance/health.ts";
import type { MachineState } from "../instance/state.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { AdmissionRequest } from "./request.ts";
import type { SmokeProblem } from "./probe.ts";
import { admissionMachine } from "./smoke.ts";
import { syntheticFeed } from "./synthetic.ts";

/** Only a state of another run (`from`) needs the strategy. */
export function savedStateProblem(
  request: AdmissionRequest & { readonly descriptor: StrategyDescriptor },
  strategy: Strategy | null,
): SmokeProblem | null {
  const { descriptor, from } = request;
  const wanted = descriptor.state_schema_version;
  const checkpoint = from === undefined ? null : newestOf(from.run_dir);
  const saved = checkpoint?.header.state_schema_version ?? request.saved_state_version ?? wanted;
  if (saved > wanted)
    return {
      reason_code: "M.STATE.INCOMPATIBLE",
      detail: `saved state has version ${saved}, the strategy ${wanted}`,
    };
  if (checkpoint === null)
    return from === undefined
      ? null
      : { reason_code: "M.STATE.CORRUPT", detail: "no sound checkpoint of the earlier run is left" };
  invariant(strategy !== null, "an earlier run's state is tried in a strategy");
  const broken = strategy.reset();
  if (broken !== null) return { reason_code: broken.reason_code, detail: broken.detail };
  const feed = syntheticFeed(request.instruments, descriptor.capabilities.subscribe, 1);
  const machine = admissionMachine(request, strategy, feed, () => undefined);
  if (machine === null)
    return { reason_code: "M.ADMISSION.INSTRUMENTS", detail: "the instruments cannot be simulated" };
  const state = checkpoint.header.machine as unknown as MachineState;
  if (state.last_prices.length !== request.instruments.length)
    return { reason_code: "M.STATE.INCOMPATIBLE", detail: "the earlier run had other instruments" };
  const refused = machine.restore({ ...state, health: HEALTHY, config: request.config }, checkpoint.strategy);
  return refused === null
    ? null
    : { reason_code: refused.reason_code, detail: `from version ${saved}: ${refused.detail}` };
}

function newestOf(run_dir: string): Checkpoint | null {
  const path = newestSlot(join(run_dir, "checkpoints"));
  const decoded = path === undefined ? "none" : decodeCheckpoint(readFileSync(path));
  return typeof decoded === "string" ? null : decoded;
}
