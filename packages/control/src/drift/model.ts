/**
 * Drift: where what is there differs from what was decided, and what is done about each kind of it (L-N5, L-N6). Pure.
 *
 * How to think: a bot's versions are what was decided; each was made by an operation, with its event. The bot's row, its
 * instances' rows, what a runner says it runs with, and the bytes on disk are what is there. A difference is repaired by
 * putting back what was decided, or the bot is quarantined, by the rule of its class. A rule may be changed within the
 * bounds that stand here and nowhere else: nothing can be made to be ignored.
 *
 * Invariants (drift.test.ts)
 * - What was decided is never changed to fit what is there.
 * - More bots than the brake's share are never changed at once without a person; a stop of what should not run always is.
 */
import { canonicalJson, digestOf, type JsonObject } from "@rumi/kernel";
import type { InstanceStatus } from "@rumi/runtime";
import type { BotSpec } from "../bots/model.ts";
import type { BotRow, BotVersionRow } from "../bots/tables.ts";
import { isShadow, shardsOf, type Shard } from "../instances/shards.ts";
import type { InstanceRow, StartSpec } from "../instances/tables.ts";
import { jsonOf } from "../shared/sql.ts";

export const DRIFT_CLASSES = ["config", "digest", "limits", "extra_instance", "missing_instance", "clock"] as const;
export type DriftClass = (typeof DRIFT_CLASSES)[number];
export type DriftAction = "repair" | "quarantine";

/** What each class is met with unless a person said otherwise, and what they may say. */
export const DRIFT_RULES: Readonly<
  Record<DriftClass, { readonly usual: DriftAction; readonly may: readonly DriftAction[] }>
> = {
  config: { usual: "repair", may: ["repair", "quarantine"] },
  digest: { usual: "quarantine", may: ["quarantine"] },
  limits: { usual: "repair", may: ["repair", "quarantine"] },
  extra_instance: { usual: "repair", may: ["repair", "quarantine"] },
  missing_instance: { usual: "repair", may: ["repair", "quarantine"] },
  clock: { usual: "quarantine", may: ["quarantine"] },
};

export const DRIFT_LIMITS = {
  /** Milliseconds between two looks; a runner that comes or goes is looked at at once. */
  look_every_ms: 2_000,
  /** A difference counts when it still stands after so long: between a row and a runner's word there is always a moment. */
  stands_for_ms: 1_000,
  /** A runner's clock may be off by so much; as the shipped interlock has it. */
  clock_error_ms: 1_500,
  /** Milliseconds between two readings of the packs' bytes. */
  read_packs_every_ms: 60_000,
  /** The share of the bots that are not at rest which may be changed at once, and how many always may. */
  brake_share: 0.2,
  brake_bots: 3,
  /** Waits between attempts: none before the second, then doubling from the first of these to the other. */
  backoff_first_ms: 500,
  backoff_most_ms: 60_000,
  /** The longest wait before a bot whose runner died again is taken over: it may have orders out. */
  takeover_most_ms: 5_000,
  /** Attempts, then the bot is quarantined; counted anew after it was as wanted for so long. */
  attempts: 16,
  calm_ms: 30_000,
} as const;

/** Where the difference stands; what a repair has to touch. */
export type DriftPlace = "bot" | "instance" | "runner" | "disk";

export type Finding = {
  readonly drift_class: DriftClass;
  readonly place: DriftPlace;
  readonly bot_id: string;
  readonly strategy_id: string;
  readonly instance_id: string;
  readonly run_id: string | null;
  readonly runner_id: string | null;
  readonly epoch: number;
  /** What was decided, and what is there, each in a word or a digest. */
  readonly expected: string;
  readonly found: string;
  /** Putting back what was decided cannot be done from here: the rule is quarantine, whatever else it says. */
  readonly beyond_repair: boolean;
};

export const findingKey = ({ drift_class, place, bot_id, strategy_id, instance_id, run_id }: Finding): string =>
  [drift_class, place, bot_id, strategy_id, instance_id, drift_class === "extra_instance" ? run_id : ""].join("/");

export type BotFacts = {
  readonly bot: BotRow;
  /** The version of the bot's generation; undefined where there is none. */
  readonly version: BotVersionRow | undefined;
  readonly instances: readonly InstanceRow[];
  /** What an instance's row says it was started with; parsed by whoever looks again and again. */
  readonly started: (instance: InstanceRow) => StartSpec;
  readonly reported: (instance: InstanceRow) => InstanceStatus | undefined;
  /** Whether the runner that holds it is there. */
  readonly isThere: (runner_id: string) => boolean;
};

/** Differences of one bot between its version, its row, its instances' rows, and what their runners say. */
export function findDrift(facts: BotFacts): readonly Finding[] {
  const { bot, version } = facts;
  const ofBot = { ...NOBODY, bot_id: bot.bot_id };
  if (version === undefined)
    return [
      {
        ...ofBot,
        drift_class: "config",
        place: "bot",
        expected: "a version",
        found: `generation ${bot.generation}`,
        beyond_repair: true,
      },
    ];
  const decided = jsonOf<BotSpec>(version.spec);
  const found = bot.spec === version.spec ? [] : [botDrift(ofBot, decided, bot)];
  return [...found, ...facts.instances.flatMap((instance) => instanceDrift(facts, instance, decided))];
}

const NOBODY = { strategy_id: "", instance_id: "", run_id: null, runner_id: null, epoch: 0 } as const;

function botDrift(of: Pick<Finding, "bot_id"> & typeof NOBODY, decided: BotSpec, bot: BotRow): Finding {
  const there = readSpec(bot.spec);
  const is = (pick: (spec: BotSpec) => unknown): boolean =>
    there !== undefined && canonicalJson(pick(decided) as never) === canonicalJson(pick(there) as never);
  const pair = (drift_class: DriftClass, pick: (spec: BotSpec) => unknown): Finding => ({
    ...of,
    drift_class,
    place: "bot",
    expected: digestOf(canonicalJson(pick(decided) as never)),
    found: there === undefined ? "no JSON" : digestOf(canonicalJson(pick(there) as never)),
    beyond_repair: false,
  });
  if (!is(({ strategy }) => strategy)) return pair("digest", ({ strategy }) => strategy);
  if (!is(limitsOf)) return pair("limits", limitsOf);
  return pair("config", (spec) => spec);
}

const limitsOf = ({ capital, stop_conditions = {} }: BotSpec): unknown => ({ capital, stop_conditions });

function readSpec(text: string): BotSpec | undefined {
  try {
    return jsonOf<BotSpec>(text);
  } catch {
    return undefined; // somebody wrote what is no JSON; what was decided is put back like over anything else
  }
}

/** What an instance shall run with by the bot's version; undefined where it is on its way to something else. */
export function shardOf(
  instance: InstanceRow,
  { descriptor }: Pick<StartSpec, "descriptor">,
  decided: BotSpec,
  generation: number,
): Shard | undefined {
  const waits = instance.next !== null || instance.back !== null || instance.config !== null;
  if (isShadow(instance) || waits || instance.generation !== generation) return undefined;
  // What its runner refused is told by its failure; the version is right all the same.
  if (instance.failure !== null) return undefined;
  const shards = shardsOf(decided, descriptor);
  return shards.ok ? shards.value.find(({ instance_id }) => instance_id === instance.instance_id) : undefined;
}

function instanceDrift(facts: BotFacts, instance: InstanceRow, decided: BotSpec): readonly Finding[] {
  if (instance.desired === "stopped") return [];
  const of = findingOf(instance);
  const found: Finding[] = [];
  const spec = facts.started(instance);
  const shard = shardOf(instance, spec, decided, facts.bot.generation);
  if (shard !== undefined) {
    const row = { ...of, place: "instance", beyond_repair: false } as const;
    if (spec.pack_digest !== decided.strategy.digest)
      found.push({ ...row, drift_class: "digest", expected: decided.strategy.digest, found: spec.pack_digest });
    if (spec.limits.capital !== shard.capital)
      found.push({ ...row, drift_class: "limits", expected: shard.capital, found: spec.limits.capital });
    if (hashOf(spec.config) !== hashOf(shard.config))
      found.push({ ...row, drift_class: "config", expected: hashOf(shard.config), found: hashOf(spec.config) });
  }
  const status = facts.reported(instance);
  if (instance.epoch > 0 && instance.holder !== null && !isShadow(instance) && isMissing(facts, instance, status))
    found.push({
      ...of,
      drift_class: "missing_instance",
      place: "runner",
      expected: instance.desired,
      found: facts.isThere(instance.holder) ? "not reported" : "its runner is gone",
      beyond_repair: false,
    });
  if (status?.in_force !== undefined && shard !== undefined && isOurs(instance, status))
    found.push(...runnerDrift({ ...of, place: "runner" }, spec, status.in_force));
  return found;
}

/** A configuration is sent again; a digest and limits are a run's own from its start. */
function runnerDrift(
  of: Omit<Finding, "drift_class" | "expected" | "found" | "beyond_repair">,
  spec: StartSpec,
  there: NonNullable<InstanceStatus["in_force"]>,
): readonly Finding[] {
  const found: Finding[] = [];
  const pair = (drift_class: DriftClass, expected: string, is: string, beyond_repair: boolean): void => {
    if (expected !== is) found.push({ ...of, drift_class, expected, found: is, beyond_repair });
  };
  pair("digest", spec.pack_digest, there.pack_digest, true);
  pair("limits", spec.limits.capital, there.capital, true);
  pair("config", hashOf(spec.config), there.config_hash, false);
  return found;
}

const isOurs = (instance: InstanceRow, status: InstanceStatus): boolean =>
  status.run_id === instance.run_id && status.epoch === instance.epoch;

function isMissing({ isThere }: BotFacts, instance: InstanceRow, status: InstanceStatus | undefined): boolean {
  if (instance.holder !== null && !isThere(instance.holder)) return true;
  // A start that is under way is reported with its first answer.
  return (status === undefined || !isOurs(instance, status)) && instance.phase !== "none";
}

export const findingOf = (
  instance: InstanceRow,
): Omit<Finding, "drift_class" | "place" | "expected" | "found" | "beyond_repair"> => ({
  bot_id: instance.bot_id,
  strategy_id: instance.strategy_id,
  instance_id: instance.instance_id,
  run_id: instance.run_id,
  runner_id: instance.holder,
  epoch: instance.epoch,
});

/** Something runs that nobody wants: of another run, another epoch, another holder, or of nothing there is. */
export function extraInstance(
  runner_id: string,
  status: InstanceStatus,
  instance: InstanceRow | undefined,
): Finding | undefined {
  if (instance !== undefined && isOurs(instance, status) && instance.holder === runner_id) return undefined;
  const { bot_id, strategy_id, instance_id, run_id, epoch } = status;
  return {
    drift_class: "extra_instance",
    place: "runner",
    bot_id,
    strategy_id,
    instance_id,
    run_id,
    runner_id,
    epoch,
    expected: instance === undefined ? "nothing" : `run ${instance.run_id}, epoch ${instance.epoch}`,
    found: `run ${run_id}, epoch ${epoch}`,
    beyond_repair: false,
  };
}

export const hashOf = (config: JsonObject): string => digestOf(canonicalJson(config));

/** How many bots may be changed at once, of so many that are not at rest. */
export function brakeAt(fleet: number): number {
  return Math.max(DRIFT_LIMITS.brake_bots, Math.floor(fleet * DRIFT_LIMITS.brake_share));
}

/** Microseconds to wait before the attempt after so many. */
export function backoff(attempts: number): number {
  if (attempts < 2) return 0;
  const { backoff_first_ms, backoff_most_ms } = DRIFT_LIMITS;
  return Math.min(backoff_most_ms, backoff_first_ms * 2 ** (attempts - 2)) * 1_000;
}

/** The same for a bot whose runner is gone: it may have orders out, so it never waits for long. */
export const takeoverBackoff = (attempts: number): number =>
  Math.min(backoff(attempts), DRIFT_LIMITS.takeover_most_ms * 1_000);
