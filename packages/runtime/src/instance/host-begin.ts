/** How a machine gets its first state: init, a checkpoint of its own run, or the state of another run. */
import { type Failure, failure } from "@rumi/kernel";
import type { Checkpoint } from "../checkpoint/format.ts";
import type { HostOptions } from "./host-options.ts";
import { HEALTHY } from "./health.ts";
import { refusedInit } from "./host-status.ts";
import type { InstanceMachine } from "./machine.ts";
import { countersStart, type MachineState } from "./state.ts";

export type BeginOptions = Pick<HostOptions, "venue"> & {
  readonly spec: Pick<HostOptions["spec"], "run_dir" | "config" | "descriptor">;
};

/** `null`, or why the run cannot begin. Another run's state begins healthy, counts anew and has this run's own configuration. */
export function beginMachine(machine: InstanceMachine, of: BeginOptions, origin: Checkpoint | null): Failure | null {
  if (origin === null) {
    const refused = machine.init();
    return refused === null ? null : refusedInit(refused);
  }
  // What waited for approval waited in that run, under that run's policy.
  const { staged: _staged, ...saved } = origin.header.machine as unknown as MachineState;
  return restoreMachine(machine, of, origin, {
    ...saved,
    health: HEALTHY,
    last_fault: null,
    feed_ended: false,
    config: of.spec.config,
    counters: countersStart(),
  });
}

/** `null`, or why the checkpoint cannot be continued from. */
export function restoreMachine(
  machine: InstanceMachine,
  { spec, venue }: BeginOptions,
  checkpoint: Checkpoint,
  state: MachineState,
): Failure | null {
  try {
    venue.restore(checkpoint.venue);
  } catch (cause) {
    return failure(
      "RUMI-STR-023",
      { path: spec.run_dir, problem: "the venue's state is refused" },
      { reasonCode: "M.STATE.CORRUPT", cause },
    );
  }
  const refused = machine.restore(state, checkpoint.strategy);
  if (refused?.reason_code === "M.STATE.INCOMPATIBLE")
    return failure(
      "RUMI-STR-024",
      { found: checkpoint.header.state_schema_version, wanted: spec.descriptor.state_schema_version },
      { reasonCode: refused.reason_code },
    );
  return refused === null ? null : refusedInit(refused);
}
