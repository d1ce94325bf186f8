/** Limits that more than one package must agree on. Everything has a limit, and the limit has a name. */
export const LIMITS = {
  /** C2SP tlog-tiles prefixes an entry with a 16-bit length. */
  log_leaf_bytes: 65_535,
  /** One audit event's payload, canonical JSON. */
  event_payload_bytes: 262_144,
  request_body_bytes: 1_048_576,
  page_rows: 200,
  page_rows_default: 50,
  /** Any frame between host and strategy. */
  abi_frame_bytes: 1_048_576,
  /** Any message between runner and control plane. */
  runner_message_bytes: 16_777_216,
} as const;
