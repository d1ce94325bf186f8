/** How often each key was used within the last stretch of time; what is older slides out by itself. */
import type { Clock } from "@rumi/kernel";

export interface SlidingWindow {
  /** Uses within the window that ends now. */
  recent(key: string): number;
  /** Counts one use. */
  count(key: string): void;
}

export function createSlidingWindow(clock: Pick<Clock, "monotonic">, window_ms: number): SlidingWindow {
  const uses = new Map<string, number[]>();
  const current = (key: string): readonly number[] => {
    const from = clock.monotonic() - window_ms;
    const kept = (uses.get(key) ?? []).filter((at) => at > from);
    if (kept.length === 0) uses.delete(key);
    else uses.set(key, kept);
    return kept;
  };
  return {
    recent: (key) => current(key).length,
    count: (key) => void uses.set(key, [...current(key), clock.monotonic()]),
  };
}
