/** Instances (what should run, what was last heard) and runs (one execution each, with its journal's place). */
import type { InstanceMode } from "@rumi/runtime";
import type { InstanceSpec, InstanceStatus } from "@rumi/runtime";
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { BotRow } from "../bots/tables.ts";
import { sql as rawSql } from "kysely";
import { first, type Sql } from "../shared/sql.ts";

export type Desired = "running" | "paused" | "stopped";
/** What a start needs, apart from what is only known when it happens. */
export type StartSpec = Omit<InstanceSpec, "epoch" | "start" | "lease">;

export type InstanceRow = {
  bot_id: string;
  strategy_id: string;
  instance_id: string;
  run_id: string;
  trace_id: string;
  generation: number;
  mode: InstanceMode;
  desired: Desired;
  desired_since: number;
  /** 0 and null until a lease was taken for this run. */
  epoch: number;
  holder: string | null;
  /** Starts sent for this run; from the second on it resumes. */
  starts: number;
  /** JSON of {@link StartSpec}. */
  spec: string;
  /** JSON of a configuration still to be sent, and who wants it. */
  config: string | null;
  config_actor: string | null;
  config_at: "next_tick" | "next_bar" | "next_checkpoint" | null;
  /** JSON of {@link NextRun}: another version that takes over as soon as this run has handed over. */
  next: string | null;
  /** JSON of {@link WayBack}: what takes over should the version that just took over be refused. */
  back: string | null;
  /** JSON of a word to its circuit breaker that no runner has taken yet. */
  breaker: string | null;
  phase: InstanceStatus["phase"] | "none";
  health_state: string | null;
  status: string | null;
  failure: string | null;
  stop_reason: string | null;
  updated_at: number;
  row_version: number;
};
/** What an update in place leaves until it is done. */
export type NextRun = {
  readonly spec: StartSpec;
  readonly command_id: string;
  readonly report_id: string;
  /** `null`: it is itself the way back. */
  readonly back: WayBack | null;
};
/** A run of the former version from the state it handed over, and what the bot's row said then (null in older rows of shards). */
export type WayBack = {
  readonly spec: StartSpec;
  readonly command_id: string;
  readonly bot: Pick<BotRow, "pack_id" | "spec" | "version"> | null;
  /** The preflight that the former version passed; rows of older programs name it by the command. */
  readonly report_id?: string;
  /** The new version has run: from then on only a sibling's refusal takes it back. */
  readonly ran?: true;
};
export type RunRow = {
  run_id: string;
  bot_id: string;
  strategy_id: string;
  instance_id: string;
  mode: string;
  trace_id: string;
  command_id: string;
  generation: number;
  pack_digest: string;
  report_id: string;
  /** The run whose state it began with. */
  from_run_id: string | null;
  holder: string | null;
  started_at: number;
  ended_at: number | null;
  end_reason: string | null;
  /** Last entry of the run's journal that is taken in. */
  journal_seq: number;
  journal_at: number;
};
export type InstanceTables = { instance: InstanceRow; run: RunRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE instance (
    bot_id TEXT NOT NULL, strategy_id TEXT NOT NULL, instance_id TEXT NOT NULL,
    run_id TEXT NOT NULL UNIQUE, trace_id TEXT NOT NULL, generation ${integer} NOT NULL, mode TEXT NOT NULL, desired TEXT NOT NULL, desired_since ${integer} NOT NULL,
    epoch ${integer} NOT NULL, holder TEXT, starts ${integer} NOT NULL, spec TEXT NOT NULL, config TEXT, config_actor TEXT, config_at TEXT,
    phase TEXT NOT NULL, health_state TEXT, status TEXT, failure TEXT, stop_reason TEXT, updated_at ${integer} NOT NULL, row_version ${integer} NOT NULL,
    PRIMARY KEY (bot_id, strategy_id, instance_id))`,
  "CREATE INDEX instance_by_desired ON instance (desired, phase)",
  `CREATE TABLE run (
    run_id TEXT NOT NULL PRIMARY KEY, bot_id TEXT NOT NULL, strategy_id TEXT NOT NULL, instance_id TEXT NOT NULL, mode TEXT NOT NULL, trace_id TEXT NOT NULL,
    command_id TEXT NOT NULL, generation ${integer} NOT NULL, pack_digest TEXT NOT NULL, report_id TEXT NOT NULL, holder TEXT, started_at ${integer} NOT NULL,
    ended_at ${integer}, end_reason TEXT, journal_seq ${integer} NOT NULL, journal_at ${integer} NOT NULL)`,
  "CREATE INDEX run_by_bot ON run (bot_id, run_id)",
  "CREATE INDEX run_by_trace ON run (trace_id)",
  "CREATE INDEX run_by_command ON run (command_id)",
];

const LINKED_RUNS: readonly string[] = [
  "ALTER TABLE instance ADD COLUMN next TEXT",
  "ALTER TABLE run ADD COLUMN from_run_id TEXT",
  "CREATE INDEX run_by_from ON run (from_run_id)",
];

const WAY_BACK: readonly string[] = ["ALTER TABLE instance ADD COLUMN back TEXT"];

const BREAKER_WISH: readonly string[] = ["ALTER TABLE instance ADD COLUMN breaker TEXT"];

export const INSTANCE_MIGRATIONS: Migrations = {
  owner: "control.instances",
  steps: [
    { name: "001-instances", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-linked-runs", sqlite: LINKED_RUNS, postgres: LINKED_RUNS },
    { name: "003-breaker-wish", sqlite: BREAKER_WISH, postgres: BREAKER_WISH },
    { name: "004-way-back", sqlite: WAY_BACK, postgres: WAY_BACK },
  ],
};

export type Key = Pick<InstanceRow, "bot_id" | "strategy_id" | "instance_id">;
export const keyText = (key: Key): string => `${key.bot_id}/${key.strategy_id}/${key.instance_id}`;

const SELECT_ALL = compiledText<InstanceTables>((db) =>
  db.selectFrom("instance").selectAll().orderBy("bot_id").orderBy("instance_id"),
);
const SELECT_OF_BOT = compiledText<InstanceTables>((db) =>
  db.selectFrom("instance").selectAll().where("bot_id", "=", "").orderBy("bot_id").orderBy("instance_id"),
);

export function readInstances(reader: Reader, sql: Sql, bot_id?: string): Promise<readonly InstanceRow[]> {
  return reader.rows<InstanceRow>(
    bot_id === undefined ? { sql: SELECT_ALL(sql), parameters: [] } : { sql: SELECT_OF_BOT(sql), parameters: [bot_id] },
  );
}

/** What the reconciler has to look at: wanted, or not yet proven stopped. */
export function readOpenInstances(reader: Reader, sql: Sql): Promise<readonly InstanceRow[]> {
  return reader.rows<InstanceRow>(
    sql
      .builder<InstanceTables>()
      .selectFrom("instance")
      .selectAll()
      .where((of) => of.or([of("desired", "!=", "stopped"), of("holder", "is not", null)]))
      .orderBy("bot_id")
      .orderBy("instance_id"),
  );
}

export function readInstance(reader: Reader, sql: Sql, key: Key): Promise<InstanceRow | undefined> {
  return first<InstanceRow>(
    reader,
    sql
      .builder<InstanceTables>()
      .selectFrom("instance")
      .selectAll()
      .where("bot_id", "=", key.bot_id)
      .where("strategy_id", "=", key.strategy_id)
      .where("instance_id", "=", key.instance_id),
  );
}

export function readRun(reader: Reader, sql: Sql, run_id: string): Promise<RunRow | undefined> {
  return first<RunRow>(
    reader,
    sql.builder<InstanceTables>().selectFrom("run").selectAll().where("run_id", "=", run_id),
  );
}

export function updateInstance(
  sql: Sql,
  row: InstanceRow,
  change: Partial<Omit<InstanceRow, keyof Key | "row_version">>,
  now: number,
): Write {
  return write(
    sql
      .builder<InstanceTables>()
      .updateTable("instance")
      .set({ ...change, updated_at: now, row_version: row.row_version + 1 })
      .where("bot_id", "=", row.bot_id)
      .where("strategy_id", "=", row.strategy_id)
      .where("instance_id", "=", row.instance_id)
      .where("row_version", "=", row.row_version),
    1,
  );
}

/** A new run takes the place of the last one under the same key. */
export function putInstance(sql: Sql, row: InstanceRow, before: InstanceRow | undefined): Write {
  const db = sql.builder<InstanceTables>();
  if (before === undefined) return write(db.insertInto("instance").values(row), 1);
  const { bot_id: _b, strategy_id: _s, instance_id: _i, row_version: _v, updated_at, ...change } = row;
  return updateInstance(sql, before, change, updated_at);
}

const RUN_COLUMNS: Readonly<Record<keyof RunRow, "TEXT" | "BIGINT">> = {
  run_id: "TEXT",
  bot_id: "TEXT",
  strategy_id: "TEXT",
  instance_id: "TEXT",
  mode: "TEXT",
  trace_id: "TEXT",
  command_id: "TEXT",
  generation: "BIGINT",
  pack_digest: "TEXT",
  report_id: "TEXT",
  from_run_id: "TEXT",
  holder: "TEXT",
  started_at: "BIGINT",
  ended_at: "BIGINT",
  end_reason: "TEXT",
  journal_seq: "BIGINT",
  journal_at: "BIGINT",
};

/**
 * [L-N3] A run comes into being only beside the stored report of a preflight that its bot passed: without it no row is
 * written, the commit does not fit, and nothing starts, whoever asked (preflight/every-start.test.ts).
 */
export function insertRun(sql: Sql, row: RunRow): Write {
  const columns = Object.keys(RUN_COLUMNS) as (keyof RunRow)[];
  const names = rawSql.join(columns.map((name) => rawSql.ref(name)));
  const values = rawSql.join(columns.map((name) => rawSql`CAST(${row[name]} AS ${rawSql.raw(RUN_COLUMNS[name])})`));
  const insert = rawSql`INSERT INTO run (${names}) SELECT ${values} WHERE EXISTS (
    SELECT 1 FROM preflight_report WHERE report_id = ${row.report_id} AND bot_id = ${row.bot_id} AND passed = 1)`;
  return write(insert.compile(sql.builder<InstanceTables>()), 1);
}

export function endRun(sql: Sql, run_id: string, end_reason: string, now: number): Write {
  return write(
    sql
      .builder<InstanceTables>()
      .updateTable("run")
      .set({ ended_at: now, end_reason })
      .where("run_id", "=", run_id)
      .where("ended_at", "is", null),
    "any",
  );
}
