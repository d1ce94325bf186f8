/** Bounds of release certificates. */
export const RELEASE_LIMITS = {
  /** Of one bot that are looked at for a start; what is older is spoken for by what is newer. */
  looked_at: 64,
  /** A certificate may be so much ahead of the clock before it counts as one of the future. */
  clock_slack_us: 60_000_000,
  /** Offline: how far ahead of the checker's clock the home's may be. */
  clock_slack_seconds: 300,
  /** Of a status that is believed offline where nothing is said. */
  default_max_age_seconds: 86_400,
  max_age_seconds: 31_536_000,
} as const;
