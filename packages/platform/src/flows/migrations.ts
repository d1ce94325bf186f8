/** The tables of flows, of both dialects. */
import type { Migrations } from "@rumi/store";

const statements = (integer: string): readonly string[] => [
  "CREATE TABLE flow_definition (digest TEXT NOT NULL PRIMARY KEY, flows TEXT NOT NULL)",
  `CREATE TABLE flow_run (
    run_id TEXT NOT NULL PRIMARY KEY, flow_id TEXT NOT NULL, definition TEXT NOT NULL, actor TEXT NOT NULL,
    trace_id TEXT NOT NULL, command_id TEXT NOT NULL, inputs TEXT NOT NULL, timeout_seconds ${integer} NOT NULL,
    requested_at ${integer} NOT NULL, state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    answer TEXT, finished_at ${integer})`,
  "CREATE INDEX flow_run_running ON flow_run (requested_at) WHERE state = 'running'",
  "CREATE INDEX flow_run_flow ON flow_run (flow_id, requested_at)",
  "CREATE INDEX flow_run_finished ON flow_run (finished_at)",
  `CREATE TABLE flow_step (
    run_id TEXT NOT NULL, path TEXT NOT NULL, output TEXT, error TEXT, duration_us ${integer} NOT NULL, at ${integer} NOT NULL,
    PRIMARY KEY (run_id, path))`,
];

/** SQLite cannot change a check: the table is made again. */
const waitingInSqlite: readonly string[] = [
  "ALTER TABLE flow_run RENAME TO flow_run_before",
  `CREATE TABLE flow_run (
    run_id TEXT NOT NULL PRIMARY KEY, flow_id TEXT NOT NULL, definition TEXT NOT NULL, actor TEXT NOT NULL,
    trace_id TEXT NOT NULL, command_id TEXT NOT NULL, inputs TEXT NOT NULL, timeout_seconds INTEGER NOT NULL,
    requested_at INTEGER NOT NULL, state TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'done', 'failed')),
    answer TEXT, finished_at INTEGER, waited_us INTEGER NOT NULL DEFAULT 0, waiting_since INTEGER)`,
  `INSERT INTO flow_run (run_id, flow_id, definition, actor, trace_id, command_id, inputs, timeout_seconds, requested_at, state,
    answer, finished_at) SELECT * FROM flow_run_before`,
  "DROP TABLE flow_run_before",
  "CREATE INDEX flow_run_running ON flow_run (requested_at) WHERE state = 'running'",
  "CREATE INDEX flow_run_waiting ON flow_run (waiting_since) WHERE state = 'waiting'",
  "CREATE INDEX flow_run_flow ON flow_run (flow_id, requested_at)",
  "CREATE INDEX flow_run_finished ON flow_run (finished_at)",
];
const waitingInPostgres: readonly string[] = [
  "ALTER TABLE flow_run DROP CONSTRAINT flow_run_state_check",
  "ALTER TABLE flow_run ADD CONSTRAINT flow_run_state_check CHECK (state IN ('running', 'waiting', 'done', 'failed'))",
  "ALTER TABLE flow_run ADD COLUMN waited_us BIGINT NOT NULL DEFAULT 0",
  "ALTER TABLE flow_run ADD COLUMN waiting_since BIGINT",
  "CREATE INDEX flow_run_waiting ON flow_run (waiting_since) WHERE state = 'waiting'",
];

const approvalStatements = (integer: string): readonly string[] => [
  `CREATE TABLE flow_approval (
    approval_id TEXT NOT NULL PRIMARY KEY, run_id TEXT NOT NULL, path TEXT NOT NULL, flow_id TEXT NOT NULL,
    step_id TEXT NOT NULL, phase TEXT NOT NULL, question TEXT NOT NULL, details TEXT NOT NULL, second_person ${integer} NOT NULL,
    asked_by TEXT NOT NULL, requested_at ${integer} NOT NULL, expires_at ${integer} NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'expired')),
    decided_by TEXT, decided_at ${integer}, reason TEXT, UNIQUE (run_id, path))`,
  "CREATE INDEX flow_approval_open ON flow_approval (expires_at) WHERE state = 'open'",
];

const scheduleStatements = (integer: string): readonly string[] => [
  `CREATE TABLE flow_schedule (
    flow_id TEXT NOT NULL PRIMARY KEY, schedule TEXT NOT NULL, next_at ${integer} NOT NULL, last_at ${integer})`,
  "CREATE INDEX flow_run_under_way ON flow_run (flow_id) WHERE state IN ('running', 'waiting')",
];

export const FLOW_MIGRATIONS: Migrations = {
  owner: "platform.flows",
  steps: [
    { name: "001-flows", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-waiting", sqlite: waitingInSqlite, postgres: waitingInPostgres },
    { name: "003-approvals", sqlite: approvalStatements("INTEGER"), postgres: approvalStatements("BIGINT") },
    { name: "004-schedules", sqlite: scheduleStatements("INTEGER"), postgres: scheduleStatements("BIGINT") },
  ],
};
