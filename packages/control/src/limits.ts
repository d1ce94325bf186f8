/** Limits of the control plane; each is reached by a test or bounds a loop. */
export const CONTROL_LIMITS = {
  /** Open orders of one instance. */
  open_orders: 100,
  /** Entries of the runner's journal that one commit takes in. */
  journal_entries_per_commit: 500,
  /** How long a runner may take to answer a request. */
  runner_request_ms: 15_000,
  /** Admission reports kept of each bot. */
  admission_reports: 20,
  /** Words on staged intents that one round tells to runners. */
  staged_words_per_round: 200,
  /** How old a report may be that spares a runner the smoke. */
  admission_fresh_ms: 86_400_000,
  /** After a restart of the program: how long living runners have to dial in and be adopted. */
  adoption_window_ms: 8_000,
  /** STOPPING longer than this is stuck (G-10.1). */
  stuck_stopping_ms: 120_000,
  /** A live run that nobody holds and whose venue has not spoken is wound up at most so often (attestation/wind-up.ts). */
  wind_up_every_ms: 60_000,
  /** A stopped instance is forgotten when its journal has been silent so long. */
  forget_after_ms: 2_000,
  /** Attempts of one observed change while other commits keep winning. */
  conflict_attempts: 16,
  /** A runner is asked for a sample of an instance at most so often, and answered for so long; intents shown with it. */
  inspect_every_ms: 250,
  inspect_ms: 3_000,
  inspect_intents: 20,
  /** Of the newest intents of a bot: so many are looked through for orders that nobody has answered. */
  intents_looked_through: 200,
  /** Leases that one answer lists. */
  leases_listed: 200,
  /** Bytes of a Unix socket's path that every system takes. */
  socket_path_bytes: 100,
  /** Words of a runner about its clock that have to agree. */
  clock_samples: 3,
  /** Messages waiting for one runner connection's turn; beyond it the connection is cut. */
  queued_messages: 10_000,
  /** Unproven stops that one round looks at. */
  stops_per_round: 1_000,
  /** Bots of one bulk. */
  bulk_targets: 1_000,
  /** How long a bot of a bulk may take to arrive after its command; then it counts as failed. */
  bulk_arrival_ms: 120_000,
  /** Commands that one round sends of a bulk that only tightens; of any other it sends one. */
  bulk_stops_per_round: 64,
  /** Groups, and jobs. */
  groups: 10_000,
  jobs: 10_000,
  users: 10_000,
  tokens_of_a_user: 32,
  /** Tokens whose rows are remembered between requests; beyond it all are read again. */
  remembered_tokens: 10_000,
  /** Challenges of one requester that are neither settled nor expired. */
  open_challenges: 64,
  challenges_expired_per_round: 64,
  /** Changes of one requester that are neither settled nor expired. */
  open_changes: 64,
  /** Support bundles that were asked for and are not made yet; archives that are kept. */
  bundles_waiting: 4,
  bundles_kept: 20,
} as const;
