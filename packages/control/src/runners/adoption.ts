/** Which runs a runner that dials in may go on with, and what becomes free when one is proven gone. */
import type { InstanceStatus } from "@rumi/runtime";
import { readLease, releaseLeaseWrite, type Store } from "@rumi/store";
import { resource } from "../instances/observe.ts";
import { readInstance, readOpenInstances, updateInstance } from "../instances/tables.ts";
import { keyOf, type Recorder } from "./recorder.ts";

/** [M-7.1.3] The lease row is the only judge: same run, same epoch, same holder, and wanted. */
export async function mayAdopt(store: Store, runner_id: string, status: InstanceStatus): Promise<boolean> {
  const instance = await readInstance(store, store, status);
  const lease = await readLease(store, store, status);
  return (
    instance !== undefined &&
    lease !== undefined &&
    instance.run_id === status.run_id &&
    lease.holder === runner_id &&
    lease.epoch === status.epoch
  );
}

/** After proof of exit the dead runner's leases are free at once; nobody has to wait for their end. */
export async function releaseLeasesOf(
  recorder: Recorder,
  store: Store,
  runner_id: string,
  now: number,
  settled: Set<string>,
): Promise<void> {
  for (const instance of await readOpenInstances(store, store)) {
    if (instance.holder !== runner_id) continue;
    settled.add(instance.run_id);
    const release = {
      ...releaseLeaseWrite(store, { ...keyOf(instance), holder: runner_id, epoch: instance.epoch }),
      expect: "any" as const,
    };
    const event = {
      action: "lease.released",
      ...resource(instance),
      outcome: "SUCCESS" as const,
      details: { holder: null, previous_holder: runner_id, epoch: instance.epoch },
    };
    await recorder.commit("system:runners", [release, updateInstance(store, instance, {}, now)], [event], {
      run_id: instance.run_id,
      trace_id: instance.trace_id,
    });
  }
}
