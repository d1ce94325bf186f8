/** Limits and times of the order gateway; each is reached by gateway.test.ts. */
import { LEASE_TIMES } from "../runner/leases.ts";

export const GATEWAY_LIMITS = {
  /** Requests that wait to be sent; beyond it a new order is refused before it left. Cancels are always taken. */
  queue: 1_024,
  /** Requests a second to one venue, cancels first. */
  requests_per_second: 20,
  /** Cancels, amendments and questions on their way at once; orders go one after another. */
  in_flight: 8,
  /** An answer that takes longer is none. */
  answer_ms: 2_000,
  /**
   * A request that arrives later than this is void at the venue. It is the lease's own margin: what was signed while the
   * lease was held is void before a successor can hold it, even if this process slept between signing and sending.
   */
  recv_window_ms: LEASE_TIMES.margin_ms,
  /** An order that never left is not sent after waiting longer: the market it was meant for is gone. */
  order_wait_ms: 30_000,
  /** How often one order may be sent, always under the same id. */
  sends: 3,
  clock_syncs: 2,
  backoff_ms: 100,
  backoff_max_ms: 5_000,
  /** Everything is compared with the venue this often although nothing seems wrong. */
  reconcile_every_ms: 30_000,
  /** Finished orders remembered, so that a late word about one is understood. */
  finished_orders: 10_000,
  /** How long a stop waits for the venue's word on the orders it cancelled. */
  settle_ms: 5_000,
  /** A market that says nothing for so long is quiet: a condition on the record, no fault. */
  quiet_market_ms: 60_000,
  /** Rows of one live run, as many as a recording may have. */
  feed_rows: 50_000_000,
} as const;

export type GatewayLimits = { readonly [name in keyof typeof GATEWAY_LIMITS]: number };
