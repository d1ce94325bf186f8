/** A signal that comes after a while, unless what it waited for is over before. */
import { millis, type Clock } from "@rumi/kernel";

export type Deadline = { readonly signal: AbortSignal; readonly over: () => void };

export function deadline(clock: Pick<Clock, "sleep">, after_ms: number): Deadline {
  const late = new AbortController();
  const over = new AbortController();
  void clock.sleep(millis(after_ms), over.signal).then(() => (over.signal.aborted ? undefined : late.abort()));
  return { signal: late.signal, over: () => over.abort() };
}
