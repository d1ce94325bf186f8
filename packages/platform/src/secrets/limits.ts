/** Limits of stored secrets; each is reached by a test. */
export const SECRET_LIMITS = {
  /** Keys with a value; tombstones do not count. */
  secrets: 1_000,
  /** Characters of one value. */
  value_characters: 65_536,
  /** The window in which reads of one pack are counted. */
  read_window_ms: 60_000,
} as const;
