/**
 * Where runs are written down: what was asked for with its definitions, what each block gave, how it ended.
 *
 * A step that only computes is not written down: from the same inputs and blocks it gives the same again. So a run costs one
 * row for each block, however many steps came before.
 */
import {
  isoFromMicros,
  micros,
  type Failure,
  type FailureParams,
  type Json,
  type JsonObject,
  type Micros,
} from "@rumi/kernel";
import { compiledText, write, type Reader, type Store, type Write } from "@rumi/store";
import { sql, type RawBuilder } from "kysely";
import type { FlowClosure } from "./closure.ts";
import { FLOW_LIMITS } from "./limits.ts";

export const RUN_STATES = ["running", "waiting", "done", "failed"] as const;
export type RunState = (typeof RUN_STATES)[number];

type DefinitionRow = { digest: string; flows: string };
type RunRow = {
  run_id: string;
  flow_id: string;
  definition: string;
  actor: string;
  trace_id: string;
  command_id: string;
  inputs: string;
  timeout_seconds: number;
  requested_at: number;
  state: string;
  answer: string | null;
  finished_at: number | null;
  waited_us: number;
  waiting_since: number | null;
};
type StepRow = {
  run_id: string;
  path: string;
  output: string | null;
  error: string | null;
  duration_us: number;
  at: number;
};
export type FlowTables = { flow_definition: DefinitionRow; flow_run: RunRow; flow_step: StepRow };

type Sql = Pick<Store, "builder">;

/** Database-wide; no other lock of the product has these numbers (packages/store/src/postgres/locks.ts). */
const COUNTED = { runs: 7_204_101, approvals: 7_204_102 } as const;

/** What counts rows before it adds one goes one after the other: SQLite has one writer, PostgreSQL's commits run side by side. */
export function inTurn({ dialect }: Pick<Store, "dialect">, of: keyof typeof COUNTED): readonly Write[] {
  return dialect === "sqlite"
    ? []
    : [{ sql: "SELECT pg_advisory_xact_lock($1)", parameters: [COUNTED[of]], expect: "any" }];
}

export const instantOf = (at: number): string => isoFromMicros(micros(at));

export type FlowRun = {
  readonly run_id: string;
  readonly flow_id: string;
  readonly definition: string;
  readonly actor: string;
  readonly trace_id: string;
  readonly command_id: string;
  readonly inputs: JsonObject;
  readonly timeout_seconds: number;
  readonly requested_at: Micros;
  readonly state: RunState;
  readonly answer: RunAnswer | null;
  readonly finished_at: Micros | null;
  /** How long it waited for people before it last went on: no part of its time. */
  readonly waited_us: number;
  readonly waiting_since: Micros | null;
};
export type RunAnswer =
  | {
      readonly kind: "done";
      readonly flow_id: string;
      readonly result: JsonObject;
      readonly execution_time: number;
      readonly truncated: boolean;
    }
  | {
      readonly kind: "failed";
      readonly failure: Pick<Failure, "code" | "details"> & { readonly params: FailureParams };
    };

/** What a block gave, or how it failed where its flow goes on all the same. */
export type RecordedStep = {
  readonly path: string;
  readonly output: Json;
  readonly error: string | null;
  readonly duration_us: number;
};

export async function countRunning(reader: Reader, sqlOf: Sql): Promise<number> {
  const [row] = await reader.rows<{ n: number }>({ sql: COUNT(sqlOf), parameters: ["running"] });
  return row?.n ?? 0;
}
const COUNT = compiledText<FlowTables>((db) =>
  db
    .selectFrom("flow_run")
    .select((of) => of.fn.countAll<number>().as("n"))
    .where("state", "=", "running"),
);
const SELECT_RUN = compiledText<FlowTables>((db) => db.selectFrom("flow_run").selectAll().where("run_id", "=", ""));

export async function readRun(reader: Reader, sqlOf: Sql, run_id: string): Promise<FlowRun | undefined> {
  const [row] = await reader.rows<RunRow>({ sql: SELECT_RUN(sqlOf), parameters: [run_id] });
  return row === undefined ? undefined : runOf(row);
}

export async function runningIds(reader: Reader, sqlOf: Sql): Promise<readonly string[]> {
  const rows = await reader.rows<{ run_id: string }>({ sql: RUNNING(sqlOf), parameters: ["running"] });
  return rows.map(({ run_id }) => run_id);
}
const RUNNING = compiledText<FlowTables>((db) =>
  db.selectFrom("flow_run").select("run_id").where("state", "=", "running").orderBy("requested_at"),
);

export async function readRuns(reader: Reader, sqlOf: Sql, flow_id: string): Promise<readonly FlowRun[]> {
  const query = sqlOf.builder<FlowTables>().selectFrom("flow_run").selectAll().where("flow_id", "=", flow_id);
  const rows = await reader.rows<RunRow>(query.orderBy("requested_at", "desc").limit(FLOW_LIMITS.listed_runs));
  return rows.map(runOf);
}

export async function readDefinition(reader: Reader, sqlOf: Sql, digest: string): Promise<FlowClosure | undefined> {
  const query = sqlOf.builder<FlowTables>().selectFrom("flow_definition").selectAll().where("digest", "=", digest);
  const [row] = await reader.rows<DefinitionRow>(query);
  return row === undefined ? undefined : { digest, flows: JSON.parse(row.flows) as FlowClosure["flows"] };
}

export async function readSteps(
  reader: Reader,
  sqlOf: Sql,
  run_ids: readonly string[],
): Promise<readonly (RecordedStep & { readonly run_id: string })[]> {
  if (run_ids.length === 0) return [];
  const query = sqlOf
    .builder<FlowTables>()
    .selectFrom("flow_step")
    .selectAll()
    .where("run_id", "in", [...run_ids]);
  const rows = await reader.rows<StepRow>(query.orderBy("at").orderBy("path"));
  return rows.map(({ run_id, path, output, error, duration_us }) => ({
    run_id,
    path,
    output: output === null ? null : (JSON.parse(output) as Json),
    error,
    duration_us,
  }));
}

const KEEP_DEFINITION = compiledText<FlowTables>((db) =>
  db
    .insertInto("flow_definition")
    .values({ digest: "", flows: "" })
    .onConflict((of) => of.column("digest").doNothing()),
);
const ASKED = "run_id, flow_id, definition, actor, trace_id, command_id, inputs, timeout_seconds, requested_at";
const asked = sql.join([...Array.from({ length: 7 }, () => sql`cast(${""} as text)`), integer(), integer()]);
const ADMIT = compiledText<FlowTables>((db) => ({
  compile: () =>
    sql`insert into flow_run (${sql.raw(ASKED)}, state) select ${asked}, 'running'
      where (select count(*) from flow_run where state = 'running') < ${integer()}`.compile(db),
}));
const INSERT_ENDED = compiledText<FlowTables>((db) => ({
  compile: () =>
    sql`insert into flow_run (${sql.raw(ASKED)}, state, answer, finished_at) values (${asked}, ${""}, ${""}, ${integer()})`.compile(
      db,
    ),
}));

function integer(): RawBuilder<unknown> {
  return sql`cast(${0} as bigint)`;
}

/** A definition's text is made once. */
const definitionTexts = new WeakMap<FlowClosure, string>();

function keepDefinition(sqlOf: Sql, closure: FlowClosure): Write {
  const text = definitionTexts.get(closure) ?? JSON.stringify(closure.flows);
  definitionTexts.set(closure, text);
  return { sql: KEEP_DEFINITION(sqlOf), parameters: [closure.digest, text], expect: "any" };
}

export type AskedRun = Omit<FlowRun, "state" | "answer" | "finished_at" | "waited_us" | "waiting_since">;

function askedValues(run: AskedRun): readonly (string | number)[] {
  const { run_id, flow_id, definition, actor, trace_id, command_id, inputs, timeout_seconds, requested_at } = run;
  const texts = [run_id, flow_id, definition, actor, trace_id, command_id, JSON.stringify(inputs)];
  return [...texts, timeout_seconds, requested_at];
}

/**
 * The run becomes one of those that run, where there is room for it: where there is none the statement changes no row, so
 * the wish is judged again.
 */
export function admitRun(
  sqlOf: Sql & Pick<Store, "dialect">,
  run: AskedRun,
  closure: FlowClosure,
  most: number,
): readonly Write[] {
  const admit: Write = { sql: ADMIT(sqlOf), parameters: [...askedValues(run), most], expect: 1 };
  return [keepDefinition(sqlOf, closure), ...inTurn(sqlOf, "runs"), admit];
}

/** A run that was asked for and ended in one. */
export function insertEnded(
  sqlOf: Sql,
  run: AskedRun,
  closure: FlowClosure,
  { answer, at }: { readonly answer: RunAnswer; readonly at: Micros },
): readonly Write[] {
  const parameters = [...askedValues(run), answer.kind, JSON.stringify(answer), at];
  return [keepDefinition(sqlOf, closure), { sql: INSERT_ENDED(sqlOf), parameters, expect: 1 }];
}

const INSERT_STEP = compiledText<FlowTables>((db) =>
  db.insertInto("flow_step").values({ run_id: "", path: "", output: "", error: "", duration_us: 0, at: 0 }),
);

export function recordStep(sqlOf: Sql, run_id: string, step: RecordedStep, at: number): Write {
  const { path, output, error, duration_us } = step;
  const parameters = [run_id, path, error === null ? JSON.stringify(output) : null, error, duration_us, at];
  return { sql: INSERT_STEP(sqlOf), parameters, expect: 1 };
}

const END_RUN = compiledText<FlowTables>((db) =>
  db
    .updateTable("flow_run")
    .set({ state: "", answer: "", finished_at: 0 })
    .where("run_id", "=", "")
    .where("state", "=", "running"),
);

const END_RUN_BEHIND = compiledText<FlowTables>((db) =>
  db
    .updateTable("flow_run")
    .set({ state: "", answer: "", finished_at: 0 })
    .where("run_id", "=", "")
    .where("state", "=", "running")
    .where((of) =>
      of.exists(of.selectFrom("flow_step").select("path").where("flow_step.run_id", "=", "").where("path", "=", "")),
    ),
);

/** The end of a run; with `behind`, only once what the step of that path gave is on record. */
export function endRun(sqlOf: Sql, run_id: string, answer: RunAnswer, at: number, behind?: string): Write {
  const parameters = [answer.kind, JSON.stringify(answer), at, run_id, "running"];
  return behind === undefined
    ? { sql: END_RUN(sqlOf), parameters, expect: 1 }
    : { sql: END_RUN_BEHIND(sqlOf), parameters: [...parameters, run_id, behind], expect: 1 };
}

/** The end of a run that was still under way; whoever carries it finds it ended. */
export function stopRun(
  sqlOf: Sql,
  { run_id, state }: Pick<FlowRun, "run_id" | "state">,
  answer: RunAnswer,
  at: number,
) {
  const parameters = [answer.kind, JSON.stringify(answer), at, run_id, state];
  return { sql: END_RUN(sqlOf), parameters, expect: 1 } as const satisfies Write;
}

/** Runs that ended before `before`, with what their blocks gave, and definitions that no run names. */
export function forgetRuns(sqlOf: Sql, before: number): readonly Write[] {
  const db = sqlOf.builder<FlowTables>();
  const old = db.selectFrom("flow_run").select("run_id").where("finished_at", "<", before);
  return [
    write(db.deleteFrom("flow_step").where("run_id", "in", old), "any"),
    write(db.deleteFrom("flow_run").where("finished_at", "<", before), "any"),
    write(
      db.deleteFrom("flow_definition").where("digest", "not in", db.selectFrom("flow_run").select("definition")),
      "any",
    ),
  ];
}

function runOf(row: RunRow): FlowRun {
  return {
    ...row,
    inputs: JSON.parse(row.inputs) as JsonObject,
    requested_at: row.requested_at as Micros,
    state: row.state as RunState,
    answer: row.answer === null ? null : (JSON.parse(row.answer) as RunAnswer),
    finished_at: row.finished_at as Micros | null,
    waiting_since: row.waiting_since as Micros | null,
  };
}
