/** Rows of the registry: bots, their immutable versions, labels and conditions. */
import type { InstanceMode } from "@rumi/runtime";
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import { BOT_STATES, type BotState } from "../lifecycle/states.ts";
import { first, type Sql } from "../shared/sql.ts";
import type { BotSpec, Condition } from "./model.ts";

export type BotRow = {
  bot_id: string;
  state: BotState;
  display_name: string;
  pack_id: string;
  generation: number;
  observed_generation: number;
  version: string;
  /** JSON of {@link BotSpec}. */
  spec: string;
  mode: InstanceMode | null;
  run_id: string | null;
  state_reason: string;
  state_since: number;
  created_at: number;
  created_by: string;
  updated_at: number;
  /** When it was ended for good (retirement/model.ts). */
  retired_at: number | null;
  /** Rises with every change of this row; what guarded updates compare. */
  row_version: number;
};
export type BotVersionRow = {
  bot_id: string;
  generation: number;
  version: string;
  spec: string;
  created_at: number;
  created_by: string;
  reason: string;
};
export type BotLabelRow = { bot_id: string; name: string; value: string };
export type BotConditionRow = {
  bot_id: string;
  type: string;
  status: string;
  reason: string;
  message: string;
  observed_generation: number;
  last_transition_time: number;
};
export type BotTables = {
  bot: BotRow;
  bot_version: BotVersionRow;
  bot_label: BotLabelRow;
  bot_condition: BotConditionRow;
};

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE bot (
    bot_id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL CHECK (state IN (${BOT_STATES.map((state) => `'${state}'`).join(", ")})),
    display_name TEXT NOT NULL, pack_id TEXT NOT NULL, generation ${integer} NOT NULL, observed_generation ${integer} NOT NULL, version TEXT NOT NULL,
    spec TEXT NOT NULL, mode TEXT, run_id TEXT, state_reason TEXT NOT NULL, state_since ${integer} NOT NULL,
    created_at ${integer} NOT NULL, created_by TEXT NOT NULL, updated_at ${integer} NOT NULL, row_version ${integer} NOT NULL)`,
  "CREATE INDEX bot_by_state ON bot (state, bot_id)",
  "CREATE INDEX bot_by_pack ON bot (pack_id, bot_id)",
  `CREATE TABLE bot_version (
    bot_id TEXT NOT NULL, generation ${integer} NOT NULL, version TEXT NOT NULL, spec TEXT NOT NULL,
    created_at ${integer} NOT NULL, created_by TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (bot_id, generation), UNIQUE (bot_id, version))`,
  "CREATE TABLE bot_label (bot_id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (bot_id, name))",
  "CREATE INDEX bot_label_by_name ON bot_label (name, value, bot_id)",
  `CREATE TABLE bot_condition (
    bot_id TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
    observed_generation ${integer} NOT NULL, last_transition_time ${integer} NOT NULL, PRIMARY KEY (bot_id, type))`,
];

const RETIRED = (integer: string): readonly string[] => [`ALTER TABLE bot ADD COLUMN retired_at ${integer}`];

/** Which bots something is said of, without going through all of them. */
const SAID = ["CREATE INDEX bot_condition_said ON bot_condition (type, status, bot_id)"];

/** A page of the list is found without reading specifications: by a label whatever its value, and by words. */
const LISTED = [
  "CREATE INDEX bot_label_of ON bot_label (name, bot_id)",
  "CREATE INDEX bot_by_words ON bot (bot_id, display_name)",
];

export const BOT_MIGRATIONS: Migrations = {
  owner: "control.bots",
  steps: [
    { name: "001-bots", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-retired", sqlite: RETIRED("INTEGER"), postgres: RETIRED("BIGINT") },
    { name: "003-said", sqlite: SAID, postgres: SAID },
    { name: "004-listed", sqlite: LISTED, postgres: LISTED },
  ],
};

const SELECT_BOT = compiledText<BotTables>((db) => db.selectFrom("bot").selectAll().where("bot_id", "=", ""));
const INSERT_VERSION = compiledText<BotTables>((db) =>
  db
    .insertInto("bot_version")
    .values({ bot_id: "", generation: 0, version: "", spec: "", created_at: 0, created_by: "", reason: "" }),
);

export function insertVersion(
  sql: Sql,
  { bot_id, generation, version, spec, created_at, created_by, reason }: BotVersionRow,
): Write {
  return {
    sql: INSERT_VERSION(sql),
    parameters: [bot_id, generation, version, spec, created_at, created_by, reason],
    expect: 1,
  };
}

export function readBot(reader: Reader, sql: Sql, bot_id: string): Promise<BotRow | undefined> {
  return reader.rows<BotRow>({ sql: SELECT_BOT(sql), parameters: [bot_id] }).then((rows) => rows[0]);
}

/** One parse for each row object: a command looks at its bot's several times. */
const specs = new WeakMap<Pick<BotRow, "spec">, BotSpec>();

export function specOf(row: Pick<BotRow, "spec">): BotSpec {
  const known = specs.get(row);
  if (known !== undefined) return known;
  const spec = JSON.parse(row.spec) as BotSpec;
  specs.set(row, spec);
  return spec;
}

/** Texts of updates by the columns they set; as many as there are kinds of changes. */
const UPDATES = new Map<string, ReturnType<typeof compiledText<BotTables>>>();

/** A guarded change of one bot; a conflict means that it moved since it was read. */
export function updateBot(
  sql: Sql,
  row: BotRow,
  change: Partial<Omit<BotRow, "bot_id" | "row_version">>,
  now: number,
): Write {
  const set = { ...change, updated_at: now, row_version: row.row_version + 1 };
  const columns = Object.keys(set).join();
  let text = UPDATES.get(columns);
  if (text === undefined)
    UPDATES.set(
      columns,
      (text = compiledText<BotTables>((db) =>
        db.updateTable("bot").set(set).where("bot_id", "=", "").where("row_version", "=", 0),
      )),
    );
  return { sql: text(sql), parameters: [...Object.values(set), row.bot_id, row.row_version], expect: 1 };
}

/** Whatever may act or have acted: every bot that is neither new nor at rest. */
export function readMoving(reader: Reader, sql: Sql): Promise<readonly Pick<BotRow, "bot_id" | "state" | "spec">[]> {
  const db = sql.builder<BotTables>();
  return reader.rows(
    db.selectFrom("bot").select(["bot_id", "state", "spec"]).where("state", "not in", ["CREATED", "IDLE"]),
  );
}

export async function countLiveBots(reader: Reader, sql: Sql): Promise<number> {
  const row = await first<{ live: number }>(
    reader,
    sql
      .builder<BotTables>()
      .selectFrom("bot")
      .select((of) => of.fn.countAll<number>().as("live"))
      .where("state", "=", "RUNNING_LIVE"),
  );
  return row?.live ?? 0;
}

/** Bots that a pack's uninstall would leave without code. */
export async function botsUsingPack(reader: Reader, sql: Sql, pack_id: string): Promise<readonly string[]> {
  const rows = await reader.rows<{ bot_id: string }>(
    sql
      .builder<BotTables>()
      .selectFrom("bot")
      .select("bot_id")
      .where("pack_id", "=", pack_id)
      .orderBy("bot_id")
      .limit(200),
  );
  return rows.map((row) => row.bot_id);
}

/** Those that trade live with a pack's code, or are about to. */
export async function liveBotsUsingPack(reader: Reader, sql: Sql, pack_id: string): Promise<readonly string[]> {
  const rows = await reader.rows<{ bot_id: string }>(
    sql
      .builder<BotTables>()
      .selectFrom("bot")
      .select("bot_id")
      .where("pack_id", "=", pack_id)
      .where("mode", "=", "live")
      .where("state", "not in", ["CREATED", "IDLE"])
      .orderBy("bot_id")
      .limit(200),
  );
  return rows.map((row) => row.bot_id);
}

export function readConditions(reader: Reader, sql: Sql, bot_id: string): Promise<readonly BotConditionRow[]> {
  return reader.rows<BotConditionRow>(
    sql.builder<BotTables>().selectFrom("bot_condition").selectAll().where("bot_id", "=", bot_id).orderBy("type"),
  );
}

/** Upserts a condition. Callers write it only when its status or reason changed. */
export function conditionWrite(
  sql: Sql,
  bot_id: string,
  condition: Omit<Condition, "last_transition_time">,
  now: number,
): Write {
  const row = { ...condition, last_transition_time: now };
  return write(
    sql
      .builder<BotTables>()
      .insertInto("bot_condition")
      .values({ bot_id, ...row })
      .onConflict((on) => on.columns(["bot_id", "type"]).doUpdateSet(row)),
    1,
  );
}
