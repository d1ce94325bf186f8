/** The graph of what a bot needs and who needs it. */
import { err, failure, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { readBot, specOf } from "../bots/tables.ts";
import { BotIdField, CLOSED, EVERYONE } from "../shared/fields.ts";
import type { Sql } from "../shared/sql.ts";
import { stateOf, type DependencyDeps } from "./look.ts";
import { circleFrom, DEPENDENCY_LIMITS, parseDependency } from "./model.ts";
import { readNeededBy, readNeeds } from "./tables.ts";
import { DependenciesAnswer } from "./answers.ts";

export const dependencyDeclarations = (deps: DependencyDeps): readonly Declaration[] => [showDependencies(deps)];

const showDependencies = (deps: DependencyDeps): Declaration =>
  defineQuery({
    name: "bots.dependencies",
    summary: "What a bot needs, all the way down, whether it is there now, and which bots need this one",
    http: { method: "GET", path: "/api/bots/{bot_id}/dependencies" },
    input: Type.Object({ bot_id: BotIdField }, CLOSED),
    output: DependenciesAnswer,
    permission: EVERYONE,
    read: async (reader, { bot_id }, { store }) => {
      if ((await readBot(reader, store, bot_id)) === undefined) return err(failure("RUMI-BOT-001", { bot_id }));
      return ok({ bot_id, ...(await graphOf(deps, reader, store, bot_id)) });
    },
  });

type Edge = { readonly from: string; readonly to: string; readonly declared: boolean };

async function graphOf(deps: DependencyDeps, reader: Reader, sql: Sql, bot_id: string) {
  const needs = await readNeeds(reader, sql, [bot_id]);
  const edges: Edge[] = [];
  for (const one of needs.keys()) edges.push(...(await edgesOf(reader, sql, one)));
  const nodes = [];
  for (const text of new Set(edges.map(({ to }) => to))) {
    const parsed = parseDependency(text);
    nodes.push(
      parsed.ok
        ? await stateOf(deps, reader, sql, parsed.value)
        : { dependency: text, kind: null, state: "MISSING", problem: "it cannot be read" },
    );
  }
  return {
    nodes,
    edges,
    needed_by: await readNeededBy(reader, sql, bot_id),
    circle: circleFrom(bot_id, needs) ?? null,
    truncated: needs.size > DEPENDENCY_LIMITS.bots,
  };
}

/** What the specification names anyway is a dependency too: its strategy at its pack, and its venue's data. */
async function edgesOf(reader: Reader, sql: Sql, bot_id: string): Promise<readonly Edge[]> {
  const bot = await readBot(reader, sql, bot_id);
  if (bot === undefined) return [];
  const { strategy, venue, dependencies = [] } = specOf(bot);
  const from = `bot:${bot_id}`;
  return [
    {
      from,
      to: `strategy:${strategy.pack_id}/${strategy.strategy_id}@${strategy.strategy_version}`,
      declared: false,
    },
    { from, to: `data:${venue}`, declared: false },
    ...dependencies.map((to) => ({ from, to, declared: true })),
  ];
}
