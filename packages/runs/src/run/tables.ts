/** Where runs are written down. Bundles and logs are files; here are only their names and digests. */
import { compiledText, write, type Migrations, type Reader, type Store, type Write } from "@rumi/store";
import type { Scope } from "../scope/scope.ts";
import type { Bundle, Dod, Enforcement, EnforcementFact, Run, RunCheck, RunPhase, Violation } from "./model.ts";

type RunRow = {
  run_id: number;
  repo: string;
  base_ref: string;
  base_sha: string;
  command: string;
  prompt_hash: string;
  scope_snapshot: string;
  dod_snapshot: string;
  enforce: string;
  enforcement: string | null;
  timeout_seconds: number;
  phase: string;
  problem: string | null;
  pid: number | null;
  pid_started: string | null;
  exit_code: number | null;
  cancelled: number;
  stop_requested: number;
  head_sha: string | null;
  snapshot_sha: string | null;
  worktree_dirty: number | null;
  log_ref: string;
  proof_bundle_ref: string | null;
  decisions: number;
  proved_decisions: number;
  requested_by: string;
  trace_id: string;
  started_at: number;
  finished_at: number | null;
};
type CheckRow = Omit<RunCheck, "timed_out" | "executed_nothing"> & { timed_out: number; executed_nothing: number };
type RunTables = {
  code_run: RunRow;
  code_run_check: { -readonly [Name in keyof CheckRow]: CheckRow[Name] };
  code_run_violation: { -readonly [Name in keyof Violation]: Violation[Name] };
  code_run_bundle: { -readonly [Name in keyof Bundle]: Bundle[Name] };
};

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE code_run (
    run_id ${integer} NOT NULL PRIMARY KEY, repo TEXT NOT NULL, base_ref TEXT NOT NULL, base_sha TEXT NOT NULL, command TEXT NOT NULL,
    prompt_hash TEXT NOT NULL, scope_snapshot TEXT NOT NULL, dod_snapshot TEXT NOT NULL, enforce TEXT NOT NULL, enforcement TEXT,
    timeout_seconds ${integer} NOT NULL, phase TEXT NOT NULL, problem TEXT, pid ${integer}, pid_started TEXT, exit_code ${integer},
    cancelled ${integer} NOT NULL, stop_requested ${integer} NOT NULL, head_sha TEXT, snapshot_sha TEXT, worktree_dirty ${integer},
    log_ref TEXT NOT NULL, proof_bundle_ref TEXT, decisions ${integer} NOT NULL, proved_decisions ${integer} NOT NULL,
    requested_by TEXT NOT NULL, trace_id TEXT NOT NULL, started_at ${integer} NOT NULL, finished_at ${integer})`,
  "CREATE INDEX code_run_phase ON code_run (phase, run_id)",
  `CREATE TABLE code_run_check (
    run_id ${integer} NOT NULL, ordinal ${integer} NOT NULL, check_key TEXT NOT NULL, exit_code ${integer}, timed_out ${integer} NOT NULL,
    executed_nothing ${integer} NOT NULL, duration_ms ${integer} NOT NULL, log_ref TEXT NOT NULL, log_sha256 TEXT NOT NULL,
    finished_at ${integer} NOT NULL, PRIMARY KEY (run_id, ordinal))`,
  `CREATE TABLE code_run_violation (
    run_id ${integer} NOT NULL, violation_id ${integer} NOT NULL, path TEXT NOT NULL, reason TEXT NOT NULL,
    approved_status TEXT NOT NULL, decided_at ${integer}, decided_by TEXT, decision_reason TEXT, PRIMARY KEY (run_id, violation_id))`,
  `CREATE TABLE code_run_bundle (
    run_id ${integer} NOT NULL, revision ${integer} NOT NULL, ref TEXT NOT NULL, sha256 TEXT NOT NULL, attestation_ref TEXT NOT NULL,
    generated_at ${integer} NOT NULL, PRIMARY KEY (run_id, revision))`,
];

export const RUN_MIGRATIONS: Migrations = {
  owner: "runs",
  steps: [{ name: "001-runs", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

type Sql = Pick<Store, "builder">;

export async function readRun(reader: Reader, sql: Sql, run_id: number): Promise<Run | undefined> {
  const query = sql.builder<RunTables>().selectFrom("code_run").selectAll().where("run_id", "=", run_id);
  const [row] = await reader.rows<RunRow>(query);
  return row === undefined ? undefined : runOf(row);
}

/** Newest first; `before`: only those with a smaller id. */
export async function readRuns(reader: Reader, sql: Sql, limit: number, before?: number): Promise<readonly Run[]> {
  let query = sql.builder<RunTables>().selectFrom("code_run").selectAll().orderBy("run_id", "desc").limit(limit);
  if (before !== undefined) query = query.where("run_id", "<", before);
  return (await reader.rows<RunRow>(query)).map(runOf);
}

/** Those that somebody has something to do for, oldest first. */
export async function readUnfinished(reader: Reader, sql: Sql): Promise<readonly Run[]> {
  const query = sql
    .builder<RunTables>()
    .selectFrom("code_run")
    .selectAll()
    .where((of) =>
      of.or([
        of("phase", "not in", ["proved", "broken"]),
        of.and([of("phase", "=", "proved"), of("decisions", "<>", of.ref("proved_decisions"))]),
      ]),
    )
    .orderBy("run_id");
  return (await reader.rows<RunRow>(query)).map(runOf);
}

export async function newestRunId(reader: Reader, sql: Sql): Promise<number> {
  const query = sql
    .builder<RunTables>()
    .selectFrom("code_run")
    .select((of) => of.fn.max("run_id").as("newest"));
  return (await reader.rows<{ newest: number | null }>(query))[0]?.newest ?? 0;
}

export async function readChecks(reader: Reader, sql: Sql, run_id: number): Promise<readonly RunCheck[]> {
  const query = sql
    .builder<RunTables>()
    .selectFrom("code_run_check")
    .selectAll()
    .where("run_id", "=", run_id)
    .orderBy("ordinal");
  return (await reader.rows<CheckRow>(query)).map((row) => ({
    ...row,
    timed_out: row.timed_out !== 0,
    executed_nothing: row.executed_nothing !== 0,
  }));
}

export function readViolations(reader: Reader, sql: Sql, run_id: number): Promise<readonly Violation[]> {
  return reader.rows<Violation>(
    sql
      .builder<RunTables>()
      .selectFrom("code_run_violation")
      .selectAll()
      .where("run_id", "=", run_id)
      .orderBy("violation_id"),
  );
}

export async function readViolation(
  reader: Reader,
  sql: Sql,
  { run_id, violation_id }: Pick<Violation, "run_id" | "violation_id">,
): Promise<Violation | undefined> {
  const [found] = await reader.rows<Violation>(
    sql
      .builder<RunTables>()
      .selectFrom("code_run_violation")
      .selectAll()
      .where("run_id", "=", run_id)
      .where("violation_id", "=", violation_id),
  );
  return found;
}

/** How many violations of each run still wait for a decision; a run without any is left out. */
export async function countUndecided(
  reader: Reader,
  sql: Sql,
  run_ids: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (run_ids.length === 0) return new Map();
  const query = sql
    .builder<RunTables>()
    .selectFrom("code_run_violation")
    .select((of) => ["run_id", of.fn.countAll<number>().as("undecided")])
    .where("run_id", "in", run_ids)
    .where("approved_status", "=", "pending")
    .groupBy("run_id");
  // PostgreSQL counts in eight bytes, which arrive as text.
  const rows = await reader.rows<{ run_id: number; undecided: number | string }>(query);
  return new Map(rows.map(({ run_id, undecided }) => [run_id, Number(undecided)]));
}

/** Oldest first. */
export function readBundles(reader: Reader, sql: Sql, run_id: number): Promise<readonly Bundle[]> {
  return reader.rows<Bundle>(
    sql.builder<RunTables>().selectFrom("code_run_bundle").selectAll().where("run_id", "=", run_id).orderBy("revision"),
  );
}

export function insertRun(sql: Sql, run: Run): Write {
  const { command, scope_snapshot, dod_snapshot, enforcement, cancelled, stop_requested, worktree_dirty, ...rest } =
    run;
  const row: RunRow = {
    ...rest,
    command: JSON.stringify(command),
    scope_snapshot: JSON.stringify(scope_snapshot),
    dod_snapshot: JSON.stringify(dod_snapshot),
    enforcement: enforcement === null ? null : JSON.stringify(enforcement),
    cancelled: Number(cancelled),
    stop_requested: Number(stop_requested),
    worktree_dirty: worktree_dirty === null ? null : Number(worktree_dirty),
  };
  return write(sql.builder<RunTables>().insertInto("code_run").values(row), 1);
}

type Change = Partial<
  Pick<
    Run,
    | "phase"
    | "problem"
    | "pid"
    | "pid_started"
    | "exit_code"
    | "cancelled"
    | "stop_requested"
    | "head_sha"
    | "snapshot_sha"
    | "worktree_dirty"
    | "enforcement"
    | "proof_bundle_ref"
    | "proved_decisions"
    | "decisions"
    | "finished_at"
  >
>;

/** Fits only while the run is in the phase it was read in, with as many decisions. */
export function updateRun(sql: Sql, run: Pick<Run, "run_id" | "phase" | "decisions">, change: Change): Write {
  const { enforcement, cancelled, stop_requested, worktree_dirty, ...rest } = change;
  const set = {
    ...rest,
    ...(enforcement === undefined ? {} : { enforcement: JSON.stringify(enforcement) }),
    ...(cancelled === undefined ? {} : { cancelled: Number(cancelled) }),
    ...(stop_requested === undefined ? {} : { stop_requested: Number(stop_requested) }),
    ...(worktree_dirty === undefined || worktree_dirty === null ? {} : { worktree_dirty: Number(worktree_dirty) }),
  };
  const query = sql
    .builder<RunTables>()
    .updateTable("code_run")
    .set(set)
    .where("run_id", "=", run.run_id)
    .where("phase", "=", run.phase)
    .where("decisions", "=", run.decisions);
  return write(query, 1);
}

export function insertCheck(sql: Sql, check: RunCheck): Write {
  const row = { ...check, timed_out: Number(check.timed_out), executed_nothing: Number(check.executed_nothing) };
  return write(sql.builder<RunTables>().insertInto("code_run_check").values(row), 1);
}

export function insertViolation(sql: Sql, violation: Violation): Write {
  return { sql: violationText(sql), parameters: VIOLATION_COLUMNS.map((name) => violation[name]), expect: 1 };
}

const VIOLATION_COLUMNS = [
  "run_id",
  "violation_id",
  "path",
  "reason",
  "approved_status",
  "decided_at",
  "decided_by",
  "decision_reason",
] as const satisfies readonly (keyof Violation)[];
/** A run may leave thousands of them. */
const violationText = compiledText<RunTables>((sql) =>
  sql.insertInto("code_run_violation").values({
    run_id: 0,
    violation_id: 0,
    path: "",
    reason: "outside_write",
    approved_status: "pending",
    decided_at: 0,
    decided_by: "",
    decision_reason: "",
  }),
);

/** Fits only while nobody has decided. */
export function decideViolation(
  sql: Sql,
  { run_id, violation_id }: Pick<Violation, "run_id" | "violation_id">,
  decision: Pick<Violation, "approved_status" | "decided_at" | "decided_by" | "decision_reason">,
): Write {
  const query = sql
    .builder<RunTables>()
    .updateTable("code_run_violation")
    .set(decision)
    .where("run_id", "=", run_id)
    .where("violation_id", "=", violation_id)
    .where("approved_status", "=", "pending");
  return write(query, 1);
}

export function insertBundle(sql: Sql, bundle: Bundle): Write {
  return write(sql.builder<RunTables>().insertInto("code_run_bundle").values(bundle), 1);
}

function runOf(row: RunRow): Run {
  return {
    ...row,
    command: JSON.parse(row.command) as readonly string[],
    scope_snapshot: JSON.parse(row.scope_snapshot) as Scope,
    dod_snapshot: JSON.parse(row.dod_snapshot) as Dod,
    enforce: row.enforce as Enforcement,
    enforcement: row.enforcement === null ? null : (JSON.parse(row.enforcement) as EnforcementFact),
    phase: row.phase as RunPhase,
    cancelled: row.cancelled !== 0,
    stop_requested: row.stop_requested !== 0,
    worktree_dirty: row.worktree_dirty === null ? null : row.worktree_dirty !== 0,
  };
}
