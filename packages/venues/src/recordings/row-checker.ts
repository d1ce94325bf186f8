/**
 * Judges accepted rows against the ones before them: duplicates, gaps, disorder, lateness (M-11.1).
 *
 * Memory is fixed: a duplicate is looked for among the ids of the last `duplicate_window` id values, in a
 * table with one place per id modulo the window, so consecutive ids are seen exactly and hashed ids nearly so.
 */
import { FLAG_DUPLICATE, FLAG_GAP, FLAG_OUT_OF_ORDER, FLAG_STALE } from "../columns.ts";
import { VENUE_LIMITS } from "../limits.ts";
import type { RowParser } from "./row-parser.ts";

export type QualityBounds = {
  /** A longer pause between two events is a gap. */
  readonly max_time_gap_us: number;
  /** An event received later than this is stale. */
  readonly stale_after_us: number;
};

export const DEFAULT_QUALITY: QualityBounds = {
  max_time_gap_us: 3_600_000_000,
  stale_after_us: 10_000_000,
};

export class RowChecker {
  out_of_order = 0;
  duplicates = 0;
  gaps = 0;
  id_gaps = 0;
  time_gaps = 0;
  stale = 0;
  id_conflicts = 0;
  id_collisions = 0;
  first_event_time_us: number | null = null;
  last_event_time_us: number | null = null;

  readonly #bounds: QualityBounds;
  readonly #consecutive: boolean;
  #latestEvent = -1;
  #latestReceived = -1;
  #highestId = -1;
  readonly #ids = new Float64Array(VENUE_LIMITS.duplicate_window).fill(-1);
  readonly #times = new Float64Array(VENUE_LIMITS.duplicate_window);
  readonly #prices = new Float64Array(VENUE_LIMITS.duplicate_window);
  readonly #quantities = new Float64Array(VENUE_LIMITS.duplicate_window);
  readonly #checks = new Uint32Array(VENUE_LIMITS.duplicate_window);

  constructor(bounds: QualityBounds, consecutiveIds: boolean) {
    this.#bounds = bounds;
    this.#consecutive = consecutiveIds;
  }

  /** Flags of the row; counts what they say. */
  check(row: RowParser): number {
    let flags = 0;
    const { id, time_us, received_us } = row;
    if (this.#isDuplicate(row)) {
      flags |= FLAG_DUPLICATE;
      this.duplicates += 1;
    }
    if (time_us < this.#latestEvent || received_us < this.#latestReceived) {
      flags |= FLAG_OUT_OF_ORDER;
      this.out_of_order += 1;
    }
    const idGap = this.#consecutive && this.#highestId >= 0 && id > this.#highestId + 1;
    const timeGap = this.#latestEvent >= 0 && time_us - this.#latestEvent > this.#bounds.max_time_gap_us;
    if (idGap) this.id_gaps += 1;
    if (timeGap) this.time_gaps += 1;
    if (idGap || timeGap) {
      flags |= FLAG_GAP;
      this.gaps += 1;
    }
    if (received_us - time_us > this.#bounds.stale_after_us) {
      flags |= FLAG_STALE;
      this.stale += 1;
    }
    if (time_us > this.#latestEvent) this.#latestEvent = time_us;
    if (received_us > this.#latestReceived) this.#latestReceived = received_us;
    if (id > this.#highestId) this.#highestId = id;
    if (this.first_event_time_us === null || time_us < this.first_event_time_us) this.first_event_time_us = time_us;
    if (this.last_event_time_us === null || time_us > this.last_event_time_us) this.last_event_time_us = time_us;
    return flags;
  }

  #isDuplicate(row: RowParser): boolean {
    const place = row.id & (VENUE_LIMITS.duplicate_window - 1);
    if (this.#ids[place] === row.id) {
      if (this.#checks[place] !== row.id_check) this.id_collisions += 1;
      else if (
        this.#times[place] === row.time_us &&
        this.#prices[place] === row.price &&
        this.#quantities[place] === row.quantity
      )
        return true;
      else this.id_conflicts += 1;
    }
    this.#ids[place] = row.id;
    this.#checks[place] = row.id_check;
    this.#times[place] = row.time_us;
    this.#prices[place] = row.price;
    this.#quantities[place] = row.quantity;
    return false;
  }
}
