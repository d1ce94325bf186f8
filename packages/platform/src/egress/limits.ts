/** Limits of requests that packs send; each is reached by a test (egress.test.ts, request.test.ts). */
export const EGRESS_LIMITS = {
  url_characters: 8_192,
  headers: 100,
  header_name_characters: 256,
  header_value_characters: 8_192,
  request_bytes: 1_048_576,
  redirects: 3,
  timeout_seconds: 120,
  default_timeout_seconds: 30,
  /** Until the name's host is connected, of all its addresses together. */
  connect_ms: 60_000,
  /** One address, while there are others. */
  connect_one_ms: 10_000,
  response_header_bytes: 65_536,
  /** Refusals of a pack within a minute that have an entry of their own in the log; the rest is summed up. */
  refusals_logged_per_minute: 60,
} as const;

export const EGRESS_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;
export type EgressMethod = (typeof EGRESS_METHODS)[number];
