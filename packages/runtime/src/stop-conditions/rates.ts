/** Counting by event time: the newest occurrences, at most one more than may be. Pure. */
import type { StopRate } from "./config.ts";

/** With one more at `now_us`; what no later window can hold is forgotten. */
export function counted(times: readonly number[], rate: StopRate, now_us: number): readonly number[] {
  return [...times, now_us].filter((at) => now_us - at <= rate.within_us).slice(-(rate.count + 1));
}

/** Of what {@link counted} kept. */
export const exceeds = (times: readonly number[], { count }: StopRate): boolean => times.length > count;
