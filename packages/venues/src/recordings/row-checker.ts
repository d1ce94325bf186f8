/**
 * Judges accepted rows against the ones before them: duplicates, gaps, disorder, lateness (M-11.1).
 *
 * Memory is fixed: a duplicate is looked for among the ids of the last `duplicate_window` id values, in a
 * table with one place per id modulo the window, so consecutive ids are seen exactly and hashed ids nearly so.
 */
import { FLAG_CLOCK_DRIFT, FLAG_DUPLICATE, FLAG_GAP, FLAG_OUT_OF_ORDER, FLAG_STALE } from "../columns.ts";
import { VENUE_LIMITS } from "../limits.ts";
import { SLOT, type Layout } from "./layouts.ts";

export type QualityBounds = {
  /** A longer pause between two events is a gap. */
  readonly max_time_gap_us: number;
  /** An event received later than this is stale. */
  readonly stale_after_us: number;
  /** An event received earlier than this before it happened: the two clocks disagree. */
  readonly max_clock_drift_us: number;
};

export const DEFAULT_QUALITY: QualityBounds = {
  max_time_gap_us: 3_600_000_000,
  stale_after_us: 10_000_000,
  max_clock_drift_us: 1_000_000,
};

export class RowChecker {
  out_of_order = 0;
  duplicates = 0;
  gaps = 0;
  id_gaps = 0;
  time_gaps = 0;
  stale = 0;
  clock_drift = 0;
  /** Duration of the file's bars, 0 before the first. */
  readonly bar_us: { us: number } = { us: 0 };
  id_conflicts = 0;
  id_collisions = 0;
  readonly #staleAfter: number;
  readonly #gapAfter: number;
  readonly #driftBound: number;
  readonly #consecutive: boolean;
  readonly #duplicates: Layout["duplicates"];
  #latestEvent = -1;
  #latestReceived = -1;
  #firstEvent = Infinity;
  #highestId = -1;
  readonly #ids = new Float64Array(VENUE_LIMITS.duplicate_window).fill(-1);
  readonly #times = new Float64Array(VENUE_LIMITS.duplicate_window);
  readonly #firsts = new Float64Array(VENUE_LIMITS.duplicate_window);
  readonly #seconds = new Float64Array(VENUE_LIMITS.duplicate_window);
  readonly #checks = new Uint32Array(VENUE_LIMITS.duplicate_window);
  readonly #previous: Float64Array;

  constructor(bounds: QualityBounds, layout: Pick<Layout, "kind" | "duplicates" | "consecutive_ids" | "columns">) {
    this.#staleAfter = bounds.stale_after_us;
    this.#driftBound = bounds.max_clock_drift_us;
    // A missing bar is seen by its number; the pause between two bars says nothing.
    this.#gapAfter = layout.kind === "bar" ? Infinity : bounds.max_time_gap_us;
    this.#consecutive = layout.consecutive_ids;
    this.#duplicates = layout.duplicates;
    this.#previous = new Float64Array(Math.max(...layout.columns.map((column) => column.slot)) + 1).fill(-1);
  }

  get first_event_time_us(): number | null {
    return this.#latestEvent < 0 ? null : this.#firstEvent;
  }
  get last_event_time_us(): number | null {
    return this.#latestEvent < 0 ? null : this.#latestEvent;
  }

  /** Flags of the row whose values these are; counts what they say. */
  check(values: Float64Array): number {
    let flags = 0;
    const id = values[SLOT.id] ?? 0;
    const time_us = values[SLOT.time] ?? 0;
    const received_us = values[SLOT.received] ?? 0;
    const latest = this.#latestEvent;
    if (this.#duplicates !== "none" && this.#isDuplicate(values, id, time_us)) {
      flags |= FLAG_DUPLICATE;
      this.duplicates += 1;
    }
    if (time_us < latest || received_us < this.#latestReceived) {
      flags |= FLAG_OUT_OF_ORDER;
      this.out_of_order += 1;
    }
    const idGap = this.#consecutive && this.#highestId >= 0 && id > this.#highestId + 1;
    const timeGap = latest >= 0 && time_us - latest > this.#gapAfter;
    if (idGap || timeGap) {
      if (idGap) this.id_gaps += 1;
      if (timeGap) this.time_gaps += 1;
      flags |= FLAG_GAP;
      this.gaps += 1;
    }
    const delay_us = received_us - time_us;
    if (delay_us > this.#staleAfter) {
      flags |= FLAG_STALE;
      this.stale += 1;
    } else if (-delay_us > this.#driftBound) {
      flags |= FLAG_CLOCK_DRIFT;
      this.clock_drift += 1;
    }
    if (time_us > latest) this.#latestEvent = time_us;
    if (received_us > this.#latestReceived) this.#latestReceived = received_us;
    if (id > this.#highestId) this.#highestId = id;
    if (time_us < this.#firstEvent) this.#firstEvent = time_us;
    return flags;
  }

  #isDuplicate(values: Float64Array, id: number, time_us: number): boolean {
    if (this.#duplicates === "repeated_row") return this.#repeats(values);
    const first = values[SLOT.a] ?? 0;
    const second = values[SLOT.b] ?? 0;
    const check = values[SLOT.id_check] ?? 0;
    const place = id & (VENUE_LIMITS.duplicate_window - 1);
    if (this.#ids[place] === id) {
      if (this.#checks[place] !== check) this.id_collisions += 1;
      else if (this.#times[place] === time_us && this.#firsts[place] === first && this.#seconds[place] === second)
        return true;
      else this.id_conflicts += 1;
    }
    this.#ids[place] = id;
    this.#checks[place] = check;
    this.#times[place] = time_us;
    this.#firsts[place] = first;
    this.#seconds[place] = second;
    return false;
  }

  #repeats(values: Float64Array): boolean {
    const previous = this.#previous;
    let same = true;
    for (let slot = 0; slot < previous.length; slot += 1) {
      const value = values[slot] ?? 0;
      if (previous[slot] !== value) same = false;
      previous[slot] = value;
    }
    return same;
  }
}
