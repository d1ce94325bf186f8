/** Changelogs that were written down beside the reason of a version; one for each version, never changed. */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { BotTables } from "../bots/tables.ts";
import type { Sql } from "../shared/sql.ts";

export type ChangelogRow = { bot_id: string; version: string; text: string; added_by: string; added_at: number };
export type ChangelogTables = { bot_changelog: ChangelogRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE bot_changelog (
    bot_id TEXT NOT NULL, version TEXT NOT NULL, text TEXT NOT NULL, added_by TEXT NOT NULL, added_at ${integer} NOT NULL,
    PRIMARY KEY (bot_id, version))`,
];
export const CHANGELOG_MIGRATIONS: Migrations = {
  owner: "control.changelog",
  steps: [{ name: "001-changelogs", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export const insertChangelog = (sql: Sql, row: ChangelogRow): Write =>
  write(sql.builder<ChangelogTables>().insertInto("bot_changelog").values(row), 1);

export type ToldVersion = {
  readonly version: string;
  readonly generation: number;
  readonly reason: string;
  /** Null where nobody wrote more than the reason. */
  readonly text: string | null;
  readonly added_by: string | null;
  readonly created_by: string;
};

/** Versions that changed what a bot does, newest first: those whose last number is 0. */
export function readTold(reader: Reader, sql: Sql, bot_id: string, limit: number): Promise<readonly ToldVersion[]> {
  return reader.rows<ToldVersion>(
    sql
      .builder<BotTables & ChangelogTables>()
      .selectFrom("bot_version")
      .leftJoin("bot_changelog", (join) =>
        join
          .onRef("bot_changelog.bot_id", "=", "bot_version.bot_id")
          .onRef("bot_changelog.version", "=", "bot_version.version"),
      )
      .select([
        "bot_version.version as version",
        "bot_version.generation as generation",
        "bot_version.reason as reason",
        "bot_version.created_by as created_by",
        "bot_changelog.text as text",
        "bot_changelog.added_by as added_by",
      ])
      .where("bot_version.bot_id", "=", bot_id)
      .where("bot_version.version", "like", "%.0")
      .orderBy("bot_version.generation", "desc")
      .limit(limit),
  );
}
