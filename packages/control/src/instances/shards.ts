/**
 * Which instances a bot has (M-2.2.1). Pure.
 *
 * A strategy whose descriptor says `sharded` and that trades several instruments runs once for each of them, as
 * `VENUE/MARKET/SYMBOL`: with its own configuration (the bot's, overridden by `shard_config`), an equal part of the
 * capital and of the stop conditions, its own run, lease, checkpoints and health. Anything else is one instance, `main`. A shadow (updates/) is an
 * instance beside another one and never one of the bot's own.
 */
import { MONEY_DIGITS, type StrategyDescriptor } from "@rumi/abi";
import { err, failure, formatDecimal, ok, type Failure, type JsonObject, type Result } from "@rumi/kernel";
import type { StopConditions } from "@rumi/runtime";
import { shareOf } from "../risk/stops.ts";
import { judgeConfig, type BotSpec } from "../bots/model.ts";

export const MAIN_INSTANCE = "main";
const SHADOW_MARK = "~shadow";

export const shadowOf = (instance_id: string): string => `${instance_id}${SHADOW_MARK}`;
export const isShadow = ({ instance_id }: { readonly instance_id: string }): boolean =>
  instance_id.endsWith(SHADOW_MARK);

export type Shard = {
  readonly instance_id: string;
  readonly instruments: readonly string[];
  readonly config: JsonObject;
  readonly capital: string;
  readonly stop_conditions?: StopConditions;
};
type Sharded = Pick<BotSpec, "venue" | "instruments" | "config" | "capital" | "shard_config" | "stop_conditions">;

/** Names of a bot's own instances, in the order of its instruments. */
export function instanceIdsOf(
  spec: Pick<Sharded, "venue" | "instruments">,
  descriptor: Pick<StrategyDescriptor, "instance_model">,
): readonly string[] {
  if (descriptor.instance_model !== "sharded" || spec.instruments.length < 2) return [MAIN_INSTANCE];
  return spec.instruments.map((id) => {
    const [symbol = "", market = ""] = id.split(".");
    return `${spec.venue}/${market}/${symbol}`;
  });
}

/** Instances that a refusal names. */
const SHARDS_NAMED = 8;

/** What an instance runs with: its shard's configuration, a shadow its primary's. */
export function configFor(shards: readonly Shard[], instance_id: string): JsonObject | undefined {
  return shards.find((one) => one.instance_id === instance_id || shadowOf(one.instance_id) === instance_id)?.config;
}

/** Each with its whole configuration, validated; RUMI-BOT-004 names the first that does not fit, or that is unknown. */
export function shardsOf(
  spec: Sharded,
  descriptor: Pick<StrategyDescriptor, "instance_model" | "config_schema">,
): Result<readonly Shard[], Failure> {
  const ids = instanceIdsOf(spec, descriptor);
  const [first = MAIN_INSTANCE] = ids;
  const isOne = ids.length === 1 && first === MAIN_INSTANCE;
  const capital = isOne ? spec.capital : part(spec.capital, ids.length);
  const unknown = Object.keys(spec.shard_config ?? {}).find((id) => !ids.includes(id));
  if (unknown !== undefined)
    return err(
      failure("RUMI-BOT-004", {
        field: `shard_config.${unknown}`,
        problem: `is no instance of this bot (${ids.slice(0, SHARDS_NAMED).join(", ")})`,
      }),
    );
  const shards: Shard[] = [];
  for (const [at, instance_id] of ids.entries()) {
    const over = spec.shard_config?.[instance_id] as JsonObject | undefined;
    const config = judgeConfig(descriptor, over === undefined ? spec.config : { ...spec.config, ...over });
    if (!config.ok) return config;
    shards.push({
      instance_id,
      instruments: isOne ? spec.instruments : spec.instruments.slice(at, at + 1),
      config: config.value,
      capital,
      ...(spec.stop_conditions === undefined ? {} : { stop_conditions: shareOf(spec.stop_conditions, ids.length) }),
    });
  }
  return ok(shards);
}

/** Rounded down, so that the parts never exceed the whole. */
function part(capital: string, of: number): string {
  const [whole = "0", fraction = ""] = capital.split(".");
  const scaled = BigInt(`${whole}${fraction.padEnd(MONEY_DIGITS, "0")}`) / BigInt(of);
  return formatDecimal(scaled, MONEY_DIGITS);
}
