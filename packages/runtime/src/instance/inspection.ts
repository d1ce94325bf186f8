/**
 * What a person may see of a living instance: samples and counts, never a configuration's value, a state's value, a
 * log line or a memory (M-14.2).
 *
 * How to think: the host notes at most ten times a second which row it is at (two numbers in a ring). Only when
 * somebody asks is anything read from the feed, decoded or counted; the hot path does not know that it is watched.
 *
 * Invariants
 * - Of a saved state only its size, digest and names of top-level members leave; a name that is no plain identifier, or
 *   that looks like a credential, is counted and not told (inspection.test.ts, secrets.e2e.test.ts).
 * - Rate and size are bounded by INSPECTION_LIMITS whatever the strategy does (inspection.test.ts).
 */
import type { InstrumentSpec } from "@rumi/abi";
import { digestOf, formatDecimal, type Digest } from "@rumi/kernel";
import { MARKET_KIND, type MarketFeed } from "@rumi/venues";
import type { LatencyMeter } from "./latency.ts";

export const INSPECTION_LIMITS = {
  /** Least time between two samples. */
  sample_every_ms: 100,
  samples: 32,
  state_keys: 64,
  /** A larger state is not searched for names. */
  state_bytes_searched: 1_048_576,
} as const;

/** One sampled event, as the feed has it. */
export type SampledEvent = {
  readonly schema_version: 1;
  readonly run_id: string;
  readonly trace_id: string;
  readonly cursor: number;
  readonly kind: string;
  readonly instrument_id: string;
  readonly price: string;
  readonly quantity: string;
  /** Bits: 1 stale, 2 gap before, 4 duplicate, 8 out of order, 16 clock drift. */
  readonly quality: number;
  readonly event_time_us: number;
  readonly received_time_us: number;
  readonly processed_time_us: number;
};

export type StateSummary = {
  readonly schema_version: number;
  readonly bytes: number;
  readonly digest: Digest;
  /** Names of its top-level members, sorted; `null` where it is no JSON object. */
  readonly keys: readonly string[] | null;
  /** Names that are not told: too many, no identifier, or like a credential. */
  readonly keys_withheld: number;
};

export type Inspection = {
  readonly sampled_events: readonly SampledEvent[];
  readonly state: StateSummary;
  readonly queue: { readonly inputs: number; readonly events_due: number };
  readonly latency: {
    readonly sampled: number;
    readonly mean_ms: number | null;
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
    readonly p99_ms: number | null;
  };
  /** Verdicts of the intent gate over the run's life. */
  readonly verdicts: Readonly<Record<string, number>>;
};

/** Rows that were seen going by, oldest first; the ring forgets. */
export class RowSamples {
  readonly #rows: Float64Array = new Float64Array(INSPECTION_LIMITS.samples);
  readonly #processed_us: Float64Array = new Float64Array(INSPECTION_LIMITS.samples);
  #next = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** Notes the row unless the last sample is too young. */
  offer(row: number, monotonic_ms: number, wallNow: () => number): void {
    if (monotonic_ms - this.#last < INSPECTION_LIMITS.sample_every_ms) return;
    this.#last = monotonic_ms;
    const at = this.#next % INSPECTION_LIMITS.samples;
    this.#rows[at] = row;
    this.#processed_us[at] = wallNow();
    this.#next += 1;
  }

  list(): readonly { readonly row: number; readonly processed_time_us: number }[] {
    const count = Math.min(this.#next, INSPECTION_LIMITS.samples);
    return Array.from({ length: count }, (_, index) => {
      const at = (this.#next - count + index) % INSPECTION_LIMITS.samples;
      return { row: this.#rows[at] ?? 0, processed_time_us: this.#processed_us[at] ?? 0 };
    });
  }
}

export function sampledEvents(
  samples: RowSamples,
  of: {
    readonly feed: MarketFeed;
    readonly instruments: readonly InstrumentSpec[];
    readonly run_id: string;
    readonly traceOf: (row: number) => string;
  },
): readonly SampledEvent[] {
  const { feed, instruments, run_id, traceOf } = of;
  const held = samples.list().filter(({ row }) => row >= (feed.kept_from ?? 0));
  return held.map(({ row, processed_time_us }) => {
    const instrument = instruments[feed.instrument[row] ?? 0];
    return {
      schema_version: 1,
      run_id,
      trace_id: traceOf(row),
      cursor: row,
      kind: KIND_NAMES[feed.mixed?.kind[row] ?? MARKET_KIND.trade] ?? "unknown",
      instrument_id: instrument?.instrument_id ?? "",
      price: formatDecimal(feed.price[row] ?? 0, instrument?.price_digits ?? 0),
      quantity: formatDecimal(feed.quantity[row] ?? 0, instrument?.quantity_digits ?? 0),
      quality: feed.flags[row] ?? 0,
      event_time_us: feed.event_time_us[row] ?? 0,
      received_time_us: feed.received_time_us[row] ?? 0,
      processed_time_us,
    };
  });
}

const KIND_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(MARKET_KIND).map(([name, number]) => [number, name]),
);

const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/;
const CREDENTIAL_NAME = /secret|token|passw|api_?key|private|credential|authori[sz]ation/i;

export function summariseState({
  version,
  state,
}: {
  readonly version: number;
  readonly state: Uint8Array;
}): StateSummary {
  const names = namesOf(state);
  const told = (names ?? [])
    .filter((name) => PLAIN_NAME.test(name) && !CREDENTIAL_NAME.test(name))
    .toSorted()
    .slice(0, INSPECTION_LIMITS.state_keys);
  return {
    schema_version: version,
    bytes: state.length,
    digest: digestOf(state),
    keys: names === null ? null : told,
    keys_withheld: (names?.length ?? 0) - told.length,
  };
}

function namesOf(state: Uint8Array): readonly string[] | null {
  if (state[0] !== 0x7b || state.length > INSPECTION_LIMITS.state_bytes_searched) return null;
  try {
    return Object.keys(JSON.parse(Buffer.from(state).toString("utf8")) as object);
  } catch {
    return null; // bytes that only begin like JSON: a strategy may save what it likes
  }
}

export function latencyOf(meter: LatencyMeter): Inspection["latency"] {
  return {
    sampled: meter.count,
    mean_ms: meter.count === 0 ? null : Math.round((meter.sum_ms / meter.count) * 1e6) / 1e6,
    p50_ms: meter.quantile(0.5),
    p95_ms: meter.quantile(0.95),
    p99_ms: meter.quantile(0.99),
  };
}
