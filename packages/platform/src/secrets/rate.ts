/** How often a pack may read secrets: a sliding window, decided purely. */
import { SECRET_LIMITS } from "./limits.ts";

/** Monotonic milliseconds of the reads within the window, oldest first. */
export type ReadWindow = readonly number[];
export type Admission =
  | { readonly kind: "admitted"; readonly next: ReadWindow }
  /** Until the oldest read leaves the window. */
  | { readonly kind: "refused"; readonly next: ReadWindow; readonly wait_seconds: number };

/** A refused read is not counted: who keeps asking is let in when the oldest read is a whole window ago. */
export function admitRead(window: ReadWindow, now_ms: number, limit: number): Admission {
  const next = window.filter((at) => at > now_ms - SECRET_LIMITS.read_window_ms);
  if (next.length < limit) return { kind: "admitted", next: [...next, now_ms] };
  const wait_ms = (next[0] ?? now_ms) + SECRET_LIMITS.read_window_ms - now_ms;
  return { kind: "refused", next, wait_seconds: Math.max(1, Math.ceil(wait_ms / 1_000)) };
}
