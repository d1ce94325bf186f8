/** Limits of flows; each is reached by a test. */
export const FLOW_LIMITS = {
  /** One `*.flow.yaml`. */
  file_bytes: 1_048_576,
  yaml_depth: 20,
  yaml_nodes: 10_000,
  /** Files of one source. */
  files: 1_000,
  subflow_depth: 10,
  /** Definitions that one run may reach, itself included. */
  closure_flows: 100,
  timeout_seconds: 600,
  default_timeout_seconds: 300,
  step_timeout_seconds: 60,
  /** What the variables of one run may hold together, as JSON. */
  context_bytes: 33_554_432,
  /** What one block may be given, and what it may give back, as JSON. */
  block_bytes: 16_777_216,
  /** Block processes at once; further calls wait for one. */
  block_processes: 16,
  /** Of those that wait for work. */
  idle_processes: 8,
  /** Calls after which a block process is replaced. */
  process_calls: 1_000,
  /** Threads that run scripts at once. */
  script_threads: 4,
  /** Engine, input and output of one script together. */
  script_memory_bytes: 268_435_456,
  /** How long an approval may be waited for; a day where nothing is said. */
  approval_seconds: 604_800,
  default_approval_seconds: 86_400,
  least_approval_seconds: 1,
  /** What is shown to whoever decides, as JSON. */
  approval_bytes: 65_536,
  approval_question_characters: 1_024,
  /** Approvals that are open at once. */
  open_approvals: 1_000,
  listed_approvals: 1_000,
  /** Steps after which a run lets others have the thread. */
  steps_at_once: 256,
  /** Finished runs are kept so long. */
  kept_days: 7,
  listed_runs: 100,
  /** Steps of one run that are told, and how long telling them may take. */
  traced_steps: 1_000,
  retrace_ms: 2_000,
  /** Between two looks at the folders; an unknown flow is looked for at once. */
  look_ms: 250,
  error_characters: 2_000,
} as const;
