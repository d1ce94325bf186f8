/**
 * The store's own tables: the audit log, its tiles and head, and the tables of the building blocks.
 *
 * Payloads lie apart from leaves, so that erasing a person's data is a DELETE that breaks no proof.
 * Shipped steps never change; new ones are appended (migrations.test.ts opens a fixture of the first layout).
 */
import { lookupStep, type LookupTables } from "./log/lookup.ts";
import type { Migrations } from "./port.ts";

const entryColumns = (integer: string, bytes: string): string => `
  idx ${integer} PRIMARY KEY,
  event_id TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL,
  actor TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  occurred_at ${integer} NOT NULL,
  trace_id TEXT NOT NULL,
  run_id TEXT,
  request_id TEXT,
  leaf ${bytes} NOT NULL`;

const log = (integer: string, bytes: string): readonly string[] => [
  `CREATE TABLE log_entry (${entryColumns(integer, bytes)})`,
  "CREATE INDEX log_entry_action ON log_entry (action, idx)",
  "CREATE INDEX log_entry_resource ON log_entry (resource_type, resource_id, idx)",
  "CREATE INDEX log_entry_trace ON log_entry (trace_id, idx)",
  "CREATE INDEX log_entry_run ON log_entry (run_id, idx) WHERE run_id IS NOT NULL",
  "CREATE INDEX log_entry_request ON log_entry (request_id, idx) WHERE request_id IS NOT NULL",
  "CREATE INDEX log_entry_occurred ON log_entry (occurred_at, idx)",
  `CREATE TABLE log_payload (idx ${integer} PRIMARY KEY, salt ${bytes} NOT NULL, payload TEXT NOT NULL)`,
  `CREATE TABLE log_tile (level ${integer} NOT NULL, idx ${integer} NOT NULL, data ${bytes} NOT NULL, PRIMARY KEY (level, idx))`,
  // kind: 'current' is the head, exactly one row; 'kept' rows are history for consistency proofs.
  `CREATE TABLE log_checkpoint (kind TEXT NOT NULL, size ${integer} NOT NULL, root ${bytes} NOT NULL, note TEXT NOT NULL)`,
  "CREATE UNIQUE INDEX log_checkpoint_current ON log_checkpoint (kind) WHERE kind = 'current'",
  "CREATE INDEX log_checkpoint_size ON log_checkpoint (size)",
];

const blocks = (integer: string, serial: string): readonly string[] => [
  `CREATE TABLE lease (
    bot_id TEXT NOT NULL, strategy_id TEXT NOT NULL, instance_id TEXT NOT NULL,
    holder TEXT, epoch ${integer} NOT NULL, max_epoch ${integer} NOT NULL,
    acquired_at ${integer} NOT NULL, renewed_at ${integer} NOT NULL, expires_at ${integer} NOT NULL,
    PRIMARY KEY (bot_id, strategy_id, instance_id))`,
  "CREATE INDEX lease_expires ON lease (expires_at)",
  `CREATE TABLE operation_key (
    key TEXT NOT NULL PRIMARY KEY, operation TEXT NOT NULL, fingerprint TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('requested', 'finished', 'failed')),
    status ${integer}, answer TEXT, recovery_point TEXT, actor TEXT NOT NULL, trace_id TEXT NOT NULL,
    created_at ${integer} NOT NULL, updated_at ${integer} NOT NULL)`,
  "CREATE INDEX operation_key_unfinished ON operation_key (created_at) WHERE state = 'requested'",
  "CREATE INDEX operation_key_created ON operation_key (created_at)",
  `CREATE TABLE outbox (
    id ${serial}, kind TEXT NOT NULL, key TEXT NOT NULL, payload TEXT NOT NULL,
    attempts ${integer} NOT NULL, next_at ${integer} NOT NULL, generation ${integer} NOT NULL, last_error TEXT,
    created_at ${integer} NOT NULL, UNIQUE (kind, key))`,
  "CREATE INDEX outbox_due ON outbox (next_at, id)",
];

/** PostgreSQL only: leaves made ready by their committer, waiting in order for the one sealer. */
const pending = [
  "CREATE SEQUENCE log_pending_batch",
  `CREATE TABLE log_pending (
    batch BIGINT NOT NULL, item BIGINT NOT NULL, event_id TEXT NOT NULL UNIQUE,
    action TEXT NOT NULL, actor TEXT NOT NULL, resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, outcome TEXT NOT NULL,
    occurred_at BIGINT NOT NULL, trace_id TEXT NOT NULL, run_id TEXT, request_id TEXT,
    leaf BYTEA NOT NULL, salt BYTEA NOT NULL, payload TEXT NOT NULL, PRIMARY KEY (batch, item))`,
];

/** In SQLite the key is the order. In PostgreSQL keys are taken before commit, so the sealer numbers rows after it. */
const feedSqlite =
  "CREATE TABLE change_feed (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, data TEXT NOT NULL, at INTEGER NOT NULL)";
const feedPostgres = [
  "CREATE SEQUENCE change_feed_seq",
  "CREATE TABLE change_feed (id BIGSERIAL PRIMARY KEY, seq BIGINT UNIQUE, kind TEXT NOT NULL, key TEXT NOT NULL, data TEXT NOT NULL, at BIGINT NOT NULL)",
  "CREATE INDEX change_feed_unnumbered ON change_feed (id) WHERE seq IS NULL",
];

export const STORE_MIGRATIONS: Migrations = {
  owner: "store",
  steps: [
    { name: "001-log", sqlite: log("INTEGER", "BLOB"), postgres: [...log("BIGINT", "BYTEA"), ...pending] },
    {
      name: "002-blocks",
      sqlite: [...blocks("INTEGER", "INTEGER PRIMARY KEY AUTOINCREMENT"), feedSqlite],
      postgres: [...blocks("BIGINT", "BIGSERIAL PRIMARY KEY"), ...feedPostgres],
    },
    { name: "003-lookup", sqlite: lookupStep("INTEGER", " WITHOUT ROWID"), postgres: lookupStep("BIGINT", "") },
  ],
};

/** The store's tables as Kysely sees them. */
export type LogTables = LookupTables & {
  log_entry: {
    idx: number;
    event_id: string;
    action: string;
    actor: string;
    resource_type: string;
    resource_id: string;
    outcome: string;
    occurred_at: number;
    trace_id: string;
    run_id: string | null;
    request_id: string | null;
    leaf: Uint8Array;
  };
  log_payload: { idx: number; salt: Uint8Array; payload: string };
  log_tile: { level: number; idx: number; data: Uint8Array };
  log_checkpoint: { kind: "current" | "kept"; size: number; root: Uint8Array; note: string };
};
