/** Limits of policies; each is reached by a test. */
export const POLICY_LIMITS = {
  max_policies: 200,
  text_characters: 65_536,
  /** Decisions remembered under one version; beyond it they are made again. */
  remembered_decisions: 50_000,
  /** Recorded commands that a simulation looks back on. */
  replayed_commands: 1_000,
} as const;
