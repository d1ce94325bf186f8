/** Another strategy of a verified pack. */
import type { StrategyDescriptor } from "@rumi/abi";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { VerifiedStrategy } from "@rumi/platform";
import type { BotSpec } from "../bots/model.ts";

export function siblingOf(
  { manifest }: VerifiedStrategy,
  wished: { readonly strategy_id: string; readonly strategy_version: string },
): StrategyDescriptor | undefined {
  return manifest.strategies.find(
    (one) => one.strategy_id === wished.strategy_id && one.strategy_version === wished.strategy_version,
  );
}

/** A Compute side is in the same pack and made for the Compute lane. */
export function judgeCompute(spec: BotSpec, strategy: VerifiedStrategy): Result<null, Failure> {
  const wished = spec.degradation?.compute;
  if (wished === undefined) return ok(null);
  const found = siblingOf(strategy, wished);
  if (found?.capabilities.lane === "compute") return ok(null);
  const problem = found === undefined ? "the pack has no such strategy" : "it is not made for the Compute lane";
  return err(
    failure(
      "RUMI-BOT-004",
      { field: "degradation.compute.strategy_id", problem },
      { reasonCode: "M.LANE.SIDE_NOT_COMPUTE" },
    ),
  );
}
