/** The registry: list, show, apply another configuration; create.ts makes bots. */
import {
  digestOf,
  err,
  failure,
  isoFromMicros,
  canonicalJson,
  micros,
  ok,
  type Failure,
  type JsonObject,
  type Result,
} from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type EventDraft } from "@rumi/operations";
import type { StrategyReference } from "@rumi/platform";
import type { Reader, Write } from "@rumi/store";
import { Type, type Static } from "@sinclair/typebox";
import { sql as rawSql } from "kysely";
import type { StrategyDescriptor } from "@rumi/abi";
import { lookAtPlanned, type Words } from "../release/look.ts";
import { configFor, shardsOf, type Shard } from "../instances/shards.ts";
import { REQUIRED_GATES } from "../gates/guard.ts";
import { readInstances, updateInstance, type InstanceRow } from "../instances/tables.ts";
import { instanceView } from "../instances/view.ts";
import { triageOf } from "../triage/gather.ts";
import { BOT_STATES, isRunning } from "../lifecycle/states.ts";
import { LIVE_CONFIRM_SECONDS } from "../challenges/model.ts";
import { BotIdField, CLOSED, EVERYONE } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, type Sql } from "../shared/sql.ts";
import { ApplyConfigInput, judgeConfig, nextVersion, type BotSpec } from "./model.ts";
import {
  insertVersion,
  readBot,
  readConditions,
  specOf,
  updateBot,
  type BotConditionRow,
  type BotRow,
  type BotTables,
  type BotVersionRow,
} from "./tables.ts";
import { AppliedConfigAnswer, BotsAnswer, WholeBotAnswer } from "./answers.ts";

export type BotDeps = {
  /** Reads what was approved; refuses with the pack's own codes. */
  readonly approvedStrategy: (
    reader: Reader,
    reference: StrategyReference,
  ) => Promise<Result<StrategyDescriptor, Failure>>;
};

export function botDeclarations(deps: BotDeps): readonly Declaration[] {
  return [listBots, showBot, applyConfig(deps)];
}

const botTarget = (input: { readonly bot_id: string }) => ({ resource_type: "bot", resource_id: input.bot_id });

const ListInput = Type.Object(
  {
    state: Type.Optional(Type.Union(BOT_STATES.map((state) => Type.Literal(state)))),
    label: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "name or name=value" })),
    q: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    ...PAGE_FIELDS,
  },
  CLOSED,
);

const listBots = defineQuery({
  name: "bots.list",
  summary: "Bots, by state, label or words",
  http: { method: "GET", path: "/api/bots" },
  input: ListInput,
  output: BotsAnswer,
  permission: EVERYONE,
  read: async (reader, input, { store }) => {
    const after = decodeCursor(input.cursor, ["string"]);
    if (!after.ok) return after;
    const limit = input.limit ?? 50;
    const rows = await reader.rows<BotRow>(botsQuery(store, input, after.value?.[0] as string | undefined, limit + 1));
    const { page, next_cursor } = pageOf(rows, limit, (row) => [row.bot_id]);
    return ok({
      bots: page.map(botView),
      count: page.length,
      next_cursor,
    });
  },
});

/** First which, then what: the page's ids come out of indexes alone, and only their rows are read whole. */
function botsQuery(sql: Sql, input: Static<typeof ListInput>, after: string | undefined, limit: number) {
  const db = sql.builder<BotTables>();
  const conditions = [rawSql<boolean>`bot.bot_id > ${after ?? ""}`];
  if (input.state !== undefined) conditions.push(rawSql<boolean>`bot.state = ${input.state}`);
  if (input.q !== undefined) {
    const like = rawSql`${LIKE[sql.dialect]} ${`%${input.q.replace(/[!%_]/g, "!$&")}%`} escape '!'`;
    conditions.push(rawSql<boolean>`(bot.bot_id ${like} or bot.display_name ${like})`);
  }
  const met = rawSql<boolean>`${rawSql.join(conditions, rawSql` and `)}`;
  const found = () => {
    if (input.label === undefined)
      return db.selectFrom("bot").select("bot.bot_id").where(met).orderBy("bot.bot_id").limit(limit);
    const [name = "", value] = input.label.split(/=(.*)/s);
    // In the order of the label's own column: then its index gives no more rows than the page needs.
    const named = db
      .selectFrom("bot_label")
      .innerJoin("bot", "bot.bot_id", "bot_label.bot_id")
      .select("bot.bot_id")
      .where("bot_label.name", "=", name)
      .where("bot_label.bot_id", ">", after ?? "")
      .where(met)
      .orderBy("bot_label.bot_id")
      .limit(limit);
    return value === undefined ? named : named.where("bot_label.value", "=", value);
  };
  return db.selectFrom("bot").selectAll().where("bot_id", "in", found()).orderBy("bot_id");
}

/** Whatever its case, without a new text for each row; the escape is said, because the dialects' defaults differ. */
const LIKE = { sqlite: rawSql`like`, postgres: rawSql`ilike` } as const;

const showBot = defineQuery({
  name: "bots.show",
  summary: "One bot: specification, status, conditions, instances, versions; what is wrong, why, and what to do",
  http: { method: "GET", path: "/api/bots/{bot_id}" },
  input: Type.Object({ bot_id: BotIdField }, CLOSED),
  output: WholeBotAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id }, { store, now }) => {
    const row = await readBot(reader, store, bot_id);
    if (row === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
    const db = store.builder<BotTables>();
    const versions = await reader.rows<BotVersionRow>(
      db.selectFrom("bot_version").selectAll().where("bot_id", "=", bot_id).orderBy("generation", "desc").limit(200),
    );
    const instances = await readInstances(reader, store, bot_id);
    return ok({
      ...botView(row),
      conditions: (await readConditions(reader, store, bot_id)).map(conditionView),
      instances: instances.map(instanceView),
      // The bot's own page stands beside the causes: whoever looks at a failure need not look for it (L-47).
      triage: {
        ...(await triageOf(reader, store, row, now, instances)),
        bot_runbook: specOf(row).runbook ?? null,
      },
      versions: versions.map(({ generation, version, created_at, created_by, reason }) => ({
        generation,
        version,
        created_at: isoFromMicros(micros(created_at)),
        created_by,
        reason,
      })),
    });
  },
});

type ConfigFacts = {
  /** Of what would run from then on: its changelog, its certificate; undefined where nothing runs. */
  readonly words: Words | undefined;
  readonly bot: BotRow | undefined;
  readonly descriptor: Result<StrategyDescriptor, Failure> | undefined;
  readonly instances: readonly InstanceRow[];
};

const applyConfig = ({ approvedStrategy }: BotDeps): Declaration =>
  defineOperation({
    name: "bots.config_apply",
    summary: "Apply another configuration at the next tick, bar or checkpoint",
    http: { method: "POST", path: "/api/bots/{bot_id}/config/apply" },
    input: ApplyConfigInput,
    output: AppliedConfigAnswer,
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => "increase",
    danger: ({ bot_id }, facts: ConfigFacts) =>
      facts.bot?.state === "RUNNING_LIVE"
        ? {
            kind: "confirm",
            requires: ["phrase"],
            phrase: bot_id,
            base: { state: facts.bot.state, generation: facts.bot.generation, run_id: facts.bot.run_id },
            confirm_within_seconds: LIVE_CONFIRM_SECONDS,
          }
        : { kind: "none" },
    target: botTarget,
    gates: [REQUIRED_GATES],
    load: async (reader, { bot_id, config, reason }, { store, now }) => {
      const bot = await readBot(reader, store, bot_id);
      const descriptor = bot === undefined ? undefined : await approvedStrategy(reader, specOf(bot).strategy);
      const instances = await readInstances(reader, store, bot_id);
      if (bot === undefined || !isRunning(bot.state) || bot.mode === null || descriptor?.ok !== true)
        return { bot, descriptor, instances, words: undefined };
      const judged = judgeConfig(descriptor.value, config as JsonObject);
      const spec = judged.ok ? { ...specOf(bot), config: judged.value } : specOf(bot);
      const words = await lookAtPlanned(reader, store, bot, { spec, reason, mode: bot.mode, now });
      return { bot, descriptor, instances, words };
    },
    decide: ({ bot, descriptor, instances, words }, input, context) => {
      if (bot === undefined || descriptor === undefined) return err(failure("RUMI-BOT-001", { bot_id: input.bot_id }));
      // Live is here only when confirmed.
      if (["STOPPING", "ERROR", "QUARANTINED", "CREATED"].includes(bot.state))
        return err(failure("RUMI-BOT-024", { bot_id: bot.bot_id, state: bot.state }));
      if (!descriptor.ok) return descriptor;
      const config = judgeConfig(descriptor.value, input.config as JsonObject);
      if (!config.ok) return config;
      const told = diffOf(specOf(bot).config, config.value).length === 0 ? ok(null) : judgeWords(bot, words);
      if (!told.ok) return told;
      const shards = shardsOf({ ...specOf(bot), config: config.value }, descriptor.value);
      return shards.ok
        ? ok(configDecision(bot, config.value, { shards: shards.value, instances }, input, context))
        : shards;
    },
    preview: (facts, input) => {
      const { bot } = facts;
      return bot === undefined
        ? { bot_id: input.bot_id, diff: null }
        : { bot_id: bot.bot_id, state: bot.state, generation: bot.generation, diff: configDiff(facts, input) };
    },
    diff: (facts, input) => configDiff(facts, input) ?? [],
  });

/** What runs is changed only on words on which it could start. */
function judgeWords({ mode }: BotRow, words: Words | undefined): Result<unknown, Failure> {
  if (words === undefined) return ok(null);
  return mode === "live" && !words.changelog.ok ? words.changelog : words.release;
}

/** Null where the configuration is none of this strategy's. */
function configDiff({ bot, descriptor }: ConfigFacts, { config }: Static<typeof ApplyConfigInput>) {
  if (bot === undefined || descriptor?.ok !== true) return null;
  const judged = judgeConfig(descriptor.value, config as JsonObject);
  return judged.ok ? diffOf(specOf(bot).config, judged.value) : null;
}

function diffOf(before: JsonObject, after: JsonObject) {
  return Object.keys({ ...before, ...after })
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((field) => ({ field, before: before[field] ?? null, after: after[field] ?? null }));
}

function configDecision(
  bot: BotRow,
  config: JsonObject,
  { shards, instances }: { readonly shards: readonly Shard[]; readonly instances: readonly InstanceRow[] },
  input: Static<typeof ApplyConfigInput>,
  context: Parameters<Extract<Declaration, { kind: "operation" }>["decide"]>[2],
) {
  const { now, store, principal } = context;
  const before = specOf(bot);
  const after: BotSpec = { ...before, config };
  const diff = diffOf(before.config, config);
  const changed = diff.map(({ field }) => field);
  if (changed.length === 0)
    return { writes: [], events: [], outbox: [], data: { ...botView(bot), applied: false, changed } };
  const next: BotRow = {
    ...bot,
    spec: JSON.stringify(after),
    generation: bot.generation + 1,
    version: nextVersion(bot.version, before, after),
  };
  const running = instances.filter((instance) => instance.desired !== "stopped");
  const details = { ...versionDetails(next, after), changed };
  return {
    writes: [
      updateBot(
        store,
        bot,
        {
          spec: next.spec,
          generation: next.generation,
          version: next.version,
          observed_generation: running.length === 0 ? next.generation : bot.observed_generation,
        },
        now,
      ),
      insertVersion(store, versionRow(next, now, principal.id, input.reason)),
      ...running.map((instance) =>
        updateInstance(
          store,
          instance,
          {
            // What a shard has instead of the bot's values stays its own.
            config: JSON.stringify(configFor(shards, instance.instance_id) ?? config),
            config_actor: principal.id,
            config_at: input.at,
            generation: next.generation,
          },
          now,
        ),
      ),
    ],
    events: [
      { action: "bot.version.created", ...botResource(bot.bot_id), details },
      { action: "bot.config.applied", ...botResource(bot.bot_id), details: { ...details, at: input.at, diff } },
    ],
    outbox: [],
    feed: [
      { kind: "bot", key: bot.bot_id, data: { bot_id: bot.bot_id, state: bot.state, generation: next.generation } },
    ],
    data: { ...botView(next), applied: true, changed, at: input.at },
  };
}

export function botView(row: BotRow) {
  const spec = specOf(row);
  return {
    bot_id: row.bot_id,
    display_name: row.display_name,
    state: row.state,
    version: row.version,
    generation: row.generation,
    observed_generation: row.observed_generation,
    labels: spec.labels ?? {},
    spec,
    status: {
      state: row.state,
      mode: row.mode,
      run_id: row.run_id,
      reason: row.state_reason,
      since: isoFromMicros(micros(row.state_since)),
    },
    created_at: isoFromMicros(micros(row.created_at)),
    created_by: row.created_by,
    updated_at: isoFromMicros(micros(row.updated_at)),
    retired_at: row.retired_at === null ? null : isoFromMicros(micros(row.retired_at)),
  };
}

export function conditionView(row: BotConditionRow) {
  const { bot_id: _, last_transition_time, ...rest } = row;
  return { ...rest, last_transition_time: isoFromMicros(micros(last_transition_time)) };
}

export function botResource(bot_id: string): Pick<EventDraft, "resource_type" | "resource_id" | "outcome"> {
  return { resource_type: "bot", resource_id: bot_id, outcome: "SUCCESS" };
}

export function transitionEvent(
  bot_id: string,
  from: string | null,
  to: string,
  generation: number,
  command_id: string | null,
  reason_code: string,
): EventDraft {
  return {
    action: "bot.state.transition",
    ...botResource(bot_id),
    details: { from, to, generation, command_id, reason_code },
  };
}

/** The immutable record of a bot's newest version. */
export function insertBotVersion(sql: Sql, row: BotRow, now: number, created_by: string, reason: string): Write {
  return insertVersion(sql, versionRow(row, now, created_by, reason));
}

function versionRow(row: BotRow, created_at: number, created_by: string, reason: string): BotVersionRow {
  return {
    bot_id: row.bot_id,
    generation: row.generation,
    version: row.version,
    spec: row.spec,
    created_at,
    created_by,
    reason,
  };
}

export function versionDetails(row: BotRow, spec: BotSpec): Readonly<Record<string, unknown>> {
  const { strategy_id, strategy_version, pack_id, digest } = spec.strategy;
  return {
    generation: row.generation,
    strategy_id,
    strategy_version,
    pack_id,
    digest,
    config_hash: digestOf(canonicalJson(spec.config)),
  };
}
