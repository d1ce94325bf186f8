/** An instance in numbers: positions as decimal strings, and the metrics of M-14.1 by name. */
import type { InstrumentSpec } from "@rumi/abi";
import { formatDecimal } from "@rumi/kernel";
import type { PositionView } from "@rumi/venues";
import type { HealthState, InstanceStatus } from "../protocol.ts";
import type { LatencyMeter } from "./latency.ts";
import type { Counters } from "./state.ts";

export function positionsOf(
  positions: readonly PositionView[],
  instruments: readonly InstrumentSpec[],
): InstanceStatus["positions"] {
  return positions.flatMap((position) => {
    const of = instruments[position.instrument];
    if (of === undefined) return [];
    const digits = of.price_digits + of.quantity_digits;
    const average = position.quantity === 0 ? 0n : position.cost / BigInt(position.quantity);
    return [
      {
        instrument_id: of.instrument_id,
        quantity: formatDecimal(position.quantity, of.quantity_digits),
        average_price: formatDecimal(average < 0n ? -average : average, of.price_digits),
        realised_profit: formatDecimal(position.realised_profit, digits),
        unrealised_profit: formatDecimal(position.unrealised_profit, digits),
        fees: formatDecimal(position.fees, digits),
        last_price: formatDecimal(position.last_price, of.price_digits),
      },
    ];
  });
}

export type Measured = {
  readonly counters: Counters;
  readonly health_state: HealthState;
  readonly queued: number;
  readonly checkpoint_bytes: number;
  readonly checkpoints: number;
  readonly restore_ms: number;
  readonly latency: LatencyMeter;
};

/**
 * Labels of a dimension stand in braces; the control plane adds strategy and instance. A histogram travels as its sum,
 * its count and the buckets that hold anything, each by itself.
 */
export function metricsOf({
  counters,
  health_state,
  queued,
  checkpoint_bytes,
  checkpoints,
  restore_ms,
  latency,
}: Measured): Readonly<Record<string, number>> {
  const metrics: Record<string, number> = {
    strategy_queue_depth: queued,
    strategy_timeout_total: (counters.faults["deadline"] ?? 0) + (counters.faults["fuel"] ?? 0),
    state_checkpoint_bytes: checkpoint_bytes,
    state_checkpoint_total: checkpoints,
    state_restore_time_ms: Math.round(restore_ms * 1_000) / 1_000,
    strategy_event_latency_ms_sum: latency.sum_ms,
    strategy_event_latency_ms_count: latency.count,
    health_state: { healthy: 0, degraded: 1, halted: 2 }[health_state],
    results_stale_total: counters.results_stale,
    events_conflated_total: counters.events_conflated,
    orders_sent_total: counters.orders_sent,
    fills_total: counters.fills_total,
    log_bytes_total: counters.log_bytes,
    log_bytes_cut_total: counters.log_bytes_cut,
  };
  for (const [bound, count] of latency.buckets()) metrics[`strategy_event_latency_ms_bucket{le="${bound}"}`] = count;
  for (const [verdict, count] of Object.entries(counters.verdicts))
    metrics[`intent_verdict_total{verdict="${verdict}"}`] = count;
  for (const [kind, count] of Object.entries(counters.faults)) metrics[`strategy_fault_total{kind="${kind}"}`] = count;
  for (const [type, count] of Object.entries(counters.intents)) metrics[`intent_emitted_total{type="${type}"}`] = count;
  for (const [reason, count] of Object.entries(counters.discarded))
    metrics[`intent_discarded_total{reason="${reason}"}`] = count;
  return metrics;
}
