/**
 * What the control plane's own rows tell a helper, as texts by path. Configurations keep their names and numbers and lose
 * their texts here already; the redactor goes over everything once more.
 */
import type { Micros } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import { readEvents } from "../audit/events.ts";
import { botView, conditionView } from "../bots/operations.ts";
import { readBot, readConditions, specOf, type BotRow, type BotTables } from "../bots/tables.ts";
import { ladderView } from "../attestation/operations.ts";
import type { LadderRow, LadderTables } from "../attestation/tables.ts";
import { commandView } from "../commands/queries.ts";
import type { CommandRow, CommandTables } from "../commands/tables.ts";
import { gateResult } from "../gates/model.ts";
import { readGates } from "../gates/tables.ts";
import { holdView } from "../holds/model.ts";
import { readHolds } from "../holds/tables.ts";
import { readInstances } from "../instances/tables.ts";
import { instanceView } from "../instances/view.ts";
import { readKillSwitch, ruleView } from "../kill-switch/tables.ts";
import { readRunners } from "../runners/tables.ts";
import { readSafety, safetyView } from "../safety/tables.ts";
import type { Sql } from "../shared/sql.ts";
import { triagesOf } from "../triage/gather.ts";
import { textsWithin, withheld } from "./redactor.ts";

/** Rows of each list; the newest where there is an order. */
const MOST = 200;

export type BundleFacts = {
  readonly texts: Readonly<Record<string, string>>;
  /** Texts of configurations, which may be anything. */
  readonly secrets: readonly string[];
};

/** Everything, or what is about one bot and what holds for all. */
export async function bundleFacts(reader: Reader, sql: Sql, bot_id: string | null, now: Micros): Promise<BundleFacts> {
  const bots = await botsOf(reader, sql, bot_id);
  const instances = (await readInstances(reader, sql, bot_id ?? undefined)).slice(0, 1_000);
  const about = bot_id === null ? {} : { resource_type: "bot", resource_id: bot_id };
  const newest = { ...about, order: "desc", limit: MOST } as const;
  const conditions = await Promise.all(
    bots.map(async (bot) => ({
      bot_id: bot.bot_id,
      conditions: (await readConditions(reader, sql, bot.bot_id)).map(conditionView),
    })),
  );
  const views = instances.map(instanceView);
  return {
    secrets: bots.flatMap((bot) => textsWithin(specOf(bot).config)),
    texts: {
      "bots.json": json(bots.map(withoutConfig)),
      "conditions.json": json(conditions),
      "instances.json": json(views),
      "statistics.json": json(statisticsOf(views)),
      "triage.json": json(await triagesOf(reader, sql, bots, now)),
      "stops.json": json((await laddersOf(reader, sql, bot_id)).map(ladderView)),
      "commands.json": json((await commandsOf(reader, sql, bot_id)).map(commandView)),
      "failures.json": json(await readEvents(reader, sql, { ...newest, outcome: "FAILURE" })),
      "refusals.json": json(await readEvents(reader, sql, { ...newest, outcome: "REJECTED" })),
      "safety.json": json(safetyView(await readSafety(reader, sql))),
      "gates.json": json((await readGates(reader, sql)).map((row) => gateResult(row, now))),
      "killswitch.json": json((await readKillSwitch(reader, sql)).rules.map(ruleView)),
      "holds.json": json((await readHolds(reader, sql)).map((row) => holdView(row, now))),
      "runners.json": json(await readRunners(reader, sql)),
    },
  };
}

async function botsOf(reader: Reader, sql: Sql, bot_id: string | null): Promise<readonly BotRow[]> {
  if (bot_id !== null) {
    const bot = await readBot(reader, sql, bot_id);
    return bot === undefined ? [] : [bot];
  }
  return reader.rows<BotRow>(
    sql.builder<BotTables>().selectFrom("bot").selectAll().orderBy("updated_at", "desc").limit(MOST),
  );
}

function laddersOf(reader: Reader, sql: Sql, bot_id: string | null): Promise<readonly LadderRow[]> {
  const all = sql.builder<LadderTables>().selectFrom("stop_ladder").selectAll().orderBy("run_id", "desc").limit(MOST);
  return reader.rows<LadderRow>(bot_id === null ? all : all.where("bot_id", "=", bot_id));
}

function commandsOf(reader: Reader, sql: Sql, bot_id: string | null): Promise<readonly CommandRow[]> {
  const all = sql
    .builder<CommandTables>()
    .selectFrom("command")
    .selectAll()
    .orderBy("created_at", "desc")
    .orderBy("command_id", "desc")
    .limit(MOST);
  return reader.rows<CommandRow>(bot_id === null ? all : all.where("bot_id", "=", bot_id));
}

function withoutConfig(bot: BotRow) {
  const view = botView(bot);
  return { ...view, spec: { ...view.spec, config: withheld(view.spec.config) } };
}

type Counted = {
  readonly health_state: string | null;
  readonly reason_code: string | null;
  readonly counters: Readonly<Record<string, unknown>>;
};

/** Counts of all instances by reason code, faults by kind, and how many are in which health for which reason. */
export function statisticsOf(instances: readonly Counted[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  const add = (name: string, count: number): void => void sums.set(name, (sums.get(name) ?? 0) + count);
  for (const { counters, health_state, reason_code } of instances) {
    if (health_state !== null) add(["health", health_state, reason_code ?? ""].join(" ").trimEnd(), 1);
    for (const [name, count] of Object.entries(counters))
      if (name.includes("_total") && typeof count === "number") add(name, count);
  }
  return Object.fromEntries([...sums].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
