/**
 * Counters, gauges and histograms, and their Prometheus text. A name keeps its dots in the snapshot and
 * has underscores in the text. What is known elsewhere (an instance's counters) is published whole at each look, and a
 * series that its owner no longer names has ended.
 *
 * Invariant: no metric grows without end; label sets beyond the limit share the series `other`
 * (rim.test.ts).
 */
import { PIPELINE_LIMITS } from "./limits.ts";

export type Labels = Readonly<Record<string, string>>;
export type MetricKind = "counter" | "gauge" | "histogram";

export interface Counter {
  add(labels?: Labels, by?: number): void;
}
export interface Gauge {
  set(value: number, labels?: Labels): void;
}
export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

type Series = { readonly labels: Labels; value: number; count: number; readonly buckets: number[] };
export type MetricSnapshot = {
  readonly name: string;
  readonly kind: MetricKind;
  readonly series: readonly {
    readonly labels: Labels;
    readonly value: number;
    readonly count: number;
  }[];
};

export interface Metrics {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /** Replaces everything that this owner published before. */
  publish(owner: string, families: readonly PublishedFamily[]): void;
  snapshot(): readonly MetricSnapshot[];
  /** Prometheus text format 0.0.4. */
  text(): string;
}

/** Values of one metric as its owner knows them now. */
export type PublishedFamily = {
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  /** Upper bounds of a histogram's buckets. */
  readonly bounds?: readonly number[];
  readonly series: readonly {
    readonly labels: Labels;
    /** The value; a histogram's sum. */
    readonly value: number;
    /** A histogram's number of observations. */
    readonly count?: number;
    /** A histogram's observations per bound, not cumulated. */
    readonly buckets?: readonly number[];
  }[];
};

type Metric = {
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  readonly bounds: readonly number[];
  readonly series: Map<string, Series>;
};

export const SECONDS_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export function createMetrics(): Metrics {
  const all = new Map<string, Metric>();
  const published = new Map<string, readonly Metric[]>();
  const everything = (): readonly Metric[] => [...all.values(), ...[...published.values()].flat()];
  const metric = (name: string, kind: MetricKind, help: string, bounds: readonly number[] = []): Metric => {
    if (!/^[a-zA-Z_][a-zA-Z0-9_.]*$/.test(name)) throw new Error(`not a metric name: ${name}`);
    const existing = all.get(name);
    if (existing !== undefined) {
      if (existing.kind !== kind) throw new Error(`the metric ${name} is a ${existing.kind}`);
      return existing;
    }
    const made: Metric = { name, kind, help, bounds, series: new Map() };
    all.set(name, made);
    return made;
  };
  return {
    counter: (name, help) => {
      const of = metric(name, "counter", help);
      return { add: (labels = {}, by = 1) => void (seriesOf(of, labels).value += by) };
    },
    gauge: (name, help) => {
      const of = metric(name, "gauge", help);
      return { set: (value, labels = {}) => void (seriesOf(of, labels).value = value) };
    },
    histogram: (name, help, bounds) => {
      const of = metric(name, "histogram", help, bounds);
      return {
        observe: (value, labels = {}) => {
          const series = seriesOf(of, labels);
          series.value += value;
          series.count += 1;
          const at = of.bounds.findIndex((bound) => value <= bound);
          if (at >= 0) series.buckets[at] = (series.buckets[at] ?? 0) + 1;
        },
      };
    },
    publish: (owner, families) => {
      for (const { name } of families) if (all.has(name)) throw new Error(`the metric ${name} is counted here`);
      published.set(owner, families.map(familyMetric));
    },
    snapshot: () =>
      everything().map(({ name, kind, series }) => ({
        name,
        kind,
        series: [...series.values()].map(({ labels, value, count }) => ({ labels, value, count })),
      })),
    text: () => everything().map(metricText).join(""),
  };
}

function familyMetric({ name, kind, help, bounds = [], series }: PublishedFamily): Metric {
  const made: Metric = { name, kind, help, bounds, series: new Map() };
  for (const { labels, value, count = 0, buckets = [] } of series) {
    const into = seriesOf(made, labels);
    into.value = kind === "gauge" ? value : into.value + value;
    into.count += count;
    for (const at of bounds.keys()) into.buckets[at] = (into.buckets[at] ?? 0) + (buckets[at] ?? 0);
  }
  return made;
}

function seriesOf(metric: Metric, labels: Labels): Series {
  const key = Object.entries(labels)
    .map(([name, value]) => `${name}\u0000${value}`)
    .join("\u0001");
  const found = metric.series.get(key);
  if (found !== undefined) return found;
  if (metric.series.size >= PIPELINE_LIMITS.metric_series && labels["overflow"] !== "other")
    return seriesOf(metric, { overflow: "other" });
  const made: Series = {
    labels: { ...labels },
    value: 0,
    count: 0,
    buckets: metric.bounds.map(() => 0),
  };
  metric.series.set(key, made);
  return made;
}

function metricText(metric: Metric): string {
  const name = metric.name.replaceAll(".", "_");
  const lines = [
    `# HELP ${name} ${metric.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
    `# TYPE ${name} ${metric.kind}`,
  ];
  for (const series of metric.series.values()) {
    if (metric.kind !== "histogram") {
      lines.push(`${name}${labelText(series.labels)} ${series.value}`);
      continue;
    }
    let sum = 0;
    metric.bounds.forEach((bound, at) => {
      sum += series.buckets[at] ?? 0;
      lines.push(`${name}_bucket${labelText({ ...series.labels, le: String(bound) })} ${sum}`);
    });
    lines.push(`${name}_bucket${labelText({ ...series.labels, le: "+Inf" })} ${series.count}`);
    lines.push(
      `${name}_sum${labelText(series.labels)} ${series.value}`,
      `${name}_count${labelText(series.labels)} ${series.count}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
