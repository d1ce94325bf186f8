/** What a bot says of its Compute side (side.ts does it). */
import type { StrategyDescriptor } from "@rumi/abi";
import type { JsonObject } from "@rumi/kernel";

/** What the lead does while its Compute side is behind: keep still, go on simpler (it is told), or cancel and keep still. */
export const COMPUTE_POLICIES = ["noop", "simple", "stop"] as const;
export type ComputePolicy = (typeof COMPUTE_POLICIES)[number];

export type ComputeSide = {
  /** Lane `compute`, of the same pack. */
  readonly descriptor: StrategyDescriptor;
  readonly config: JsonObject;
  /** Event time: older results are thrown away, and a side that lags further is behind. */
  readonly staleness_us: number;
  readonly when_behind: ComputePolicy;
};
