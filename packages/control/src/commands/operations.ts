/** POST /api/commands: the one way in which a person moves a bot; and reading commands back. */
import { err, failure, invariant, isoFromMicros, micros, ok, type BotId, type Failure, type Result, type Uuid } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type DecideContext, type Decision, type EventDraft } from "@rumi/operations";
import { write, type Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readEvents } from "../audit/events.ts";
import { transitionEvent } from "../bots/operations.ts";
import { readBot, specOf, updateBot, type BotRow } from "../bots/tables.ts";
import { endRun, insertRun, putInstance, readInstance, updateInstance, type InstanceRow, type StartSpec } from "../instances/tables.ts";
import { isRunning, type BotState } from "../lifecycle/states.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { gatherPreflight, MAIN_INSTANCE, type Gathered, type PreflightDeps, type PreflightTables } from "../preflight/gather.ts";
import { judgePreflight, type PreflightReport } from "../preflight/model.ts";
import { AnswerSchema, BotIdField, CLOSED, CommandIdField, EVERYONE } from "../shared/fields.ts";
import { decodeCursor, encodeCursor, feed, first, type Sql } from "../shared/sql.ts";
import { continues, isDangerous, judgeCommand, riskOf, SubmitCommandInput, type Judged, type SubmitCommand } from "./model.ts";
import { insertCommand, type CommandRow, type CommandTables } from "./tables.ts";

export type CommandDeps = PreflightDeps & {
  readonly environment: string;
  /** Folder of one run's checkpoints and journal. */
  readonly runDir: (bot_id: string, run_id: string) => string;
};

export function commandDeclarations(deps: CommandDeps): readonly Declaration[] {
  return [submitCommand(deps), showCommand, listCommands];
}

type CommandFacts = { readonly bot: BotRow | undefined; readonly instance: InstanceRow | undefined; readonly gathered: Gathered | undefined };

const submitCommand = (deps: CommandDeps): Declaration =>
  defineOperation({
    name: "commands.submit", summary: "Move a bot: start, pause, stop, quarantine", http: { method: "POST", path: "/api/commands" },
    input: SubmitCommandInput, output: AnswerSchema, key: "command_id", permission: ["operator", "admin"],
    risk: ({ requested_transition }) => riskOf(requested_transition),
    danger: ({ requested_transition, target }) => (isDangerous(requested_transition) ? { kind: "confirm", requires: ["phrase"], phrase: target.bot_id ?? "I UNDERSTAND LIVE RISK" } : { kind: "none" }),
    target: ({ target }) => (target.bot_id === undefined ? { resource_type: "group", resource_id: target.group_id ?? "" } : { resource_type: "bot", resource_id: target.bot_id }),
    gates: [],
    load: async (reader, input, { store, now }): Promise<CommandFacts> => {
      const bot = input.target.bot_id === undefined ? undefined : await readBot(reader, store, input.target.bot_id);
      if (bot === undefined) return { bot, instance: undefined, gathered: undefined };
      const spec = specOf(bot);
      const instance = await readInstance(reader, store, { bot_id: bot.bot_id, strategy_id: spec.strategy.strategy_id, instance_id: MAIN_INSTANCE });
      const { from, to } = input.requested_transition;
      const starts = isRunning(to) && to !== "RUNNING_LIVE" && bot.state === from;
      return { bot, instance, gathered: starts ? await gatherPreflight(deps, reader, store, bot.bot_id, spec, now) : undefined };
    },
    decide: (facts, input, context) => {
      const judged = judgeCommand(input, facts.bot, context.principal.id, context.now);
      if (!judged.ok) return judged;
      return isRunning(judged.value.to) ? decideStart(deps, judged.value, facts, input, context) : ok(decideHalt(judged.value, facts.instance, input, context));
    },
    preview: (facts, input) => {
      const preflight = facts.gathered === undefined ? null : judgePreflight(facts.gathered.facts, "preview").report;
      return { bot_id: input.target.bot_id ?? null, current_state: facts.bot?.state ?? null, requested: input.requested_transition, preflight, capital: facts.bot === undefined ? null : specOf(facts.bot).capital };
    },
  });

function decideStart(deps: CommandDeps, { bot, from, to }: Judged, { instance, gathered }: CommandFacts, input: SubmitCommand, context: DecideContext): Result<Decision, Failure> {
  invariant(gathered !== undefined, "no start without a preflight (L-N3)");
  const { report, refusal } = judgePreflight(gathered.facts, context.newId());
  if (refusal !== undefined) return err(refusal);
  const { strategy, venue, config } = gathered;
  invariant(strategy !== undefined && venue !== undefined && config !== undefined, "a passed preflight found what it looked at");
  const { now, store } = context;
  const spec = specOf(bot);
  const mode = to === "RUNNING_SHADOW" ? "shadow" : "paper";
  const same = continues(from, mode, instance, { strategy_id: spec.strategy.strategy_id, pack_digest: strategy.digest });
  const run_id = same && instance !== undefined ? (instance.run_id as Uuid) : context.newId();
  const start: StartSpec = {
    bot_id: bot.bot_id as BotId, strategy_id: spec.strategy.strategy_id, instance_id: MAIN_INSTANCE, strategy_version: spec.strategy.strategy_version,
    run_id, trace_id: input.trace_id, generation: bot.generation, mode, descriptor: strategy.descriptor, pack_dir: strategy.directory, pack_digest: strategy.digest,
    config, seed: `bot/${bot.bot_id}`, environment: deps.environment,
    instruments: venueInstruments(venue, spec.instruments),
    venue: {
      venue_id: venue.venue_id, files: venue.files.filter((file) => spec.instruments.includes(file.instrument.instrument_id)), pace: venue.pace,
      maker_fee_ppm: venue.fees.maker_ppm, taker_fee_ppm: venue.fees.taker_ppm, latency_us: venue.latency.base_us, latency_jitter_us: venue.latency.jitter_us, seed: venue.seed,
    },
    limits: { capital: spec.capital, intents_per_second: strategy.descriptor.resources.intents_per_second, max_open_orders: CONTROL_LIMITS.open_orders },
    isolation: spec.isolation, run_dir: deps.runDir(bot.bot_id, run_id),
  };
  const wish = { desired: "running", desired_since: now, generation: bot.generation, trace_id: input.trace_id, spec: JSON.stringify(start), stop_reason: null, failure: null } as const;
  const writes = same && instance !== undefined
    ? [updateInstance(store, instance, { ...wish, ...(from === "ERROR" ? { phase: "none" as const } : {}) }, now)]
    : [
        putInstance(store, {
          bot_id: bot.bot_id, strategy_id: start.strategy_id, instance_id: start.instance_id, run_id, mode, epoch: 0, holder: null, starts: 0, config: null, config_actor: null, config_at: null,
          phase: "none", health_state: null, status: null, updated_at: now, row_version: 1, ...wish,
        }, instance),
        ...(instance === undefined ? [] : [endRun(store, instance.run_id, "REPLACED", now)]),
        insertRun(store, {
          run_id, bot_id: bot.bot_id, strategy_id: start.strategy_id, instance_id: start.instance_id, mode, trace_id: input.trace_id, command_id: input.command_id, generation: bot.generation,
          pack_digest: strategy.digest, report_id: report.report_id, holder: null, started_at: now, ended_at: null, end_reason: null, journal_seq: 0, journal_at: now,
        }),
      ];
  return ok(movedDecision({ bot, from, to }, input, context, { writes, run_id, report, mode, reason_code: same ? "CONTINUED" : "STARTED" }));
}

function decideHalt({ bot, from, to }: Judged, instance: InstanceRow | undefined, input: SubmitCommand, context: DecideContext): Decision {
  const { store, now } = context;
  const desired = to === "PAUSED" ? "paused" : "stopped";
  const open = instance !== undefined && (instance.desired !== "stopped" || instance.holder !== null);
  const writes = open ? [updateInstance(store, instance, { desired, desired_since: now, stop_reason: desired === "stopped" ? to : null }, now)] : [];
  // Nothing runs (an ERROR that left no holder): the stop is proven at once.
  const settled = to === "STOPPING" && (instance === undefined || instance.holder === null);
  const moved = movedDecision({ bot, from, to }, input, context, { writes, run_id: bot.run_id, report: undefined, mode: bot.mode, reason_code: "COMMANDED" });
  if (!settled) return moved;
  const done = updateBot(store, bot, { state: "IDLE", state_reason: "NOTHING_RUNS", state_since: now, run_id: null, mode: null }, now);
  const [, ...others] = moved.writes;
  return {
    ...moved, status: 200, writes: [done, ...others, ...(bot.run_id === null ? [] : [endRun(store, bot.run_id, "STOPPED", now)])],
    events: [...moved.events, transitionEvent(bot.bot_id, "STOPPING", "IDLE", bot.generation, input.command_id, "NOTHING_RUNS")],
    data: { ...(moved.data as object), status: "applied", state: "IDLE" },
  };
}

type Moved = { readonly writes: Decision["writes"]; readonly run_id: string | null; readonly report: PreflightReport | undefined; readonly mode: "paper" | "shadow" | null; readonly reason_code: string };

/** What every successful command leaves: the bot's new state, its own record, the preflight report, the events. */
function movedDecision({ bot, from, to }: Judged, input: SubmitCommand, context: DecideContext, moved: Moved): Decision {
  const { store, now, principal } = context;
  const status = to === "QUARANTINED" && moved.writes.length === 0 ? "applied" : "accepted";
  const row: CommandRow = {
    command_id: input.command_id, bot_id: bot.bot_id, from_state: from, to_state: to, actor: principal.id, reason: input.reason, trace_id: input.trace_id,
    caller_run_id: input.run_id, run_id: moved.run_id, status, report_id: moved.report?.report_id ?? null, created_at: now,
  };
  const reports = moved.report === undefined ? [] : [
    write(store.builder<PreflightTables>().insertInto("preflight_report").values({ report_id: moved.report.report_id, bot_id: bot.bot_id, command_id: input.command_id, passed: 1, items: JSON.stringify(moved.report.items), created_at: now }), 1),
  ];
  return {
    writes: [
      updateBot(store, bot, { state: to, state_reason: moved.reason_code, state_since: now, run_id: moved.run_id, mode: moved.mode }, now),
      ...moved.writes, insertCommand(store, row), ...reports, feed(store, "bot", bot.bot_id, { bot_id: bot.bot_id, state: to, run_id: moved.run_id }, now),
    ],
    events: [...admissionEvent(bot, moved.report), transitionEvent(bot.bot_id, from, to, bot.generation, input.command_id, moved.reason_code)],
    outbox: [], status: status === "accepted" ? 202 : 200,
    data: { command_id: input.command_id, status, bot_id: bot.bot_id, requested_transition: { from, to }, state: to, run_id: moved.run_id, trace_id: input.trace_id, preflight: moved.report ?? null },
  };
}

function admissionEvent(bot: BotRow, report: PreflightReport | undefined): readonly EventDraft[] {
  if (report === undefined) return [];
  const { pack_id, strategy_id, digest } = specOf(bot).strategy;
  const checks = report.items.map(({ item, state }) => ({ item, state }));
  return [{ action: "strategy.admission", resource_type: "bot", resource_id: bot.bot_id, outcome: "SUCCESS", details: { pack_id, strategy_id, digest, admitted: true, checks, report_id: report.report_id } }];
}

function venueInstruments(venue: NonNullable<Gathered["venue"]>, wanted: readonly string[]): StartSpec["instruments"] {
  return wanted.map((id) => {
    const file = venue.files.find((one) => one.instrument.instrument_id === id);
    invariant(file !== undefined, "the preflight found every instrument on the venue");
    return file.instrument;
  });
}

const showCommand = defineQuery({
  name: "commands.show", summary: "One command with its whole audit chain", http: { method: "GET", path: "/api/commands/{command_id}" },
  input: Type.Object({ command_id: CommandIdField }, CLOSED), output: AnswerSchema, permission: EVERYONE,
  read: async (reader, { command_id }, { store }) => {
    const row = await first<CommandRow>(reader, store.builder<CommandTables>().selectFrom("command").selectAll().where("command_id", "=", command_id));
    const own = await readEvents(reader, store, { request_id: command_id, limit: 200 });
    if (row === undefined && own.length === 0) return err(failure("RUMI-BOT-016", { command_id }));
    const denied = own.find((event) => event.action === "controlplane.command.denied");
    const of_run = row?.run_id == null ? [] : await readEvents(reader, store, { run_id: row.run_id, limit: 200 });
    const chain = [...own, ...of_run].toSorted((a, b) => a.log_index - b.log_index);
    const status = row?.status === "accepted" && (await carriedOut(reader, store, row)) ? "applied" : (row?.status ?? (denied === undefined ? "requested" : "denied"));
    return ok({ command_id, ...(row === undefined ? {} : commandView(row)), status, reason_code: denied?.details["reason_code"] ?? null, error_code: denied?.details["error_code"] ?? null, audit: chain });
  },
});

/** An accepted command is applied once the runner reports what it asked for. */
async function carriedOut(reader: Reader, sql: Sql, row: CommandRow): Promise<boolean> {
  const bot = await readBot(reader, sql, row.bot_id);
  if (bot === undefined || row.run_id === null) return false;
  const instance = await readInstance(reader, sql, { bot_id: bot.bot_id, strategy_id: specOf(bot).strategy.strategy_id, instance_id: MAIN_INSTANCE });
  if (instance?.run_id !== row.run_id) return true;
  const reached: Partial<Record<BotState, readonly string[]>> = {
    RUNNING_PAPER: ["running", "feed_ended", "paused", "stopping", "stopped"], RUNNING_SHADOW: ["running", "feed_ended", "paused", "stopping", "stopped"],
    PAUSED: ["paused", "stopped"], STOPPING: ["stopped"], QUARANTINED: ["stopped", "failed"],
  };
  return (reached[row.to_state as BotState] ?? []).includes(instance.phase);
}

const listCommands = defineQuery({
  name: "commands.list", summary: "Commands, newest first", http: { method: "GET", path: "/api/commands" },
  input: Type.Object({ bot_id: Type.Optional(BotIdField), cursor: Type.Optional(Type.String({ maxLength: 512 })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) }, CLOSED),
  output: AnswerSchema, permission: EVERYONE,
  read: async (reader, { bot_id, cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["number", "string"]);
    if (!after.ok) return after;
    let query = store.builder<CommandTables>().selectFrom("command").selectAll().orderBy("created_at", "desc").orderBy("command_id", "desc").limit(limit + 1);
    if (bot_id !== undefined) query = query.where("bot_id", "=", bot_id);
    if (after.value !== undefined) {
      const [at, id] = after.value as [number, string];
      query = query.where((of) => of.or([of("created_at", "<", at), of.and([of("created_at", "=", at), of("command_id", "<", id)])]));
    }
    const rows = await reader.rows<CommandRow>(query);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return ok({ commands: page.map(commandView), count: page.length, next_cursor: rows.length > limit && last !== undefined ? encodeCursor([last.created_at, last.command_id]) : null });
  },
});

function commandView(row: CommandRow) {
  const { from_state, to_state, created_at, ...rest } = row;
  return { ...rest, requested_transition: { from: from_state, to: to_state }, created_at: isoFromMicros(micros(created_at)) };
}
