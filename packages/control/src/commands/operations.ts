/** POST /api/commands: the one way in which a person moves a bot. */
import type { InstanceMode } from "@rumi/runtime";
import { err, failure, invariant, ok, type Failure, type Result } from "@rumi/kernel";
import {
  defineOperation,
  type Base,
  type Declaration,
  type DecideContext,
  type Decision,
  type EventDraft,
} from "@rumi/operations";
import { transitionEvent } from "../bots/operations.ts";
import { lacksWord } from "../attestation/wind-up.ts";
import { readBot, specOf, updateBot, type BotRow } from "../bots/tables.ts";
import { lookAtOwn } from "../release/look.ts";
import { beginInstance } from "../instances/begin.ts";
import { endRun, readInstances, updateInstance, type InstanceRow } from "../instances/tables.ts";
import { isRunning, type RunningState } from "../lifecycle/states.ts";
import { decideGroup, loadGroup, previewGroup, type GroupFacts } from "../groups/command.ts";
import { REQUIRED_GATES } from "../gates/guard.ts";
import { readNeededBy } from "../dependencies/tables.ts";
import { gatherPreflight, type Gathered, type PreflightDeps } from "../preflight/gather.ts";
import { judgePreflight, type PreflightReport } from "../preflight/model.ts";
import { insertReport } from "../preflight/tables.ts";
import { listDigest } from "../bulk/begin.ts";
import { CONFIRM_WITHIN_SECONDS, LIVE_CONFIRM_SECONDS } from "../challenges/model.ts";
import { allocatedWithStart } from "../risk/capital.ts";
import { roomView } from "../risk/model.ts";
import { trippedOf, watchWrites } from "../risk/stop-tables.ts";
import type { VenueSpec } from "../venues/model.ts";
import { readVenue } from "../venues/tables.ts";
import { feed } from "../shared/sql.ts";
import {
  continues,
  judgeCommand,
  judgeTarget,
  needsConfirmation,
  riskOf,
  SubmitCommandInput,
  type Judged,
  type SubmitCommand,
} from "./model.ts";
import { listCommands, showCommand } from "./queries.ts";
import { insertCommand, type CommandRow } from "./tables.ts";
import { SubmittedAnswer } from "./answers.ts";

export type CommandDeps = PreflightDeps & {
  readonly environment: string;
  /** Folder of one run's checkpoints and journal. */
  readonly runDir: (bot_id: string, run_id: string) => string;
};

export function commandDeclarations(deps: CommandDeps): readonly Declaration[] {
  return [submitCommand(deps), showCommand, listCommands];
}

type CommandFacts = {
  readonly bot: BotRow | undefined;
  /** All of the bot, shadows and former shards included. */
  readonly instances: readonly InstanceRow[];
  readonly gathered: Gathered | undefined;
  /** Of the bot's venue. */
  readonly venue_kind: VenueSpec["kind"] | undefined;
  /** Where the target is a group: it, and its bots. */
  readonly group: GroupFacts | undefined;
  /** Bots that need this one, where it is not about to start. */
  readonly needed_by: readonly string[];
};
const MODES: Readonly<Record<RunningState, InstanceMode>> = {
  RUNNING_PAPER: "paper",
  RUNNING_SHADOW: "shadow",
  RUNNING_LIVE: "live",
};

const submitCommand = (deps: CommandDeps): Declaration =>
  defineOperation({
    name: "commands.submit",
    summary: "Move a bot or a group of bots: start, pause, stop, quarantine",
    http: { method: "POST", path: "/api/commands" },
    input: SubmitCommandInput,
    output: SubmittedAnswer,
    success: [200, 202],
    key: "command_id",
    permission: ["operator", "admin"],
    risk: ({ requested_transition }) => riskOf(requested_transition),
    above_policies: () => true,
    danger: ({ requested_transition }, { bot }: CommandFacts) =>
      bot !== undefined && needsConfirmation(requested_transition, bot)
        ? {
            kind: "confirm",
            requires: ["phrase"],
            phrase: bot.bot_id,
            base: { state: bot.state, generation: bot.generation, run_id: bot.run_id },
            confirm_within_seconds: isRunning(requested_transition.to) ? LIVE_CONFIRM_SECONDS : CONFIRM_WITHIN_SECONDS,
          }
        : { kind: "none" },
    target: ({ target }) =>
      target.bot_id === undefined
        ? { resource_type: "group", resource_id: target.group_id ?? "" }
        : { resource_type: "bot", resource_id: target.bot_id },
    gates: [REQUIRED_GATES],
    load: async (reader, input, { store, now }): Promise<CommandFacts> => {
      const { bot_id, group_id } = input.target;
      const group = group_id === undefined ? undefined : await loadGroup(reader, store, group_id);
      const bot = bot_id === undefined ? undefined : await readBot(reader, store, bot_id);
      if (bot === undefined)
        return { bot, venue_kind: undefined, instances: [], gathered: undefined, needed_by: [], group };
      const spec = specOf(bot);
      const { from, to } = input.requested_transition;
      const venue_kind = (await readVenue(reader, store, spec.venue))?.kind;
      const starting = isRunning(to) && bot.state === from ? { bot_id: bot.bot_id, spec, mode: MODES[to], now } : null;
      return {
        bot,
        venue_kind,
        group,
        instances: await readInstances(reader, store, bot.bot_id),
        gathered:
          starting === null
            ? undefined
            : await gatherPreflight(deps, reader, store, {
                ...starting,
                ...(await lookAtOwn(reader, store, bot, starting)),
              }),
        needed_by: isRunning(to) ? [] : await readNeededBy(reader, store, bot.bot_id),
      };
    },
    decide: (facts, input, context) => {
      const sound = judgeTarget(input, context);
      if (!sound.ok) return sound;
      if (input.target.group_id !== undefined) return decideGroup(facts.group, input, context);
      const judged = judgeCommand(input, facts, context);
      if (!judged.ok) return judged;
      if (isRunning(judged.value.to)) return decideStart(deps, judged.value, facts, input, context);
      return judged.value.from === "QUARANTINED"
        ? decideRelease(judged.value, facts.instances, input, context)
        : ok(decideHalt(judged.value, facts.instances, input, context));
    },
    base: ({ group }): Base => (group === undefined ? {} : { list: listDigest(group.bots) }),
    diff: ({ bot, group }, { requested_transition: { from, to } }) =>
      group === undefined
        ? [{ field: "state", before: bot?.state ?? null, after: to }]
        : group.bots.map(({ bot_id, state }) => ({
            field: `${bot_id}.state`,
            before: state,
            after: state === from ? to : state,
          })),
    preview: (facts, input) => {
      if (input.target.group_id !== undefined) return previewGroup(facts.group, input.requested_transition);
      const preflight = facts.gathered === undefined ? null : judgePreflight(facts.gathered.facts, "preview").report;
      return {
        bot_id: input.target.bot_id ?? null,
        current_state: facts.bot?.state ?? null,
        requested: input.requested_transition,
        preflight,
        pool: facts.gathered?.room === undefined ? null : roomView(facts.gathered.room),
        capital: facts.bot === undefined ? null : specOf(facts.bot).capital,
        dependencies: facts.gathered?.dependencies ?? null,
        needed_by: facts.needed_by,
      };
    },
  });

function decideStart(
  deps: CommandDeps,
  { bot, from, to }: Judged,
  { instances, gathered }: CommandFacts,
  input: SubmitCommand,
  context: DecideContext,
): Result<Decision, Failure> {
  invariant(gathered !== undefined, "no start without a preflight (L-N3)");
  const { report, refusal } = judgePreflight(gathered.facts, context.newId());
  if (refusal !== undefined) return err(refusal);
  const { strategy, venue, shards, room } = gathered;
  invariant(
    strategy !== undefined && venue !== undefined && room !== undefined && shards.length > 0,
    "a passed preflight found what it looked at",
  );
  const spec = specOf(bot);
  const { strategy_id } = spec.strategy;
  invariant(isRunning(to), "a start leads to a running state");
  const mode = MODES[to];
  const own = instances.filter((one) => one.strategy_id === strategy_id);
  const { stops } = gathered;
  const tripped = stops === undefined ? null : trippedOf(stops);
  const begun = shards.map((shard) => {
    const instance = own.find((one) => one.instance_id === shard.instance_id);
    // What a stop condition ended does not go on: its losses are that run's.
    const same = tripped === null && continues(from, mode, instance, { strategy_id, pack_digest: strategy.digest });
    const { command_id, trace_id } = input;
    const facts = {
      bot,
      spec,
      shard,
      mode,
      strategy,
      venue,
      environment: deps.environment,
      runDir: deps.runDir,
    } as const;
    return {
      same,
      ...beginInstance({
        ...facts,
        context,
        command_id,
        trace_id,
        report_id: report.report_id,
        instance,
        continues: same,
      }),
    };
  });
  const capital = allocatedWithStart(context.store, bot.bot_id, spec, { room, now: context.now });
  return ok(
    movedDecision({ bot, from, to }, input, context, {
      writes: [
        ...begun.flatMap(({ writes }) => writes),
        ...capital.writes,
        ...watchWrites(context.store, stops, {
          bot_id: bot.bot_id,
          conditions: spec.stop_conditions ?? {},
          goes_on: begun.every(({ same }) => same),
        }),
      ],
      events: capital.events,
      run_id: begun[0]?.run_id ?? null,
      report,
      mode,
      reason_code: begun.every(({ same }) => same) ? "CONTINUED" : "STARTED",
    }),
  );
}

function decideHalt(
  { bot, from, to }: Judged,
  instances: readonly InstanceRow[],
  input: SubmitCommand,
  context: DecideContext,
): Decision {
  const { store, now } = context;
  const pauses = to === "PAUSED";
  const open = instances.filter((one) =>
    pauses ? one.desired !== "stopped" : one.desired !== "stopped" || one.holder !== null || lacksWord(one),
  );
  const change = pauses
    ? ({ desired: "paused", desired_since: now, stop_reason: null } as const)
    : ({ desired: "stopped", desired_since: now, stop_reason: to, next: null } as const);
  // What died at its venue is wound up at once (attestation/wind-up.ts), whatever it died of.
  const woundUp = { ...change, phase: "none", failure: null } as const;
  const writes = open.map((one) =>
    updateInstance(store, one, one.holder === null && lacksWord(one) ? woundUp : change, now),
  );
  // Nothing runs (an ERROR that left no holder), and no venue is to be asked: the stop is proven at once.
  const settled = to === "STOPPING" && instances.every((one) => one.holder === null && !lacksWord(one));
  const moved = movedDecision({ bot, from, to }, input, context, {
    writes,
    run_id: bot.run_id,
    report: undefined,
    mode: bot.mode,
    reason_code: "COMMANDED",
  });
  if (!settled) return moved;
  const done = updateBot(
    store,
    bot,
    { state: "IDLE", state_reason: "NOTHING_RUNS", state_since: now, run_id: null, mode: null },
    now,
  );
  const [, ...others] = moved.writes;
  return {
    ...moved,
    status: 200,
    writes: [done, ...others, ...instances.map(({ run_id }) => endRun(store, run_id, "STOPPED", now))],
    events: [
      ...moved.events,
      transitionEvent(bot.bot_id, "STOPPING", "IDLE", bot.generation, input.command_id, "NOTHING_RUNS"),
    ],
    data: { ...(moved.data as object), status: "applied", state: "IDLE" },
  };
}

/** Out of quarantine, back to standing still: only once it is certain that nothing of it runs. */
function decideRelease(
  { bot, from, to }: Judged,
  instances: readonly InstanceRow[],
  input: SubmitCommand,
  context: DecideContext,
): Result<Decision, Failure> {
  const held = instances.filter(({ holder }) => holder !== null);
  if (held.length > 0)
    return err(
      failure(
        "RUMI-BOT-048",
        { bot_id: bot.bot_id },
        { reasonCode: "G.STOP_NOT_PROVEN", details: { instances: held.map(({ instance_id }) => instance_id) } },
      ),
    );
  const moved = movedDecision({ bot, from, to }, input, context, {
    writes: instances.map(({ run_id }) => endRun(context.store, run_id, "STOPPED", context.now)),
    run_id: null,
    report: undefined,
    mode: null,
    reason_code: "RELEASED",
  });
  return ok({ ...moved, status: 200, data: { ...(moved.data as object), status: "applied" } });
}

type Moved = {
  readonly writes: Decision["writes"];
  /** Beside those of the move itself. */
  readonly events?: readonly EventDraft[];
  readonly run_id: string | null;
  readonly report: PreflightReport | undefined;
  readonly mode: InstanceMode | null;
  readonly reason_code: string;
};

/** What every successful command leaves: the bot's new state, its own record, the preflight report, the events. */
function movedDecision(
  { bot, from, to }: Judged,
  input: SubmitCommand,
  context: DecideContext,
  moved: Moved,
): Decision {
  const { store, now, principal } = context;
  const status = to === "QUARANTINED" && moved.writes.length === 0 ? "applied" : "accepted";
  const row: CommandRow = {
    command_id: input.command_id,
    bot_id: bot.bot_id,
    from_state: from,
    to_state: to,
    actor: principal.id,
    reason: input.reason,
    trace_id: input.trace_id,
    caller_run_id: input.run_id,
    run_id: moved.run_id,
    status,
    report_id: moved.report?.report_id ?? null,
    created_at: now,
  };
  return {
    writes: [
      updateBot(
        store,
        bot,
        { state: to, state_reason: moved.reason_code, state_since: now, run_id: moved.run_id, mode: moved.mode },
        now,
      ),
      // Before the runs, which refer to it.
      ...(moved.report === undefined
        ? []
        : [insertReport(store, moved.report, { bot_id: bot.bot_id, command_id: input.command_id, now })]),
      ...moved.writes,
      insertCommand(store, row),
      feed(store, "bot", bot.bot_id, { bot_id: bot.bot_id, state: to, run_id: moved.run_id }, now),
    ],
    events: [
      ...admissionEvent(bot, moved.report),
      ...(moved.events ?? []),
      transitionEvent(bot.bot_id, from, to, bot.generation, input.command_id, moved.reason_code),
    ],
    outbox: [],
    status: status === "accepted" ? 202 : 200,
    data: {
      command_id: input.command_id,
      status,
      bot_id: bot.bot_id,
      requested_transition: { from, to },
      state: to,
      run_id: moved.run_id,
      trace_id: input.trace_id,
      preflight: moved.report ?? null,
    },
  };
}

function admissionEvent(bot: BotRow, report: PreflightReport | undefined): readonly EventDraft[] {
  if (report === undefined) return [];
  const { pack_id, strategy_id, digest } = specOf(bot).strategy;
  const checks = report.items.map(({ item, state }) => ({ item, state }));
  return [
    {
      action: "strategy.admission",
      resource_type: "bot",
      resource_id: bot.bot_id,
      outcome: "SUCCESS",
      details: { pack_id, strategy_id, digest, admitted: true, checks, report_id: report.report_id },
    },
  ];
}
