/** The metrics of M-14.1, exactly as named there, from what the runners last reported. */
import type { Metrics } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { readInstances, type InstanceRow } from "./instances/tables.ts";
import { statusOf } from "./instances/view.ts";

/** 0 healthy, 1 degraded, 2 halted. */
const HEALTH_NUMBERS: Readonly<Record<string, number>> = { healthy: 0, degraded: 1, halted: 2 };

/**
 * Counters of an instance's status that become metrics: `event_latency_ms_p99`, `queue_depth`,
 * `timeout_total`, `fault_total:<kind>`, `intent_emitted_total:<type>`, `state_restore_time_ms`.
 */
export async function refreshInstanceMetrics(store: Store, metrics: Metrics): Promise<void> {
  const gauge = (name: string, help: string) => metrics.gauge(name, help);
  const latency = gauge("strategy_event_latency_ms", "Latency of a strategy's callbacks, 99th percentile of the last window.");
  const depth = gauge("strategy_queue_depth", "Events waiting for a strategy.");
  const timeouts = gauge("strategy_timeout_total", "Callbacks that ran out of time.");
  const faults = gauge("strategy_fault_total", "Faults of a strategy by kind.");
  const intents = gauge("intent_emitted_total", "Intents by type.");
  const bytes = gauge("state_checkpoint_bytes", "Size of the newest state checkpoint.");
  const restore = gauge("state_restore_time_ms", "How long the last restore took.");
  const health = gauge("health_state", "0 healthy, 1 degraded, 2 halted.");
  const info = gauge("health_state_info", "The reason of the health state.");
  for (const row of await readInstances(store, store)) {
    const status = statusOf(row);
    if (status === null || row.desired === "stopped") continue;
    const of = { strategy: row.strategy_id, instance: `${row.bot_id}/${row.instance_id}` };
    const laned = { ...of, lane: laneOf(row) };
    const count = (name: string): number => status.counters[name] ?? 0;
    latency.set(count("event_latency_ms_p99"), laned);
    depth.set(count("queue_depth"), laned);
    timeouts.set(count("timeout_total"), of);
    for (const [name, value] of Object.entries(status.counters)) {
      const [kind, label] = name.split(":");
      if (label === undefined) continue;
      if (kind === "fault_total") faults.set(value, { ...of, kind: label });
      if (kind === "intent_emitted_total") intents.set(value, { ...of, type: label });
    }
    bytes.set(status.last_checkpoint?.bytes ?? 0, of);
    restore.set(count("state_restore_time_ms"), of);
    health.set(HEALTH_NUMBERS[status.health_state] ?? 2, of);
    info.set(1, { ...of, reason_code: status.reason_code ?? "" });
  }
}

function laneOf(row: InstanceRow): string {
  return (JSON.parse(row.spec) as { readonly descriptor: { readonly capabilities: { readonly lane: string } } }).descriptor.capabilities.lane;
}
