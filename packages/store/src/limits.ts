/** Limits of the store. The composition root may lower them; tests do, to reach each one. */
export type StoreLimits = {
  /** Batches waiting for the writer; one more is refused with RUMI-STO-001. */
  readonly queued_batches: number;
  /** Batches folded into one group, hence one transaction and one signature. */
  readonly group_batches: number;
  readonly batch_writes: number;
  readonly batch_events: number;
  /** Connections that hold a read snapshot at the same time. */
  readonly snapshots: number;
  /** Snapshots waiting for such a connection; one more is refused with RUMI-STO-001. */
  readonly queued_snapshots: number;
  /** Prepared statements kept per connection. */
  readonly cached_statements: number;
  /** A signed checkpoint is kept for ever at least once in so many leaves. */
  readonly leaves_per_kept_checkpoint: number;
  /** PostgreSQL: how long `commit` waits for the sealer before it answers RUMI-STO-007. */
  readonly seal_wait_ms: number;
  /** PostgreSQL: connections for batches and single reads. */
  readonly connections: number;
};

export const STORE_LIMITS: StoreLimits = {
  queued_batches: 10_000,
  group_batches: 1_000,
  batch_writes: 10_000,
  batch_events: 1_000,
  snapshots: 8,
  queued_snapshots: 1_000,
  cached_statements: 512,
  leaves_per_kept_checkpoint: 4_096,
  seal_wait_ms: 10_000,
  connections: 10,
};
