/** Limits of the pipeline and of the way in; each is reached by a test. */
export const PIPELINE_LIMITS = {
  /** Nesting of a request body: objects and arrays. */
  json_depth: 32,
  /** Members and elements of one request body. */
  json_nodes: 50_000,
  /** Runs of load and decide while other commits keep winning. */
  conflict_attempts: 16,
  /** Times a command may fail inside before it is given up. */
  failed_attempts: 5,
  /** What a caller is told to wait when its command is still running, seconds. */
  retry_after_seconds: 1,
  idempotency_key_characters: 255,
  /** Failed authentications of one address in one window. */
  auth_failures: 20,
  auth_window_seconds: 60,
  /** Addresses remembered by the limiter; beyond it the oldest is forgotten. */
  auth_addresses: 10_000,
  /** Distinct subjects of the once-a-minute audit summaries; further ones share one line. */
  summary_subjects: 200,
  summary_window_seconds: 60,
  /** Label sets of one metric; further ones are counted under `other`. */
  metric_series: 2_000,
  reconciler_batch: 64,
  /** How long a taken wish is its taker's alone. */
  reconciler_hold_ms: 60_000,
  /** Unfinished commands resumed by one call of `recover`. */
  recovered_commands: 100_000,
} as const;
