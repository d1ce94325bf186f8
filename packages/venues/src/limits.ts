/** Limits of market data and execution; each is reached by a test of the file that enforces it. */
export const VENUE_LIMITS = {
  /** Bytes of a recording after decompression: what a zip bomb meets. */
  recording_bytes: 17_179_869_184,
  /** Rows held in memory by one load. */
  recording_rows: 50_000_000,
  /** Files of one load. */
  recording_files: 1_024,
  /** One line; a longer one is a rejected row. */
  line_bytes: 4_096,
  /** Lines read in search of one that has a known layout. */
  layout_search_lines: 20,
  /** Central directory of a zip. */
  zip_directory_bytes: 65_536,
  /** Rows back that a duplicate is looked for (by trade id). */
  duplicate_window: 131_072,
  generated_trades: 20_000_000,
  /** Orders the simulated exchange remembers, open and closed, so that an id never makes a second order. */
  venue_known_orders: 1_000_000,
  /** Orders in sequence that are over and still known by their id; older ones are refused by their number alone. */
  venue_closed_remembered: 256,
  venue_open_orders: 10_000,
  /** Instructions on their way to the simulated exchange. */
  venue_inflight: 65_536,
  venue_instruments: 4_096,
} as const;

export type VenueLimits = { readonly [name in keyof typeof VENUE_LIMITS]: number };
