/**
 * The Compute side of an instance: a second strategy of the same pack that thinks slowly beside it (M-3.1.2, M-3.2.3).
 *
 * How to think: the side follows the rows that its instance (the lead) has taken, on a thread of low priority, in shadow
 * mode: whatever it wishes to trade is recorded and never executed. Its telemetry hints — a tag and a score, no free
 * text — are its results; each carries the event time of the data it was made from and comes to the lead as a signal,
 * a recorded input. proposal → signal → strategy → gate: there is no shorter way to an order. The lead never waits:
 * progress is two numbers in shared memory, written by one side each.
 *
 * Invariants
 * - The side is never ahead of its lead, so a result never speaks of rows the lead has not seen (side.test.ts).
 * - A result older than its bound never reaches the strategy and is counted (side.test.ts "[M-3.1.2]").
 */
import { join } from "node:path";
import { sha256, type Uuid } from "@rumi/kernel";
import type { MachineInput } from "../instance/input.ts";
import type { PressureLevel } from "../instance/pressure.ts";
import type { InstanceSpec } from "../protocol.ts";
import type { ComputePolicy, ComputeSide } from "./policy.ts";

export const COMPUTE_LIMITS = {
  /** Results of one turn: the newest of each tag, so many tags. */
  tags: 64,
} as const;

/** How far each has come, in rows of the feed they share. */
export const PROGRESS = { lead: 0, side: 1 } as const;
export type Progress = { readonly role: keyof typeof PROGRESS; readonly rows: Int32Array };
export const makeProgress = (): SharedArrayBuffer => new SharedArrayBuffer(8);

/** A result as it travels from the side's lane to the lead's. */
export type ComputeResult = { readonly tag: string; readonly score: number; readonly as_of_us: number };

/** The run id of the side follows from its lead's. */
export function sideRunId(run_id: string): Uuid {
  const hex = Buffer.from(sha256(`rumi-compute-side-1:${run_id}`)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` as Uuid;
}

/** The side as an instance: a shadow beside its lead, its own journal and checkpoints below the lead's directory. */
export function sideSpec(spec: InstanceSpec, side: ComputeSide): InstanceSpec {
  const { compute: _c, breaker: _b, slo: _s, admission: _a, from: _f, ...rest } = spec;
  return {
    ...rest,
    instance_id: `${spec.instance_id}.compute`,
    strategy_id: side.descriptor.strategy_id,
    strategy_version: side.descriptor.strategy_version,
    descriptor: side.descriptor,
    config: side.config,
    run_id: sideRunId(spec.run_id),
    run_dir: join(spec.run_dir, "compute"),
    mode: "shadow",
  };
}

export function resultInput({ tag, score, as_of_us }: ComputeResult, { staleness_us }: ComputeSide): MachineInput {
  return {
    input: "signal",
    signal: { source: "compute", tag, score, as_of_us },
    actor: "compute",
    as_of_us,
    stale_after_us: staleness_us,
  };
}

const LEVEL: Readonly<Record<ComputePolicy, PressureLevel>> = { noop: "noop", simple: "none", stop: "cancel" };
const REASON: Readonly<Record<ComputePolicy, string>> = {
  noop: "M.COMPUTE.NOOP",
  simple: "M.COMPUTE.SIMPLE",
  stop: "M.COMPUTE.STOP",
};

/** What the lead records when its side falls behind. */
export function behindInputs({ when_behind }: ComputeSide, lag_us: number): readonly MachineInput[] {
  return changed(LEVEL[when_behind], REASON[when_behind], lag_us, when_behind === "simple" ? "behind" : null);
}

/** And when it has caught up. */
export function caughtUpInputs({ when_behind }: ComputeSide, lag_us: number): readonly MachineInput[] {
  return changed("none", "M.COMPUTE.CAUGHT_UP", lag_us, when_behind === "simple" ? "caught_up" : null);
}

/** That its side's thread died, on the lead's record; a strategy that hears signals may do what it likes with it. */
export function lostInput(restart_in_ms: number, losses: number): MachineInput {
  return {
    input: "signal",
    signal: { source: "runtime", compute: "lost", reason_code: "M.COMPUTE.LOST", restart_in_ms, losses },
    actor: "runtime",
  };
}

function changed(
  level: PressureLevel,
  reason_code: string,
  lag_us: number,
  told: "behind" | "caught_up" | null,
): readonly MachineInput[] {
  const pressure: MachineInput = { input: "pressure", source: "compute", level, reason_code, measured: { lag_us } };
  return told === null
    ? [pressure]
    : [pressure, { input: "signal", signal: { source: "runtime", compute: told }, actor: "runtime" }];
}
