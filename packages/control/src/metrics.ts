/**
 * The metrics of M-14.1, exactly as named there, from what the runners last reported; and what the gate decided, by
 * reason, beside them.
 *
 * Invariants (metrics.test.ts)
 * - Every series bears `strategy` and `instance` (`BOT/INSTANCE`); labels take their values from closed lists of words.
 * - An instance that is not to run any more has no series; a resumed run's totals begin anew, as counters may.
 */
import type { Labels, Metrics, PublishedFamily } from "@rumi/operations";
import { LATENCY_BOUNDS_MS } from "@rumi/runtime";
import type { Store } from "@rumi/store";
import { readInstances, type InstanceRow } from "./instances/tables.ts";
import { statusOf } from "./instances/view.ts";

/** 0 healthy, 1 degraded, 2 halted. */
const HEALTH_NUMBERS: Readonly<Record<string, number>> = { healthy: 0, degraded: 1, halted: 2 };

type Family = {
  readonly kind: PublishedFamily["kind"];
  readonly help: string;
  /** A label beside strategy and instance: the lane, which the descriptor tells, or one that the counter's name bears. */
  readonly label?: "lane" | "kind" | "type" | "verdict" | "reason_code";
};

const FAMILIES: Readonly<Record<string, Family>> = {
  strategy_event_latency_ms: {
    kind: "histogram",
    help: "Milliseconds from handing an event to the strategy until its outputs have passed the gate; sampled.",
    label: "lane",
  },
  strategy_queue_depth: { kind: "gauge", help: "Events and inputs waiting for the strategy.", label: "lane" },
  strategy_timeout_total: { kind: "counter", help: "Callbacks that ran out of time or fuel." },
  strategy_fault_total: { kind: "counter", help: "Faults of the strategy by kind.", label: "kind" },
  intent_emitted_total: { kind: "counter", help: "Intents by type.", label: "type" },
  intent_verdict_total: { kind: "counter", help: "Intents by the gate's verdict.", label: "verdict" },
  intent_discarded_total: { kind: "counter", help: "Outputs thrown away, by reason.", label: "reason_code" },
  state_checkpoint_bytes: { kind: "gauge", help: "Bytes of the newest state checkpoint." },
  state_restore_time_ms: { kind: "gauge", help: "Milliseconds that the last restore took; 0 for a run begun afresh." },
  health_state: { kind: "gauge", help: "0 healthy, 1 degraded, 2 halted." },
  strategy_isolation_level: { kind: "gauge", help: "Isolation level in force: 0 thread, 1 jail, 2 Wasm, 3 container." },
  health_state_info: { kind: "gauge", help: "The reason of the health state.", label: "reason_code" },
};

const COUNTER = /^([a-z_]+)(?:\{[a-z_]+="([^"]*)"\})?$/;
type Series = PublishedFamily["series"][number];

/** Publishes the instances' metrics, at each call of what it returns. */
export function instanceMetrics(store: Store, metrics: Metrics): () => Promise<void> {
  return async () => metrics.publish("instances", familiesOf(await readInstances(store, store)));
}

export function familiesOf(
  rows: readonly Pick<InstanceRow, "bot_id" | "strategy_id" | "instance_id" | "desired" | "status" | "spec">[],
): readonly PublishedFamily[] {
  const series = new Map<string, Series[]>(Object.keys(FAMILIES).map((name) => [name, []]));
  for (const row of rows) {
    const status = statusOf(row);
    if (status === null || row.desired === "stopped") continue;
    const of = { strategy: row.strategy_id, instance: `${row.bot_id}/${row.instance_id}` };
    const lane = laneOf(row);
    const { counters, health_state, isolation, reason_code } = status;
    for (const [counter, value] of Object.entries(counters)) {
      const [, name = "", word] = COUNTER.exec(counter) ?? [];
      const label = FAMILIES[name]?.label;
      if (FAMILIES[name] === undefined || name === "health_state") continue;
      const labels: Labels = label === undefined ? of : { ...of, [label]: label === "lane" ? lane : (word ?? "") };
      series.get(name)?.push({ labels, value });
    }
    series.get("strategy_event_latency_ms")?.push(latency(counters, { ...of, lane }));
    if (isolation != null)
      series.get("strategy_isolation_level")?.push({ labels: of, value: Number(isolation.level.slice(1)) });
    series.get("health_state")?.push({ labels: of, value: HEALTH_NUMBERS[health_state] ?? 2 });
    series.get("health_state_info")?.push({ labels: { ...of, reason_code: reason_code ?? "" }, value: 1 });
  }
  return Object.entries(FAMILIES).map(([name, { kind, help }]) => ({
    name,
    kind,
    help,
    ...(kind === "histogram" ? { bounds: LATENCY_BOUNDS_MS } : {}),
    series: series.get(name) ?? [],
  }));
}

function latency(counters: Readonly<Record<string, number>>, labels: Labels): Series {
  return {
    labels,
    value: counters["strategy_event_latency_ms_sum"] ?? 0,
    count: counters["strategy_event_latency_ms_count"] ?? 0,
    buckets: LATENCY_BOUNDS_MS.map((bound) => counters[`strategy_event_latency_ms_bucket{le="${bound}"}`] ?? 0),
  };
}

function laneOf(row: Pick<InstanceRow, "spec">): string {
  return (JSON.parse(row.spec) as { readonly descriptor: { readonly capabilities: { readonly lane: string } } })
    .descriptor.capabilities.lane;
}
