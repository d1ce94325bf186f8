/** Keeps a minute of samples and reads the rules from them. Pure: it is told the time and what is so. */
import { INTERLOCK_LIMITS, type Readings } from "./model.ts";

/** Totals of one live run since it began. */
export type RunTotals = {
  readonly orders: number;
  readonly cancels: number;
  readonly unknown_outcomes: number;
  readonly foreign_orders: number;
};
export type Sample = {
  /** Monotonic. */
  readonly at_ms: number;
  /** By run and epoch. */
  readonly live: ReadonlyMap<string, RunTotals>;
  /** What the live bots hold, and the capital that they have. */
  readonly exposure: number;
  readonly capital: number;
  /** Instances that are to run, and those of them that nobody hears of at this moment. */
  readonly running: readonly string[];
  readonly silent: readonly string[];
  /** Of the machine's own; null where they cannot be read. */
  readonly disk_free_percent: number | null;
  readonly clock_error_ms: number | null;
};

type Kept = Pick<Sample, "at_ms" | "exposure"> & RunTotals;
const NOTHING: RunTotals = { orders: 0, cancels: 0, unknown_outcomes: 0, foreign_orders: 0 };

export class InterlockMonitor {
  /** Oldest first; totals are of everything since the monitor began, whichever run it was. */
  #kept: readonly Kept[] = [];
  #runs: ReadonlyMap<string, RunTotals> = new Map();
  /** Since when nobody has heard of an instance. */
  #silent: ReadonlyMap<string, number> = new Map();

  take(sample: Sample): Readings {
    const { at_ms, exposure, live } = sample;
    const before = this.#kept.at(-1);
    const grown = this.#grown(live);
    const last = { ...NOTHING, ...before };
    const now: Kept = {
      at_ms,
      exposure,
      orders: last.orders + grown.orders,
      cancels: last.cancels + grown.cancels,
      unknown_outcomes: last.unknown_outcomes + grown.unknown_outcomes,
      foreign_orders: last.foreign_orders + grown.foreign_orders,
    };
    this.#kept = [...this.#kept.filter((one) => at_ms - one.at_ms <= INTERLOCK_LIMITS.window_ms), now];
    this.#silent = new Map(sample.silent.map((id) => [id, this.#silent.get(id) ?? at_ms]));
    return this.#read(now, sample);
  }

  #read(now: Kept, { capital, running, disk_free_percent, clock_error_ms }: Sample): Readings {
    const { rate_window_ms, window_ms, silence_ms } = INTERLOCK_LIMITS;
    const within = (ms: number): readonly Kept[] => this.#kept.filter((one) => now.at_ms - one.at_ms <= ms);
    const since = (ms: number, of: keyof RunTotals): number => now[of] - (within(ms)[0] ?? now)[of];
    const unheard = [...this.#silent.values()].filter((at) => now.at_ms - at >= silence_ms).length;
    const facts = [disk_free_percent, clock_error_ms];
    const unreadable = facts.filter((fact) => fact === null).length;
    const lowest = Math.min(...within(window_ms).map(({ exposure }) => exposure));
    return {
      observation_unknown: (100 * (unheard + unreadable)) / (running.length + facts.length),
      // While nothing runs a wrong clock hurts nobody.
      clock_error: running.length === 0 ? 0 : clock_error_ms,
      position_mismatch: since(window_ms, "foreign_orders"),
      order_storm: since(rate_window_ms, "orders") / (rate_window_ms / 1_000),
      cancel_loop: since(rate_window_ms, "cancels") / (rate_window_ms / 1_000),
      unknown_spike: since(window_ms, "unknown_outcomes"),
      disk_free: disk_free_percent,
      exposure_jump: capital > 0 ? (100 * (now.exposure - lowest)) / capital : 0,
    };
  }

  /** A run that is seen for the first time begins here; a resumed one counts from nothing again. */
  #grown(live: Sample["live"]): RunTotals {
    const sum: Record<keyof RunTotals, number> = { ...NOTHING };
    for (const [run, totals] of live) {
      const former = this.#runs.get(run);
      if (former === undefined) continue;
      for (const name of Object.keys(NOTHING) as (keyof RunTotals)[])
        sum[name] += Math.max(0, totals[name] - former[name]);
    }
    this.#runs = new Map([...this.#runs, ...live].filter(([run]) => live.has(run)));
    return sum;
  }
}
