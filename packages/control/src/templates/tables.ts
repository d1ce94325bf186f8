/** Templates; a row is written once and removed whole, never changed: a bot made from it can be compared with it. */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";

export type TemplateRow = {
  template_id: string;
  /** JSON of {@link TemplateSpec}. */
  spec: string;
  spec_hash: string;
  from_bot_id: string | null;
  created_at: number;
  created_by: string;
  reason: string;
};
export type TemplateTables = { bot_template: TemplateRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE bot_template (
    template_id TEXT NOT NULL PRIMARY KEY, spec TEXT NOT NULL, spec_hash TEXT NOT NULL, from_bot_id TEXT,
    created_at ${integer} NOT NULL, created_by TEXT NOT NULL, reason TEXT NOT NULL)`,
];
export const TEMPLATE_MIGRATIONS: Migrations = {
  owner: "control.templates",
  steps: [{ name: "001-templates", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export function readTemplate(reader: Reader, sql: Sql, template_id: string): Promise<TemplateRow | undefined> {
  return first<TemplateRow>(
    reader,
    sql.builder<TemplateTables>().selectFrom("bot_template").selectAll().where("template_id", "=", template_id),
  );
}

export function readTemplates(reader: Reader, sql: Sql): Promise<readonly TemplateRow[]> {
  return reader.rows<TemplateRow>(
    sql.builder<TemplateTables>().selectFrom("bot_template").selectAll().orderBy("template_id"),
  );
}

export const insertTemplate = (sql: Sql, row: TemplateRow): Write =>
  write(sql.builder<TemplateTables>().insertInto("bot_template").values(row), 1);

export const deleteTemplate = (sql: Sql, template_id: string): Write =>
  write(sql.builder<TemplateTables>().deleteFrom("bot_template").where("template_id", "=", template_id), 1);
