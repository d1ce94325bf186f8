/**
 * Service level of one instance (M-3.3.*): what was promised, what a window measured, and which step follows. Pure.
 *
 * How to think: windows of a second are judged one after the other. Three bad ones in a row lead one step up: adjust (the
 * shell runs it in smaller slices and conflates sooner), degrade (reduce-only), halt. Ten good ones in a row lead one
 * step down, never from halt. Good means well inside the promise (80 %); between good and bad nothing moves, so that a
 * value at the edge does not flap.
 *
 * Invariants (slo.test.ts)
 * - The steps come in their order, each with the reason of the measure that was broken.
 * - A window with too few events says nothing about latency or drops.
 */
export type Slo = {
  /** 95th percentile from an event's due time (recorded pace) or call (pace `max`) until its callback is over. */
  readonly p95_latency_us?: number;
  /** Market events that the strategy did not hear, per million. */
  readonly drop_rate_ppm?: number;
  /** Seconds of processor time in a minute: its process's, or its part of the lane's thread. */
  readonly cpu_seconds_per_minute?: number;
};

export const SLO_LIMITS = {
  window_ms: 1_000,
  events_least: 20,
  bad_windows: 3,
  good_windows: 10,
  /** Good is at most this share of the promise. */
  good_share: 0.8,
} as const;

export type SloMeasured = {
  readonly events: number;
  readonly p95_latency_us: number;
  readonly drop_rate_ppm: number;
  readonly cpu_seconds_per_minute: number;
};

export const SLO_LEVELS = ["none", "adjust", "degrade", "halt"] as const;
export type SloLevel = (typeof SLO_LEVELS)[number];
export type SloState = {
  readonly level: SloLevel;
  readonly reason_code: string | null;
  readonly bad: number;
  readonly good: number;
};
export const SLO_START: SloState = { level: "none", reason_code: null, bad: 0, good: 0 };

type Measure = keyof Slo;
const WORD: Readonly<Record<Measure, string>> = {
  p95_latency_us: "LATENCY",
  drop_rate_ppm: "DROPS",
  cpu_seconds_per_minute: "CPU",
};

/** The measure that is broken, worst first by its order here; `null` when none is. */
export function broken(slo: Slo, measured: SloMeasured): Measure | null {
  const over = (measure: Measure): boolean => {
    const promise = slo[measure];
    return promise !== undefined && counts(measure, measured) && measured[measure] > promise;
  };
  return (Object.keys(WORD) as Measure[]).find(over) ?? null;
}

export function afterWindow(state: SloState, slo: Slo, measured: SloMeasured): SloState {
  if (state.level === "halt") return state;
  const bad = broken(slo, measured);
  if (bad !== null) {
    if (state.bad + 1 < SLO_LIMITS.bad_windows) return { ...state, bad: state.bad + 1, good: 0 };
    const level = SLO_LEVELS[SLO_LEVELS.indexOf(state.level) + 1] ?? "halt";
    return { level, reason_code: `M.SLO.${WORD[bad]}_${level.toUpperCase()}`, bad: 0, good: 0 };
  }
  const good = (Object.keys(WORD) as Measure[]).every((measure) => {
    const promise = slo[measure];
    return promise === undefined || !counts(measure, measured) || measured[measure] <= promise * SLO_LIMITS.good_share;
  });
  if (!good || state.level === "none") return { ...state, bad: 0, good: 0 };
  if (state.good + 1 < SLO_LIMITS.good_windows) return { ...state, bad: 0, good: state.good + 1 };
  const level = SLO_LEVELS[SLO_LEVELS.indexOf(state.level) - 1] ?? "none";
  return { level, reason_code: "M.SLO.RECOVERED", bad: 0, good: 0 };
}

const counts = (measure: Measure, { events }: SloMeasured): boolean =>
  measure === "cpu_seconds_per_minute" || events >= SLO_LIMITS.events_least;
