/** The kill switch's rules in force, and the generation that rises with every change of any of them. */
import type { KillLevel, KillRule, KillScope } from "@rumi/runtime";
import { isoFromMicros, micros } from "@rumi/kernel";
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";
import { scopeView } from "./model.ts";

export type KillRuleRow = {
  scope: KillScope;
  id: string;
  level: KillLevel;
  reason: string;
  set_by: string;
  set_at: number;
  generation: number;
};
type HeadRow = { one: number; generation: number };
export type KillTables = { kill_rule: KillRuleRow; kill_head: HeadRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE kill_rule (
    scope TEXT NOT NULL CHECK (scope IN ('all', 'venue', 'group_id', 'bot_id', 'strategy_id')), id TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('CLOSE_ONLY', 'FLATTEN', 'BLOCK')), reason TEXT NOT NULL, set_by TEXT NOT NULL,
    set_at ${integer} NOT NULL, generation ${integer} NOT NULL, PRIMARY KEY (scope, id))`,
  `CREATE TABLE kill_head (one ${integer} NOT NULL PRIMARY KEY CHECK (one = 1), generation ${integer} NOT NULL)`,
  "INSERT INTO kill_head (one, generation) VALUES (1, 0)",
];
export const KILL_SWITCH_MIGRATIONS: Migrations = {
  owner: "control.kill_switch",
  steps: [{ name: "001-rules", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export type KillSwitch = { readonly generation: number; readonly rules: readonly KillRuleRow[] };

// Every command that may increase risk passes here.
const SELECT_HEAD = compiledText<KillTables>((db) => db.selectFrom("kill_head").selectAll());
const SELECT_RULES = compiledText<KillTables>((db) =>
  db.selectFrom("kill_rule").selectAll().orderBy("scope").orderBy("id"),
);
const FENCE = compiledText<KillTables>((db) =>
  db.updateTable("kill_head").set({ generation: 0 }).where("one", "=", 1).where("generation", "=", 0),
);

/** Both from one snapshot where the reader is one. */
export async function readKillSwitch(reader: Reader, sql: Sql): Promise<KillSwitch> {
  const [head] = await reader.rows<HeadRow>({ sql: SELECT_HEAD(sql), parameters: [] });
  if (head === undefined) throw new Error("the head of the kill switch is missing");
  const rules = await reader.rows<KillRuleRow>({ sql: SELECT_RULES(sql), parameters: [] });
  return { generation: head.generation, rules };
}

/** One rule takes the place of what stood for its scope; a conflict means that somebody changed any rule meanwhile. */
export function putRule(sql: Sql, before: KillSwitch, rule: Omit<KillRuleRow, "generation">): readonly Write[] {
  const db = sql.builder<KillTables>();
  const generation = before.generation + 1;
  const { scope, id } = rule;
  const row = { ...rule, generation };
  return [
    write(
      db.updateTable("kill_head").set({ generation }).where("one", "=", 1).where("generation", "=", before.generation),
      1,
    ),
    rule.level === "ALLOW"
      ? write(db.deleteFrom("kill_rule").where("scope", "=", scope).where("id", "=", id), 1)
      : write(
          db
            .insertInto("kill_rule")
            .values(row)
            .onConflict((on) => on.columns(["scope", "id"]).doUpdateSet(row)),
          1,
        ),
  ];
}

/** Fits while no rule has changed since. */
export function killFence(sql: Sql, { generation }: Pick<KillSwitch, "generation">): Write {
  return { sql: FENCE(sql), parameters: [generation, 1, generation], expect: 1 };
}

export const wireRules = ({ rules }: KillSwitch): readonly KillRule[] =>
  rules.map(({ scope, id, level }) => ({ scope, id, level }));

export function ruleView(row: KillRuleRow) {
  return {
    scope: scopeView(row),
    level: row.level,
    reason: row.reason,
    set_by: row.set_by,
    set_at: isoFromMicros(micros(row.set_at)),
    generation: row.generation,
  };
}
