/** Advisory locks, one number each; they are per database, and a database holds one store. */
export const LOCKS = { migration: 7_204_001, sealer: 7_204_002 } as const;
/** The channel on which committers say "pending" and the sealer says "sealed". */
export const LOG_CHANNEL = "rumi_log";
/** How often everybody looks without being told; LISTEN/NOTIFY only makes it sooner. */
export const POLL_MS = 50;
