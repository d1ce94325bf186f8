/** Limits of the supply-chain gate; each is reached by a test. */
export const SUPPLY_LIMITS = {
  /** Keys of one home, also those that count for nothing any more: they are evidence. */
  trust_roots: 64,
  /** Five years, leap day included. */
  root_validity_days: 1_826,
  /** Envelopes of one artifact. */
  signatures: 16,
  /** Characters of an envelope's payload, base64. */
  payload_characters: 65_536,
  /** Findings of one severity that a policy can tolerate. */
  max_allowed: 10_000,
  /** A year: older advisories are none. */
  advisories_max_age_seconds: 31_536_000,
} as const;
