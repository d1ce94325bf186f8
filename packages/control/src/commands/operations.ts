/** POST /api/commands: the one way in which a person moves a bot. */
import { err, invariant, ok, type BotId, type Failure, type Result, type Uuid } from "@rumi/kernel";
import {
  defineOperation,
  type Declaration,
  type DecideContext,
  type Decision,
  type EventDraft,
} from "@rumi/operations";
import { write } from "@rumi/store";
import { transitionEvent } from "../bots/operations.ts";
import { readBot, specOf, updateBot, type BotRow } from "../bots/tables.ts";
import {
  endRun,
  insertRun,
  putInstance,
  readInstance,
  updateInstance,
  type InstanceRow,
  type StartSpec,
} from "../instances/tables.ts";
import { isRunning } from "../lifecycle/states.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import {
  gatherPreflight,
  MAIN_INSTANCE,
  type Gathered,
  type PreflightDeps,
  type PreflightTables,
} from "../preflight/gather.ts";
import { judgePreflight, type PreflightReport } from "../preflight/model.ts";
import { AnswerSchema } from "../shared/fields.ts";
import { feed } from "../shared/sql.ts";
import {
  continues,
  isDangerous,
  judgeCommand,
  riskOf,
  SubmitCommandInput,
  type Judged,
  type SubmitCommand,
} from "./model.ts";
import { listCommands, showCommand } from "./queries.ts";
import { insertCommand, type CommandRow } from "./tables.ts";

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
  readonly instance: InstanceRow | undefined;
  readonly gathered: Gathered | undefined;
};

const submitCommand = (deps: CommandDeps): Declaration =>
  defineOperation({
    name: "commands.submit",
    summary: "Move a bot: start, pause, stop, quarantine",
    http: { method: "POST", path: "/api/commands" },
    input: SubmitCommandInput,
    output: AnswerSchema,
    key: "command_id",
    permission: ["operator", "admin"],
    risk: ({ requested_transition }) => riskOf(requested_transition),
    danger: ({ requested_transition, target }) =>
      isDangerous(requested_transition)
        ? { kind: "confirm", requires: ["phrase"], phrase: target.bot_id ?? "I UNDERSTAND LIVE RISK" }
        : { kind: "none" },
    target: ({ target }) =>
      target.bot_id === undefined
        ? { resource_type: "group", resource_id: target.group_id ?? "" }
        : { resource_type: "bot", resource_id: target.bot_id },
    gates: [],
    load: async (reader, input, { store, now }): Promise<CommandFacts> => {
      const bot = input.target.bot_id === undefined ? undefined : await readBot(reader, store, input.target.bot_id);
      if (bot === undefined) return { bot, instance: undefined, gathered: undefined };
      const spec = specOf(bot);
      const instance = await readInstance(reader, store, {
        bot_id: bot.bot_id,
        strategy_id: spec.strategy.strategy_id,
        instance_id: MAIN_INSTANCE,
      });
      const { from, to } = input.requested_transition;
      const starts = isRunning(to) && to !== "RUNNING_LIVE" && bot.state === from;
      return {
        bot,
        instance,
        gathered: starts ? await gatherPreflight(deps, reader, store, bot.bot_id, spec, now) : undefined,
      };
    },
    decide: (facts, input, context) => {
      const judged = judgeCommand(input, facts.bot, context.principal.id, context.now);
      if (!judged.ok) return judged;
      return isRunning(judged.value.to)
        ? decideStart(deps, judged.value, facts, input, context)
        : ok(decideHalt(judged.value, facts.instance, input, context));
    },
    preview: (facts, input) => {
      const preflight = facts.gathered === undefined ? null : judgePreflight(facts.gathered.facts, "preview").report;
      return {
        bot_id: input.target.bot_id ?? null,
        current_state: facts.bot?.state ?? null,
        requested: input.requested_transition,
        preflight,
        capital: facts.bot === undefined ? null : specOf(facts.bot).capital,
      };
    },
  });

function decideStart(
  deps: CommandDeps,
  { bot, from, to }: Judged,
  { instance, gathered }: CommandFacts,
  input: SubmitCommand,
  context: DecideContext,
): Result<Decision, Failure> {
  invariant(gathered !== undefined, "no start without a preflight (L-N3)");
  const { report, refusal } = judgePreflight(gathered.facts, context.newId());
  if (refusal !== undefined) return err(refusal);
  const { strategy, venue, config } = gathered;
  invariant(
    strategy !== undefined && venue !== undefined && config !== undefined,
    "a passed preflight found what it looked at",
  );
  const { now, store } = context;
  const spec = specOf(bot);
  const mode = to === "RUNNING_SHADOW" ? "shadow" : "paper";
  const same = continues(from, mode, instance, {
    strategy_id: spec.strategy.strategy_id,
    pack_digest: strategy.digest,
  });
  const run_id = same && instance !== undefined ? (instance.run_id as Uuid) : context.newId();
  const start: StartSpec = {
    bot_id: bot.bot_id as BotId,
    strategy_id: spec.strategy.strategy_id,
    instance_id: MAIN_INSTANCE,
    strategy_version: spec.strategy.strategy_version,
    run_id,
    // A run that goes on keeps the trace it began under: its records bear it, and a replay must make them again.
    trace_id: same && instance !== undefined ? (JSON.parse(instance.spec) as StartSpec).trace_id : input.trace_id,
    generation: bot.generation,
    mode,
    descriptor: strategy.descriptor,
    pack_dir: strategy.directory,
    pack_digest: strategy.digest,
    config,
    seed: `bot/${bot.bot_id}`,
    environment: deps.environment,
    instruments: venueInstruments(venue, spec.instruments),
    venue: {
      venue_id: venue.venue_id,
      files: venue.files.filter((file) => spec.instruments.includes(file.instrument.instrument_id)),
      pace: venue.pace,
      maker_fee_ppm: venue.fees.maker_ppm,
      taker_fee_ppm: venue.fees.taker_ppm,
      latency_us: venue.latency.base_us,
      latency_jitter_us: venue.latency.jitter_us,
      seed: venue.seed,
    },
    limits: {
      capital: spec.capital,
      intents_per_second: strategy.descriptor.resources.intents_per_second,
      max_open_orders: CONTROL_LIMITS.open_orders,
    },
    isolation: spec.isolation,
    run_dir: deps.runDir(bot.bot_id, run_id),
  };
  const wish = {
    desired: "running",
    desired_since: now,
    generation: bot.generation,
    trace_id: input.trace_id,
    spec: JSON.stringify(start),
    stop_reason: null,
    failure: null,
  } as const;
  const writes =
    same && instance !== undefined
      ? [updateInstance(store, instance, { ...wish, ...(from === "ERROR" ? { phase: "none" as const } : {}) }, now)]
      : [
          putInstance(
            store,
            {
              bot_id: bot.bot_id,
              strategy_id: start.strategy_id,
              instance_id: start.instance_id,
              run_id,
              mode,
              epoch: 0,
              holder: null,
              starts: 0,
              config: null,
              config_actor: null,
              config_at: null,
              phase: "none",
              health_state: null,
              status: null,
              updated_at: now,
              row_version: 1,
              ...wish,
            },
            instance,
          ),
          ...(instance === undefined ? [] : [endRun(store, instance.run_id, "REPLACED", now)]),
          insertRun(store, {
            run_id,
            bot_id: bot.bot_id,
            strategy_id: start.strategy_id,
            instance_id: start.instance_id,
            mode,
            trace_id: input.trace_id,
            command_id: input.command_id,
            generation: bot.generation,
            pack_digest: strategy.digest,
            report_id: report.report_id,
            holder: null,
            started_at: now,
            ended_at: null,
            end_reason: null,
            journal_seq: 0,
            journal_at: now,
          }),
        ];
  return ok(
    movedDecision({ bot, from, to }, input, context, {
      writes,
      run_id,
      report,
      mode,
      reason_code: same ? "CONTINUED" : "STARTED",
    }),
  );
}

function decideHalt(
  { bot, from, to }: Judged,
  instance: InstanceRow | undefined,
  input: SubmitCommand,
  context: DecideContext,
): Decision {
  const { store, now } = context;
  const desired = to === "PAUSED" ? "paused" : "stopped";
  const open = instance !== undefined && (instance.desired !== "stopped" || instance.holder !== null);
  const writes = open
    ? [
        updateInstance(
          store,
          instance,
          { desired, desired_since: now, stop_reason: desired === "stopped" ? to : null },
          now,
        ),
      ]
    : [];
  // Nothing runs (an ERROR that left no holder): the stop is proven at once.
  const settled = to === "STOPPING" && (instance === undefined || instance.holder === null);
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
    writes: [done, ...others, ...(bot.run_id === null ? [] : [endRun(store, bot.run_id, "STOPPED", now)])],
    events: [
      ...moved.events,
      transitionEvent(bot.bot_id, "STOPPING", "IDLE", bot.generation, input.command_id, "NOTHING_RUNS"),
    ],
    data: { ...(moved.data as object), status: "applied", state: "IDLE" },
  };
}

type Moved = {
  readonly writes: Decision["writes"];
  readonly run_id: string | null;
  readonly report: PreflightReport | undefined;
  readonly mode: "paper" | "shadow" | null;
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
  const reports =
    moved.report === undefined
      ? []
      : [
          write(
            store
              .builder<PreflightTables>()
              .insertInto("preflight_report")
              .values({
                report_id: moved.report.report_id,
                bot_id: bot.bot_id,
                command_id: input.command_id,
                passed: 1,
                items: JSON.stringify(moved.report.items),
                created_at: now,
              }),
            1,
          ),
        ];
  return {
    writes: [
      updateBot(
        store,
        bot,
        { state: to, state_reason: moved.reason_code, state_since: now, run_id: moved.run_id, mode: moved.mode },
        now,
      ),
      ...moved.writes,
      insertCommand(store, row),
      ...reports,
      feed(store, "bot", bot.bot_id, { bot_id: bot.bot_id, state: to, run_id: moved.run_id }, now),
    ],
    events: [
      ...admissionEvent(bot, moved.report),
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

function venueInstruments(venue: NonNullable<Gathered["venue"]>, wanted: readonly string[]): StartSpec["instruments"] {
  return wanted.map((id) => {
    const file = venue.files.find((one) => one.instrument.instrument_id === id);
    invariant(file !== undefined, "the preflight found every instrument on the venue");
    return file.instrument;
  });
}
