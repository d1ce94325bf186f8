/** Limits of the HTTP rim; each is reached by a test. */
export const SERVER_LIMITS = {
  /** Characters of one path parameter. */
  path_parameter_characters: 640,
  /** One request from its first byte to its last, milliseconds. */
  request_ms: 60_000,
  streams: 64,
  /** What may wait for a slow listener before it is disconnected, bytes. */
  stream_buffer_bytes: 1_048_576,
  stream_page_rows: 200,
  stream_heartbeat_ms: 15_000,
  /** How often the feed is looked at even when nothing said that it changed. */
  stream_poll_ms: 250,
  /** Requests in flight are waited for at the end. */
  close_ms: 5_000,
  console_files: 2_000,
  console_bytes: 67_108_864,
} as const;
