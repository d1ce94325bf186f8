/** What a scrape says of instances, from their rows. */
import { createMetrics } from "@rumi/operations";
import { expect, it } from "vitest";
import { familiesOf } from "./metrics.ts";

const row = (bot_id: string, desired: "running" | "stopped", counters: Readonly<Record<string, number>>) => ({
  bot_id,
  strategy_id: "s",
  instance_id: "main",
  desired,
  spec: JSON.stringify({ descriptor: { capabilities: { lane: "ll" } } }),
  status: JSON.stringify({
    counters,
    health_state: "degraded",
    isolation: { level: "L1", mechanism: "bubblewrap" },
    reason_code: "M.GATE.RATE",
  }),
});

it("[M-5.1.1] [M-14.1] a histogram is cumulated, labels are exact, and a series ends with its instance", () => {
  const metrics = createMetrics();
  const counters = {
    strategy_event_latency_ms_sum: 3.5,
    strategy_event_latency_ms_count: 3,
    'strategy_event_latency_ms_bucket{le="0.5"}': 2,
    'strategy_event_latency_ms_bucket{le="+Inf"}': 1,
    'strategy_fault_total{kind="trap"}': 4,
    strategy_queue_depth: 7,
    unheard_of_total: 1,
  };
  metrics.publish("instances", familiesOf([row("a", "running", counters), row("b", "stopped", counters)]));
  const text = metrics.text();
  const own = 'strategy="s",instance="a/main"';
  for (const line of [
    `strategy_event_latency_ms_bucket{${own},lane="ll",le="0.25"} 0`,
    `strategy_event_latency_ms_bucket{${own},lane="ll",le="0.5"} 2`,
    `strategy_event_latency_ms_bucket{${own},lane="ll",le="1000"} 2`,
    `strategy_event_latency_ms_bucket{${own},lane="ll",le="+Inf"} 3`,
    `strategy_event_latency_ms_sum{${own},lane="ll"} 3.5`,
    `strategy_fault_total{${own},kind="trap"} 4`,
    `strategy_queue_depth{${own},lane="ll"} 7`,
    `health_state{${own}} 1`,
    `strategy_isolation_level{${own}} 1`,
    `health_state_info{${own},reason_code="M.GATE.RATE"} 1`,
  ])
    expect(text).toContain(`${line}\n`);
  expect(text).not.toContain("b/main");
  expect(text).not.toContain("unheard_of");
  metrics.publish("instances", familiesOf([row("a", "stopped", counters)]));
  expect(metrics.text()).not.toContain("a/main");
});
