/**
 * What the Python package `core_runtime` asks the program: the host's health, the counters of flows and blocks, and to be told
 * what a pack's own probes found.
 *
 * How to think: this is what the program shows of itself to code that nobody trusts, so it is little: two words on the host,
 * and the metrics of {@link SHOWN_METRICS}. What a pack says of itself is kept beside the program's health, never in it: no
 * pack can make the program look unfit.
 *
 * Invariants (packages/rumi/test/core-runtime.test.ts): a pack reports for itself only; what it does not renew is UNKNOWN.
 */
import type { Clock } from "@rumi/kernel";
import type { Metrics, MetricKind } from "@rumi/operations";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Serve, Served } from "../sockets/listen.ts";

export const RUNTIME_LIMITS = {
  /** Of one pack. */
  probes: 16,
  packs: 1_000,
  /** After which what was found is not known any more. */
  report_ms: 300_000,
} as const;

/** The guide's, by name. */
export const SHOWN_METRICS: readonly string[] = [
  "flow.step.success",
  "flow.step.error",
  "flow.execution.complete",
  "docker.available",
  "container.start.success",
  "container.start.failed",
  "flows.registered",
  "python_file_call.duration_ms",
];

export const PROBE_STATES = ["UP", "DOWN", "DEGRADED", "UNKNOWN"] as const;
export type ProbeState = (typeof PROBE_STATES)[number];

const REPORT = Type.Object(
  {
    op: Type.Literal("health_report"),
    probes: Type.Record(
      Type.String({ pattern: "^[a-z][a-z0-9_.-]{0,63}$" }),
      Type.Union(PROBE_STATES.map((state) => Type.Literal(state))),
      { minProperties: 1, maxProperties: RUNTIME_LIMITS.probes, additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

/** What packs' probes found last, by pack and name. */
export interface PackProbes {
  report(pack_id: string, probes: Readonly<Record<string, ProbeState>>): void;
  current(): Readonly<Record<string, ProbeState>>;
}

export function createPackProbes(clock: Pick<Clock, "monotonic">): PackProbes {
  const reports = new Map<string, { readonly at: number; readonly probes: Readonly<Record<string, ProbeState>> }>();
  return {
    report: (pack_id, probes) => {
      reports.delete(pack_id);
      reports.set(pack_id, { at: clock.monotonic(), probes });
      const [oldest] = reports.keys();
      if (reports.size > RUNTIME_LIMITS.packs && oldest !== undefined) reports.delete(oldest);
    },
    current: () => {
      const until = clock.monotonic() - RUNTIME_LIMITS.report_ms;
      return Object.fromEntries(
        [...reports].flatMap(([pack_id, { at, probes }]) =>
          Object.entries(probes).map(
            ([name, state]) => [`${pack_id}:${name}`, at < until ? "UNKNOWN" : state] as const,
          ),
        ),
      );
    },
  };
}

export type RuntimeDeps = {
  readonly metrics: Metrics;
  readonly packProbes: PackProbes;
  /** Of the host, by name: `disk`, `writable_tmp`. */
  readonly hostHealth: () => Promise<Readonly<Record<string, ProbeState>>>;
};
export const RUNTIME_OPS: readonly string[] = ["host_health", "metrics_snapshot", "health_report"];

export function runtimeLine(pack_id: string, { metrics, packProbes, hostHealth }: RuntimeDeps): Serve {
  return async ({ head }) => {
    if (head["op"] === "health_report") {
      const [first] = Value.Errors(REPORT, head);
      if (first !== undefined) return refused(`${first.path.slice(1)}: ${first.message}`);
      packProbes.report(pack_id, (head as Static<typeof REPORT>).probes);
      return { head: { success: true } };
    }
    if (Object.keys(head).length !== 1) return refused("there is no such field");
    if (head["op"] === "host_health") return { head: { success: true, probes: await hostHealth() } };
    return { head: { success: true, ...shown(metrics) } };
  };
}

type Shown = Readonly<Record<"counters" | "gauges" | "histograms", Readonly<Record<string, readonly object[]>>>>;

function shown(metrics: Metrics): Shown {
  const all = metrics.snapshot().filter(({ name }) => SHOWN_METRICS.includes(name));
  const of = (wanted: MetricKind): Readonly<Record<string, readonly object[]>> =>
    Object.fromEntries(
      all
        .filter(({ kind }) => kind === wanted)
        .map(({ name, series }) => [
          name,
          series.map(({ labels, value, count }) =>
            wanted === "histogram" ? { labels, count, sum: value } : { labels, value },
          ),
        ]),
    );
  return { counters: of("counter"), gauges: of("gauge"), histograms: of("histogram") };
}

function refused(error: string): Served {
  return { head: { success: false, error, error_type: "execution_error" } };
}
