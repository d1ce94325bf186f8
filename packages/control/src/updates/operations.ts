/**
 * Another version of a bot's strategy: in place of the one that runs, or as a shadow beside it.
 *
 * How to think: an update is a wish on the instance's row (`next`). The reconciler asks the runner to hand over (open
 * orders stay, everything is in the checkpoint), the hand-over's report puts the new run in the old one's place in one
 * commit, and the new version begins from that checkpoint under a lease of its own. Whatever dies on the way, the row
 * says whose turn it is. The new version was admitted with the very state it will begin with before anything was touched.
 *
 * Invariants (packages/control/test/updates.test.ts, packages/rumi/test/update.e2e.test.ts)
 * - No event is lost and no order doubled: the new run begins at the cursor where the former ended.
 * - A version that cannot begin with the state that is there is refused, and the running one is untouched (M-6.2.3).
 * - A live bot is updated only after a confirmed challenge (live-updates.test.ts).
 */
import {
  canonicalJson,
  err,
  failure,
  ID_PATTERNS,
  invariant,
  ok,
  type Failure,
  type JsonObject,
  type Micros,
  type Result,
} from "@rumi/kernel";
import { defineOperation, type Declaration, type DecideContext } from "@rumi/operations";
import type { VerifiedStrategy } from "@rumi/platform";
import type { InstanceMode } from "@rumi/runtime";
import type { Reader } from "@rumi/store";
import { Type, type Static } from "@sinclair/typebox";
import { StrategyReferenceSchema, nextVersion, type BotSpec } from "../bots/model.ts";
import { botResource, botView, insertBotVersion, versionDetails } from "../bots/operations.ts";
import { readBot, specOf, updateBot, type BotRow } from "../bots/tables.ts";
import { REQUIRED_GATES } from "../gates/guard.ts";
import { LIVE_CONFIRM_SECONDS } from "../challenges/model.ts";
import { lookAtPlanned } from "../release/look.ts";
import { beginInstance } from "../instances/begin.ts";
import { isShadow, shadowOf, shardsOf, type Shard } from "../instances/shards.ts";
import { startSpecOf } from "../instances/start-spec.ts";
import {
  readInstances,
  readRun,
  updateInstance,
  type InstanceRow,
  type NextRun,
  type StartSpec,
  type WayBack,
} from "../instances/tables.ts";
import { statusOf } from "../instances/view.ts";
import type { PreflightDeps } from "../preflight/gather.ts";
import { judgePreflight, type PreflightReport } from "../preflight/model.ts";
import { insertReport } from "../preflight/tables.ts";
import { gatherUpdate, type UpdateFacts } from "../preflight/update.ts";
import { judgeCompatibility } from "../compatibility/model.ts";
import { BotIdField, CLOSED, CommandIdField, noDanger, ReasonField } from "../shared/fields.ts";
import { jsonOf, type Sql } from "../shared/sql.ts";
import { instrumentsOf, type VenueSpec } from "../venues/model.ts";
import { readVenue } from "../venues/tables.ts";
import { rememberTrials, type Tried } from "./tried.ts";
import { ShadowStartedAnswer, ShadowStoppedAnswer, UpdatedBotAnswer } from "../bots/answers.ts";

export type UpdateDeps = PreflightDeps & {
  readonly environment: string;
  readonly runDir: (bot_id: string, run_id: string) => string;
};

export function updateDeclarations(given: UpdateDeps): readonly Declaration[] {
  const deps = { ...given, tried: rememberTrials() };
  return [updateBotVersion(deps), startShadow(deps), stopShadow];
}
type Deps = UpdateDeps & { readonly tried: Tried };

const VersionInput = Type.Object(
  {
    command_id: CommandIdField,
    bot_id: BotIdField,
    pack_id: Type.Optional(Type.String({ pattern: ID_PATTERNS.pack })),
    strategy_version: StrategyReferenceSchema.properties.strategy_version,
    digest: Type.String({ pattern: ID_PATTERNS.digest, description: "sha256:… of the approved pack." }),
    config: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.Unknown(), {
        description: "The new version's configuration; the bot's own when absent.",
      }),
    ),
    reason: ReasonField,
  },
  CLOSED,
);
type VersionWish = Static<typeof VersionInput>;

type Found = {
  readonly strategy: VerifiedStrategy;
  readonly venue: VenueSpec;
  readonly spec: BotSpec;
  readonly shards: readonly Shard[];
  readonly preflight: UpdateFacts;
};
type Facts = {
  readonly bot: BotRow | undefined;
  readonly instances: readonly InstanceRow[];
  /** The version that is wished for, verified and admitted with the state that it would begin with. */
  readonly found: Result<Found, Failure>;
  /** Of the runs that are there: the preflights that they refer to. */
  readonly reports: ReadonlyMap<string, string>;
};

const target = (input: { readonly bot_id: string }) => ({ resource_type: "bot", resource_id: input.bot_id });

async function loadVersion(
  deps: Deps,
  reader: Reader,
  sql: Sql,
  input: VersionWish,
  {
    isWithState,
    mode,
    now,
  }: { isWithState: (instance: InstanceRow) => boolean; mode: InstanceMode | null; now: Micros },
): Promise<Facts> {
  const bot = await readBot(reader, sql, input.bot_id);
  const unknown = err(failure("RUMI-BOT-001", { bot_id: input.bot_id }));
  if (bot === undefined) return { bot, instances: [], found: unknown, reports: new Map() };
  const instances = await readInstances(reader, sql, bot.bot_id);
  const states = instances.filter((one) => !isShadow(one) && isWithState(one));
  const reports = new Map<string, string>();
  for (const { run_id } of states) {
    const run = await readRun(reader, sql, run_id);
    if (run !== undefined) reports.set(run_id, run.report_id);
  }
  const wished = { bot, input, states, mode: mode ?? bot.mode ?? "paper", now };
  return { bot, instances, found: await findVersion(deps, reader, sql, wished), reports };
}

type Wished = {
  readonly bot: BotRow;
  readonly input: VersionWish;
  readonly states: readonly InstanceRow[];
  readonly mode: InstanceMode;
  readonly now: Micros;
};

async function findVersion(
  deps: Deps,
  reader: Reader,
  sql: Sql,
  { bot, input, states, mode, now }: Wished,
): Promise<Result<Found, Failure>> {
  const before = specOf(bot);
  const { pack_id = before.strategy.pack_id, strategy_version, digest } = input;
  const reference = { pack_id, strategy_id: before.strategy.strategy_id, strategy_version, digest };
  const strategy = await deps.verifyStrategy(reference);
  if (!strategy.ok) return strategy;
  const { descriptor } = strategy.value;
  const compatible = judgeCompatibility(descriptor);
  if (!compatible.ok) return compatible;
  const venue = await readVenue(reader, sql, before.venue);
  if (venue === undefined) return err(failure("RUMI-BOT-006", { venue_id: before.venue }));
  const spec: BotSpec = { ...before, strategy: reference, config: (input.config ?? before.config) as JsonObject };
  const shards = shardsOf(spec, descriptor);
  if (!shards.ok) return shards;
  const isolated = await deps.isolationFor(bot.bot_id, descriptor, spec);
  if (!isolated.ok) return isolated;
  for (const shard of shards.value) {
    const former = states.find((one) => one.instance_id === shard.instance_id);
    const subject = {
      bot_id: bot.bot_id,
      spec,
      config: shard.config,
      instruments: instrumentsOf(venue).filter((one) => shard.instruments.includes(one.instrument_id)),
      venue_id: spec.venue,
      ...(former === undefined ? {} : { from: { run_dir: jsonOf<StartSpec>(former.spec).run_dir } }),
    };
    const admitted = await deps.tried(input.command_id, subject, () =>
      deps.admit({ ...subject, strategy: strategy.value }),
    );
    if (!admitted.ok) return admitted;
  }
  const { bot_id } = bot;
  const words = await lookAtPlanned(reader, sql, bot, { spec, reason: input.reason, mode, now });
  const preflight = await gatherUpdate(deps, reader, sql, { bot_id, spec, ...words, mode, now, venue });
  return ok({ strategy: strategy.value, venue, spec, shards: shards.value, preflight });
}

const updateBotVersion = (deps: Deps): Declaration =>
  defineOperation({
    name: "bots.update",
    summary: "Put another version of its strategy in a bot's place; what runs hands its state over",
    http: { method: "POST", path: "/api/bots/{bot_id}/update" },
    input: VersionInput,
    output: UpdatedBotAnswer,
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => "increase",
    // Another program takes over open orders and a position: as dangerous as a live start.
    danger: ({ bot_id }, { bot, found }: Facts) =>
      bot?.state === "RUNNING_LIVE" && found.ok && isAnother(bot, found.value.spec)
        ? {
            kind: "confirm",
            requires: ["phrase"],
            phrase: bot_id,
            base: { state: bot.state, generation: bot.generation, run_id: bot.run_id },
            confirm_within_seconds: LIVE_CONFIRM_SECONDS,
          }
        : { kind: "none" },
    target,
    gates: [REQUIRED_GATES],
    load: (reader, input, { store, now }) =>
      loadVersion(deps, reader, store, input, { isWithState: isHeld, mode: null, now }),
    decide: ({ bot, instances, found, reports }: Facts, input, context) => {
      if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id: input.bot_id }));
      if (["STOPPING", "QUARANTINED", "CREATED"].includes(bot.state))
        return err(failure("RUMI-BOT-040", { bot_id: bot.bot_id, state: bot.state }));
      if (!found.ok) return found;
      if (!isAnother(bot, found.value.spec))
        return ok({ writes: [], events: [], outbox: [], data: { ...botView(bot), updated: false } });
      invariant(
        bot.state !== "RUNNING_LIVE" || context.approval_id !== null,
        "a live bot was updated without a confirmed challenge",
      );
      const { report, refusal } = judgePreflight(found.value.preflight, context.newId());
      if (refusal !== undefined) return err(refusal);
      return ok(updateDecision(deps, bot, instances, { ...found.value, report, reports }, input, context));
    },
    preview: ({ bot, instances, found }: Facts, input) => {
      if (bot === undefined || !found.ok) return { bot_id: input.bot_id };
      const { strategy, capital } = specOf(bot);
      return {
        bot_id: bot.bot_id,
        current_state: bot.state,
        from_version: strategy.strategy_version,
        from_digest: strategy.digest,
        to_version: input.strategy_version,
        digest: input.digest,
        config_changes: canonicalJson(specOf(bot).config) !== canonicalJson(found.value.spec.config),
        open_orders: instances.reduce((sum, one) => sum + (isShadow(one) ? 0 : (statusOf(one)?.orders_open ?? 0)), 0),
        capital,
      };
    },
  });

/** Whether the wish changes anything. */
function isAnother(bot: BotRow, spec: BotSpec): boolean {
  const before = specOf(bot);
  return JSON.stringify([before.strategy, before.config]) !== JSON.stringify([spec.strategy, spec.config]);
}

/** It has a run whose state counts: it runs, stands still, or ended in an error and may be taken up again. */
const isHeld = (instance: InstanceRow): boolean =>
  instance.starts > 0 && (instance.desired !== "stopped" || instance.phase === "failed");

type Reports = { readonly report: PreflightReport; readonly reports: Facts["reports"] };

function updateDecision(
  deps: Deps,
  bot: BotRow,
  instances: readonly InstanceRow[],
  { strategy, venue, spec, shards, report, reports }: Found & Reports,
  input: VersionWish,
  context: DecideContext,
) {
  const { now, store, principal } = context;
  const before = specOf(bot);
  const next: BotRow = {
    ...bot,
    pack_id: spec.strategy.pack_id,
    spec: JSON.stringify(spec),
    generation: bot.generation + 1,
    version: nextVersion(bot.version, before, spec),
  };
  const continued = bot.state === "IDLE" ? [] : instances.filter((one) => !isShadow(one) && isHeld(one));
  const moves = continued.flatMap((instance) => {
    const shard = shards.find((one) => one.instance_id === instance.instance_id);
    if (shard === undefined) return [];
    const former = jsonOf<StartSpec>(instance.spec);
    const begun: NextRun = {
      command_id: input.command_id,
      report_id: report.report_id,
      spec: {
        ...startSpecOf({
          bot: next,
          spec,
          shard,
          mode: instance.mode,
          run_id: context.newId(),
          trace_id: former.trace_id,
          strategy,
          venue,
          environment: deps.environment,
          runDir: deps.runDir,
        }),
        from: { run_id: former.run_id, run_dir: former.run_dir },
      },
      back: wayBack(
        deps,
        { bot, next, before, spec, former, report_id: reports.get(instance.run_id) ?? report.report_id },
        input.command_id,
        context,
      ),
    };
    const change = { next: JSON.stringify(begun), config: null, config_actor: null, config_at: null };
    return [updateInstance(store, instance, change, now)];
  });
  const shadows = instances.filter((one) => isShadow(one) && one.desired !== "stopped");
  const details = {
    ...versionDetails(next, spec),
    from_version: before.strategy.strategy_version,
    to_version: spec.strategy.strategy_version,
  };
  return {
    writes: [
      updateBot(
        store,
        bot,
        {
          pack_id: next.pack_id,
          spec: next.spec,
          generation: next.generation,
          version: next.version,
          observed_generation: moves.length === 0 ? next.generation : bot.observed_generation,
        },
        now,
      ),
      insertBotVersion(store, next, now, principal.id, input.reason),
      insertReport(store, report, { bot_id: bot.bot_id, command_id: input.command_id, now }),
      ...moves,
      ...shadows.map((one) =>
        updateInstance(store, one, { ...STOPPED, stop_reason: "PRIMARY_UPDATED", desired_since: now }, now),
      ),
    ],
    events: [
      { action: "bot.version.created", ...botResource(bot.bot_id), details: versionDetails(next, spec) },
      { action: "bot.update.requested", ...botResource(bot.bot_id), details },
    ],
    outbox: [],
    feed: [
      { kind: "bot", key: bot.bot_id, data: { bot_id: bot.bot_id, state: bot.state, generation: next.generation } },
    ],
    data: { ...botView(next), updated: true, handing_over: moves.length },
  };
}

/** The former version once more, from where it hands over: written down now, taken only if the new one is refused. */
function wayBack(
  { runDir }: Deps,
  of: {
    readonly bot: BotRow;
    readonly next: BotRow;
    readonly before: BotSpec;
    readonly spec: BotSpec;
    readonly former: StartSpec;
    /** The former version's own. */
    readonly report_id: string;
  },
  command_id: string,
  { newId }: DecideContext,
): WayBack {
  const run_id = newId();
  const { bot, former } = of;
  const from = { run_id: former.run_id, run_dir: former.run_dir };
  return {
    command_id,
    report_id: of.report_id,
    spec: { ...former, run_id, run_dir: runDir(bot.bot_id, run_id), from },
    bot: { pack_id: bot.pack_id, spec: bot.spec, version: nextVersion(of.next.version, of.spec, of.before) },
  };
}

const STOPPED = { desired: "stopped", next: null } as const;

const startShadow = (deps: Deps): Declaration =>
  defineOperation({
    name: "bots.shadow_start",
    summary: "Run another version beside a bot: it gets the same events, its intents are recorded and never executed",
    http: { method: "POST", path: "/api/bots/{bot_id}/shadow" },
    input: VersionInput,
    output: ShadowStartedAnswer,
    success: [202],
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: noDanger,
    target,
    gates: [],
    load: (reader, input, { store, now }) =>
      loadVersion(deps, reader, store, input, { isWithState: isFollowed, mode: "shadow", now }),
    decide: ({ bot, instances, found }: Facts, input, context) => {
      if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id: input.bot_id }));
      const followed = instances.filter((one) => !isShadow(one) && isFollowed(one));
      if (followed.length === 0) return err(failure("RUMI-BOT-041", { bot_id: bot.bot_id, state: bot.state }));
      const running = instances.find((one) => isShadow(one) && (one.desired !== "stopped" || one.holder !== null));
      if (running !== undefined)
        return err(failure("RUMI-BOT-042", { bot_id: bot.bot_id, instance_id: running.instance_id }));
      if (!found.ok) return found;
      const { strategy, venue, spec, shards, preflight } = found.value;
      const { report, refusal } = judgePreflight(preflight, context.newId());
      if (refusal !== undefined) return err(refusal);
      const { command_id } = input;
      const begun = followed.flatMap((primary) => {
        const shard = shards.find((one) => one.instance_id === primary.instance_id);
        if (shard === undefined) return [];
        const instance_id = shadowOf(primary.instance_id);
        const { run_id, run_dir, trace_id } = jsonOf<StartSpec>(primary.spec);
        const earlier = { run_id, run_dir };
        return beginInstance({
          bot,
          spec,
          shard: { ...shard, instance_id },
          mode: "shadow",
          strategy,
          venue,
          environment: deps.environment,
          runDir: deps.runDir,
          context,
          command_id,
          trace_id,
          report_id: report.report_id,
          instance: instances.find((one) => one.instance_id === instance_id),
          continues: false,
          from: earlier,
          follows: earlier,
        });
      });
      const runs = begun.map(({ run_id }) => run_id);
      return ok({
        writes: [
          insertReport(context.store, report, { bot_id: bot.bot_id, command_id, now: context.now }),
          ...begun.flatMap(({ writes }) => writes),
        ],
        events: [
          {
            action: "bot.shadow.started",
            ...botResource(bot.bot_id),
            details: { ...versionDetails(bot, spec), shadow_runs: runs },
          },
        ],
        outbox: [],
        status: 202,
        data: { bot_id: bot.bot_id, shadow_runs: runs, follows: followed.map(({ run_id }) => run_id) },
      });
    },
  });

const isFollowed = (instance: InstanceRow): boolean => instance.starts > 0 && instance.desired !== "stopped";

const stopShadow: Declaration = defineOperation({
  name: "bots.shadow_stop",
  summary: "End a bot's shadow; the bot itself is not touched",
  http: { method: "POST", path: "/api/bots/{bot_id}/shadow/stop" },
  input: Type.Object({ command_id: CommandIdField, bot_id: BotIdField, reason: ReasonField }, CLOSED),
  output: ShadowStoppedAnswer,
  key: "command_id",
  permission: ["operator", "admin"],
  risk: () => "tighten",
  above_policies: () => true,
  danger: noDanger,
  target,
  gates: [],
  load: (reader, { bot_id }, { store }) => readInstances(reader, store, bot_id),
  decide: (instances: readonly InstanceRow[], input, { now, store }) => {
    const shadows = instances.filter((one) => isShadow(one) && one.desired !== "stopped");
    if (shadows.length === 0) return err(failure("RUMI-BOT-043", { bot_id: input.bot_id }));
    return ok({
      writes: shadows.map((one) =>
        updateInstance(store, one, { ...STOPPED, stop_reason: "OPERATOR", desired_since: now }, now),
      ),
      events: [
        {
          action: "bot.shadow.stopped",
          ...botResource(input.bot_id),
          details: { shadow_runs: shadows.map(({ run_id }) => run_id) },
        },
      ],
      outbox: [],
      data: { bot_id: input.bot_id, stopped: shadows.map(({ instance_id }) => instance_id) },
    });
  },
});
