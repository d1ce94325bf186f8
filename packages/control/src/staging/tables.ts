/** Staged intents: written with the journal's records, decided by people, delivered to runners. */
import { write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";

export type StagedRow = {
  run_id: string;
  idempotency_key: string;
  seq: number;
  bot_id: string;
  strategy_id: string;
  instance_id: string;
  trace_id: string;
  /** Lease under which it was staged: under a newer one it is never sent. */
  epoch: number;
  /** Wall time, microseconds: from then on nobody may approve it, whatever the run's own time says. */
  staged_at: number;
  expires_at: number;
  /** `staged`, then a state of the runtime's `staging` records. */
  state: string;
  reason_code: string | null;
  /** A person's word, and whether a runner took it. */
  decision: "approve" | "reject" | null;
  decided_by: string | null;
  decided_at: number | null;
  decision_reason: string | null;
  delivered: number;
  /** JSON of why a runner would not take it. */
  failure: string | null;
  client_order_id: string | null;
  intent: string;
  updated_at: number;
  row_version: number;
};
export type StagingTables = { staged_intent: StagedRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE staged_intent (
    run_id TEXT NOT NULL, idempotency_key TEXT NOT NULL, seq ${integer} NOT NULL, bot_id TEXT NOT NULL, strategy_id TEXT NOT NULL, instance_id TEXT NOT NULL,
    trace_id TEXT NOT NULL, epoch ${integer} NOT NULL, staged_at ${integer} NOT NULL, expires_at ${integer} NOT NULL, state TEXT NOT NULL, reason_code TEXT,
    decision TEXT, decided_by TEXT, decided_at ${integer}, decision_reason TEXT, delivered ${integer} NOT NULL, failure TEXT, client_order_id TEXT,
    intent TEXT NOT NULL, updated_at ${integer} NOT NULL, row_version ${integer} NOT NULL, PRIMARY KEY (run_id, idempotency_key))`,
  "CREATE INDEX staged_intent_bot ON staged_intent (bot_id, run_id, seq)",
  "CREATE INDEX staged_intent_open ON staged_intent (delivered, state)",
];

export const STAGING_MIGRATIONS: Migrations = {
  owner: "control.staging",
  steps: [{ name: "001-staged-intents", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export type StagedKey = Pick<StagedRow, "run_id" | "idempotency_key">;

export function readStaged(
  reader: Reader,
  sql: Sql,
  { run_id, idempotency_key }: StagedKey,
): Promise<StagedRow | undefined> {
  return first<StagedRow>(
    reader,
    sql
      .builder<StagingTables>()
      .selectFrom("staged_intent")
      .selectAll()
      .where("run_id", "=", run_id)
      .where("idempotency_key", "=", idempotency_key),
  );
}

/** Words that no runner has taken yet. */
export function readUndelivered(reader: Reader, sql: Sql, limit: number): Promise<readonly StagedRow[]> {
  return reader.rows<StagedRow>(
    sql
      .builder<StagingTables>()
      .selectFrom("staged_intent")
      .selectAll()
      .where("delivered", "=", 0)
      .where("decision", "is not", null)
      .where("state", "=", "staged")
      .orderBy("decided_at")
      .limit(limit),
  );
}

/** Only where the row is still what was read. */
export function updateStaged(
  sql: Sql,
  row: StagedRow,
  change: Partial<Omit<StagedRow, keyof StagedKey | "row_version">>,
  now: number,
): Write {
  return write(
    sql
      .builder<StagingTables>()
      .updateTable("staged_intent")
      .set({ ...change, updated_at: now, row_version: row.row_version + 1 })
      .where("run_id", "=", row.run_id)
      .where("idempotency_key", "=", row.idempotency_key)
      .where("row_version", "=", row.row_version),
    1,
  );
}
