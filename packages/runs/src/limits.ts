/** Every limit of runs; each has a test that reaches it. */
export const RUN_LIMITS = {
  /** Runs that go on at once. */
  active: 8,
  /** Characters of a prompt, of one word of a command, of a check's command: together they fit into a request. */
  prompt_characters: 131_072,
  command_words: 64,
  word_characters: 4_096,
  checks: 32,
  check_characters: 4_096,
  timeout_seconds: 86_400,
  default_timeout_seconds: 3_600,
  check_timeout_seconds: 7_200,
  default_check_timeout_seconds: 600,
  /** Of one run's output; what comes later is counted and not kept. */
  log_bytes: 67_108_864,
  check_log_bytes: 8_388_608,
  /** Of one record of a log; longer pieces are cut into several. */
  record_characters: 16_384,
  /** Files and folders of the tree a run leaves. */
  tree_entries: 500_000,
  /** Of a path, as Linux has it; folders that come near it are told and not looked into. */
  path_bytes: 4_096,
  /** Between SIGTERM and SIGKILL. */
  stop_grace_ms: 5_000,
  /** For one call of git. */
  git_ms: 300_000,
  git_output_bytes: 268_435_456,
  /** More than these and there is no bundle: nobody decides so many. They are written down in one batch of the store. */
  violations: 9_000,
  listed: 200,
} as const;
