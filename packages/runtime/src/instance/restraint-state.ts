/** What the restraints are between two rows: part of every checkpoint. */
import type { BreakerState } from "../breaker/breaker.ts";
import type { BreakerConfig } from "../breaker/config.ts";
import type { ReactionState } from "../quality/reactions.ts";
import type { StopWatchState } from "../stop-conditions/stop-watch.ts";
import type { Pressure, PressureSource } from "./pressure.ts";

export type RestraintState = {
  readonly rules: BreakerConfig;
  readonly breaker: BreakerState;
  readonly pressures: Readonly<Partial<Record<PressureSource, Pressure>>>;
  readonly conflate_until: number;
  /** Orders of the runtime so far, and how many of them this trip. */
  readonly own_orders: number;
  readonly hedges: number;
  readonly quality?: ReactionState;
  /** Absent where there are no stop conditions. */
  readonly stops?: StopWatchState;
};
