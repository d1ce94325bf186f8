/**
 * Groups by name. Who belongs to one is said by each bot's own specification (`group_id`), which travels to the runner and
 * is what the kill switch matches; there is no second list that could say otherwise.
 */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { specOf, type BotRow, type BotTables } from "../bots/tables.ts";
import { first, type Sql } from "../shared/sql.ts";

export type GroupRow = {
  group_id: string;
  display_name: string;
  /** Rises with every bot that joins or leaves. */
  generation: number;
  created_at: number;
  created_by: string;
};
export type GroupTables = { bot_group: GroupRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE bot_group (
    group_id TEXT NOT NULL PRIMARY KEY, display_name TEXT NOT NULL, generation ${integer} NOT NULL,
    created_at ${integer} NOT NULL, created_by TEXT NOT NULL)`,
];
export const GROUP_MIGRATIONS: Migrations = {
  owner: "control.groups",
  steps: [{ name: "001-groups", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export function readGroup(reader: Reader, sql: Sql, group_id: string): Promise<GroupRow | undefined> {
  return first<GroupRow>(
    reader,
    sql.builder<GroupTables>().selectFrom("bot_group").selectAll().where("group_id", "=", group_id),
  );
}

/** Those whose specification names it, by id. */
export async function botsOfGroup(reader: Reader, sql: Sql, group_id: string): Promise<readonly BotRow[]> {
  // An id has no sign that LIKE would read otherwise; the text only spares parsing every other bot's specification.
  const named = await reader.rows<BotRow>(
    sql
      .builder<BotTables>()
      .selectFrom("bot")
      .selectAll()
      .where("spec", "like", `%"group_id":"${group_id}"%`)
      .orderBy("bot_id"),
  );
  return named.filter((bot) => specOf(bot).group_id === group_id);
}

export const insertGroup = (sql: Sql, row: GroupRow): Write =>
  write(sql.builder<GroupTables>().insertInto("bot_group").values(row), 1);

/** Counts on from whatever it is: bots that join at once do not stand in each other's way. */
export const nextGeneration = (sql: Sql, group_id: string): Write =>
  write(
    sql
      .builder<GroupTables>()
      .updateTable("bot_group")
      .set((of) => ({ generation: of("generation", "+", 1) }))
      .where("group_id", "=", group_id),
    "any",
  );
