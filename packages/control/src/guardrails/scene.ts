/** Gathers what hard blocks look at, from the command's own snapshot; only what some block of its action asks for. */
import type { GuardrailContext } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { isCapital } from "../bots/model.ts";
import { readBot, readMoving, specOf, type BotRow } from "../bots/tables.ts";
import { stateOf } from "../gates/model.ts";
import { readGates } from "../gates/tables.ts";
import { holdOn, holdScopeText } from "../holds/model.ts";
import { readHolds, type HoldRow } from "../holds/tables.ts";
import { botOf, killTarget } from "../kill-switch/guard.ts";
import { amountOf } from "../risk/model.ts";
import type { Sql } from "../shared/sql.ts";
import type { HardBlock, Scene } from "./conditions.ts";

export async function sceneOf(
  reader: Reader,
  sql: Sql,
  context: GuardrailContext,
  blocks: readonly HardBlock[],
): Promise<Scene> {
  const { now } = context;
  const asks = (...conditions: readonly HardBlock["condition"][]): boolean =>
    blocks.some(({ condition }) => conditions.includes(condition));
  const named = asks("incident_open", "stop_unproven", "capital_over", "targets_over") ? namedBots(context) : [];
  const bots = asks("incident_open", "stop_unproven", "capital_over") ? await readBots(reader, sql, named) : [];
  return {
    now,
    targets: named.length,
    incidents: asks("incident_open") ? incidentsOn(await readHolds(reader, sql), named, bots) : [],
    stopping: asks("stop_unproven") ? await unproven(reader, sql, named, bots) : [],
    gates: new Map(
      asks("gate_not_pass") ? (await readGates(reader, sql)).map((row) => [row.gate, stateOf(row, now)]) : [],
    ),
    capital: asks("capital_over") ? capitalOf(context, bots) : null,
  };
}

/** Bots that it is about: the one that it names, else the list that it resolves. */
function namedBots(context: GuardrailContext): readonly string[] {
  const bot_id = botOf(context);
  if (bot_id !== null) return [bot_id];
  const { targets } = context.impact();
  return Array.isArray(targets) ? targets.filter((one) => typeof one === "string") : [];
}

async function readBots(reader: Reader, sql: Sql, named: readonly string[]): Promise<readonly BotRow[]> {
  const rows: BotRow[] = [];
  for (const bot_id of named) {
    const row = await readBot(reader, sql, bot_id);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

/** Of a wish that names no bot every incident counts. */
function incidentsOn(holds: readonly HoldRow[], named: readonly string[], bots: readonly BotRow[]): readonly string[] {
  const incidents = holds.filter(({ kind }) => kind === "incident");
  const meant =
    named.length === 0
      ? incidents
      : [null, ...bots.map(killTarget)].flatMap((target) => holdOn(incidents, target, ["incident"]) ?? []);
  return [...new Set(meant.map((row) => `${holdScopeText(row)} by ${row.set_by}`))];
}

async function unproven(
  reader: Reader,
  sql: Sql,
  named: readonly string[],
  bots: readonly BotRow[],
): Promise<readonly string[]> {
  const looked = named.length === 0 ? await readMoving(reader, sql) : bots;
  return looked.filter(({ state }) => state === "STOPPING").map(({ bot_id }) => bot_id);
}

/** What the wish asks for, else what the bots have that it is about. An amount that cannot be read throws: no evidence. */
function capitalOf({ input }: GuardrailContext, bots: readonly BotRow[]): bigint | null {
  const { capital } = input;
  if (capital !== undefined) return readAmount(capital);
  return bots.length === 0 ? null : bots.reduce((sum, bot) => sum + readAmount(specOf(bot).capital), 0n);
}

function readAmount(capital: unknown): bigint {
  if (typeof capital !== "string" || !isCapital(capital))
    throw new Error("the capital that it is about cannot be read");
  return amountOf(capital);
}
