/**
 * What makes a bar of a row's numbers: its duration, its end as event time, its number as id.
 *
 * A bar is known when it is over, so its event time is its open time plus its duration; one received any earlier would
 * tell a strategy the future. Bars are numbered by open time over duration, so a missing number is a missing bar.
 */
import { SLOT } from "./layouts.ts";

/** Longer bars (months) have no fixed duration. */
const BAR_MAX_US = 7 * 86_400_000_000;

/**
 * Turns `values` (open time as time, closing time in `g`) into the bar's; answers "" or why it is none. `candle_us` is the
 * duration where the layout has no closing time, 0 where nobody knows it, else -1; `known` that of the file's bars, 0
 * before the first.
 */
export function barProblem(values: Float64Array, candle_us: number, unit: "ms" | "us", known: { us: number }): string {
  if (candle_us === 0) return "candle is the only one, so that its duration is unknown";
  const open_us = values[SLOT.time] ?? 0;
  const duration_us = candle_us > 0 ? candle_us : (values[SLOT.g] ?? 0) - open_us + (unit === "ms" ? 1_000 : 1);
  if (duration_us <= 0) return "close time is before open time";
  if (duration_us > BAR_MAX_US) return "bar is longer than a week";
  if (known.us !== 0 && duration_us !== known.us) return "bar has another duration than the file's first one";
  known.us = duration_us;
  values[SLOT.g] = duration_us;
  values[SLOT.id] = Math.floor(open_us / duration_us);
  values[SLOT.id_check] = 0;
  values[SLOT.time] = open_us + duration_us;
  values[SLOT.received] = open_us + duration_us;
  return "";
}

/** Whether the prices of a bar agree with each other; they must be of one scale. */
export function rangeProblem(values: Float64Array): string {
  const open = values[SLOT.c] ?? 0;
  const high = values[SLOT.d] ?? 0;
  const low = values[SLOT.e] ?? 0;
  const close = values[SLOT.a] ?? 0;
  return high < Math.max(open, close) || low > Math.min(open, close) ? "open or close lies outside high and low" : "";
}
