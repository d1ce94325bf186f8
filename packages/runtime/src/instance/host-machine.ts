/** The deterministic machine as its host's options want it. */
import { clientOrderId } from "@rumi/abi";
import { PROGRESS } from "../compute/side.ts";
import type { Identity } from "./entry.ts";
import { gateContextOf } from "./gate-context.ts";
import type { HostOptions } from "./host-options.ts";
import type { JsonObject } from "@rumi/kernel";
import type { MachineInput } from "./input.ts";
import { InstanceMachine } from "./machine.ts";
import type { MachineOptions } from "./machine-options.ts";
import type { RunRecorder } from "./recorder.ts";

export type MachineParts = Pick<HostOptions, "feed" | "strategy" | "venue"> & {
  readonly spec: Omit<HostOptions["spec"], "epoch" | "start" | "begin" | "from" | "lease" | "pack_dir" | "run_dir">;
};

/** Of `recorder`, only what a replay has too. `config` is what the run was begun with. */
export function machineOf(
  { spec, feed, strategy, venue }: MachineParts,
  recorder: Pick<RunRecorder, "record" | "epochInForce">,
  config: JsonObject,
  tellsRefused: boolean,
  reach: Reach = {},
): InstanceMachine {
  const identity: Identity = {
    bot_id: spec.bot_id,
    strategy_id: spec.strategy_id,
    strategy_version: spec.strategy_version,
    instance_id: spec.instance_id,
    run_id: spec.run_id,
  };
  const { resources, capabilities, state_schema_version } = spec.descriptor;
  const { environment } = spec;
  return new InstanceMachine(
    {
      identity,
      traceId: spec.trace_id,
      mode: spec.mode,
      seed: spec.seed,
      instruments: spec.instruments,
      feed,
      strategy,
      venue,
      gate: gateContextOf(spec),
      tellsRefused,
      subscribe: capabilities.subscribe,
      stateBytesMax: resources.state_bytes,
      stateSchemaVersion: state_schema_version,
      logBytesPerSecond: resources.log_bytes_per_second,
      logBytesPerRun: resources.log_bytes_per_run,
      record: (entry) => recorder.record(entry),
      lane: capabilities.lane,
      services: capabilities.services ?? [],
      ...(spec.staging === undefined ? {} : { staging: { policy: spec.staging, epoch: () => recorder.epochInForce } }),
      ...reach,
      orderId: (key) => clientOrderId({ environment, ...identity, epoch: recorder.epochInForce, idempotency_key: key }),
    },
    config,
  );
}

/** How far it reaches beyond its venue while it lives; a replay reaches nowhere. */
type Reach = Pick<MachineOptions, "onHint" | "onService">;
export function reachOf(
  { onResult, services }: HostOptions,
  recorder: RunRecorder,
  hear: (input: MachineInput) => unknown,
): Reach {
  return {
    ...(onResult === undefined
      ? {}
      : {
          onHint: (tag, score, as_of_us) => {
            if (recorder.live) onResult({ tag, score, as_of_us });
          },
        }),
    ...(services === undefined
      ? {}
      : {
          onService: (request) => {
            if (recorder.live) void services.ask(request).then(hear);
          },
        }),
  };
}

/** Of a Compute side: how many rows its lead has taken. */
export function leadOf({ progress }: HostOptions): (() => number) | undefined {
  return progress?.role === "side" ? () => Atomics.load(progress.rows, PROGRESS.lead) : undefined;
}
