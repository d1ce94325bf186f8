/** The metrics of M-14.1, exactly as named there, from what the runners last reported. */
import type { Labels, Metrics } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { readInstances, type InstanceRow } from "./instances/tables.ts";
import { statusOf } from "./instances/view.ts";

/** 0 healthy, 1 degraded, 2 halted. */
const HEALTH_NUMBERS: Readonly<Record<string, number>> = { healthy: 0, degraded: 1, halted: 2 };

/** Each metric with what its labels are beside strategy and instance. */
const HELP = {
  strategy_event_latency_ms: "Latency of a strategy's callbacks, newest window.",
  strategy_queue_depth: "Events waiting for a strategy.",
  strategy_timeout_total: "Callbacks that ran out of time.",
  strategy_fault_total: "Faults of a strategy by kind.",
  intent_emitted_total: "Intents by type.",
  state_checkpoint_bytes: "Size of the newest state checkpoint.",
  state_restore_time_ms: "How long the last restore took.",
} as const;
const LANED: ReadonlySet<string> = new Set(["strategy_event_latency_ms", "strategy_queue_depth"]);

/**
 * Copies the counters that runners report, named `metric` or `metric{label="value"}`, into the program's
 * metrics, at each call of what it returns. A total that fell was begun anew by a resumed run and counts whole.
 */
export function instanceMetrics(store: Store, metrics: Metrics): () => Promise<void> {
  const totals = new Map<string, number>();
  const add = (name: keyof typeof HELP, labels: Labels, value: number): void => {
    const key = JSON.stringify([name, labels]);
    const before = totals.get(key) ?? 0;
    totals.set(key, value);
    metrics.counter(name, HELP[name]).add(labels, value >= before ? value - before : value);
  };
  return () => refresh(store, metrics, add);
}

async function refresh(
  store: Store,
  metrics: Metrics,
  add: (name: keyof typeof HELP, labels: Labels, value: number) => void,
): Promise<void> {
  const health = metrics.gauge("health_state", "0 healthy, 1 degraded, 2 halted.");
  const info = metrics.gauge("health_state_info", "The reason of the health state.");
  for (const row of await readInstances(store, store)) {
    const status = statusOf(row);
    if (status === null || row.desired === "stopped") continue;
    const of = { strategy: row.strategy_id, instance: `${row.bot_id}/${row.instance_id}` };
    for (const [counter, value] of Object.entries(status.counters)) {
      const [, name = "", label, word] = /^([a-z_]+)(?:\{([a-z_]+)="([^"]*)"\})?$/.exec(counter) ?? [];
      if (!isMetric(name)) continue;
      const labels = {
        ...of,
        ...(LANED.has(name) ? { lane: laneOf(row) } : {}),
        ...(label === undefined ? {} : { [label]: word ?? "" }),
      };
      if (name.endsWith("_total")) add(name, labels, value);
      else metrics.gauge(name, HELP[name]).set(value, labels);
    }
    health.set(HEALTH_NUMBERS[status.health_state] ?? 2, of);
    info.set(1, { ...of, reason_code: status.reason_code ?? "" });
  }
}

function isMetric(name: string): name is keyof typeof HELP {
  return Object.hasOwn(HELP, name);
}

function laneOf(row: InstanceRow): string {
  return (JSON.parse(row.spec) as { readonly descriptor: { readonly capabilities: { readonly lane: string } } })
    .descriptor.capabilities.lane;
}
