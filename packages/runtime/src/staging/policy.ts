/** How long staged intents wait, how many of them, and which need no person: part of a bot's version. */

export type StagingPolicy = {
  /** Nobody may approve it later than this after it was staged: by the run's event time and by the clock, whichever is first. */
  readonly expires_after_us: number;
  /** Intents that may wait at once; the next one is refused. */
  readonly max_staged: number;
  /** What adds at most this much is approved by the policy itself: quote currency, decimal string. Absent: nothing is. */
  readonly approve_up_to?: string;
};

export type StagingOptions = {
  readonly policy: StagingPolicy;
  /** The lease's epoch in force; in a replay the one in which the record was made. */
  readonly epoch: () => number;
};

export const STAGING_LIMITS = {
  /** Most that a policy may let wait. */
  max_staged: 256,
  /** Longest wait: a day. */
  expires_after_us: 86_400_000_000,
} as const;

export const STAGING_DEFAULT: StagingPolicy = { expires_after_us: 900_000_000, max_staged: 32 };

/** What became of a staged intent; `staged` itself is the verdict of its `intent` record. */
export const STAGING_STATES = ["approved", "committed", "rejected", "expired", "refused", "voided"] as const;
export type StagingState = (typeof STAGING_STATES)[number];
