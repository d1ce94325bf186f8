/** Which bot declared which dependencies, so that the graph can be walked both ways; written once, with the bot. */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";
import { DEPENDENCY_LIMITS, type Dependency, type Needs } from "./model.ts";

export type DependencyRow = { bot_id: string; dependency: string; needs_bot: string | null };
export type DependencyTables = { bot_dependency: DependencyRow };

const STATEMENTS: readonly string[] = [
  "CREATE TABLE bot_dependency (bot_id TEXT NOT NULL, dependency TEXT NOT NULL, needs_bot TEXT, PRIMARY KEY (bot_id, dependency))",
  "CREATE INDEX bot_dependency_needed ON bot_dependency (needs_bot, bot_id)",
];
export const DEPENDENCY_MIGRATIONS: Migrations = {
  owner: "control.dependencies",
  steps: [{ name: "001-dependencies", sqlite: STATEMENTS, postgres: STATEMENTS }],
};

export function insertDependencies(sql: Sql, bot_id: string, all: readonly Dependency[]): readonly Write[] {
  const rows = [...new Map(all.map((one) => [one.text, one])).values()].map((one) => ({
    bot_id,
    dependency: one.text,
    needs_bot: one.kind === "bot" ? one.bot_id : null,
  }));
  if (rows.length === 0) return [];
  return [write(sql.builder<DependencyTables>().insertInto("bot_dependency").values(rows), rows.length)];
}

/** Everything that these bots reach, themselves included; one more than the limit where there is more. */
export async function readNeeds(reader: Reader, sql: Sql, from: readonly string[]): Promise<Needs> {
  const needs = new Map<string, readonly string[]>();
  let level = [...new Set(from)];
  while (level.length > 0 && needs.size <= DEPENDENCY_LIMITS.bots) {
    const asked = level.slice(0, DEPENDENCY_LIMITS.bots + 1 - needs.size);
    const rows = await reader.rows<DependencyRow>(
      sql
        .builder<DependencyTables>()
        .selectFrom("bot_dependency")
        .selectAll()
        .where("bot_id", "in", asked)
        .where("needs_bot", "is not", null)
        .orderBy("dependency"),
    );
    for (const bot_id of asked)
      needs.set(
        bot_id,
        rows.flatMap((row) => (row.bot_id === bot_id && row.needs_bot !== null ? [row.needs_bot] : [])),
      );
    level = [...new Set([...level.slice(asked.length), ...rows.flatMap((row) => row.needs_bot ?? [])])].filter(
      (bot_id) => !needs.has(bot_id),
    );
  }
  return needs;
}

/** Bots that say they need this one. */
export async function readNeededBy(reader: Reader, sql: Sql, bot_id: string): Promise<readonly string[]> {
  const rows = await reader.rows<Pick<DependencyRow, "bot_id">>(
    sql
      .builder<DependencyTables>()
      .selectFrom("bot_dependency")
      .select("bot_id")
      .where("needs_bot", "=", bot_id)
      .orderBy("bot_id")
      .limit(DEPENDENCY_LIMITS.bots),
  );
  return rows.map((row) => row.bot_id);
}
