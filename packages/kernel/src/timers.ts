/**
 * What a loop beats by: timers, injected, so that the simulator can hold them in virtual time.
 *
 * Each call answers how to cancel it; cancelling twice, or after it ran, does nothing.
 */
export interface Timers {
  /** Once, after `duration_ms`. */
  after(duration_ms: number, act: () => void): () => void;
  /** Again and again, first after one `period_ms`. */
  every(period_ms: number, act: () => void): () => void;
  /** When what waits now has had its turn. */
  soon(act: () => void): void;
}

/** The machine's own timers. They keep a process alive. */
export const SYSTEM_TIMERS: Timers = {
  after: (duration_ms, act) => {
    const timer = setTimeout(act, duration_ms);
    return () => clearTimeout(timer);
  },
  every: (period_ms, act) => {
    const timer = setInterval(act, period_ms);
    return () => clearInterval(timer);
  },
  soon: (act) => void setImmediate(act),
};

/** Resolves after `duration_ms`. */
export function pause(timers: Pick<Timers, "after">, duration_ms: number): Promise<void> {
  return new Promise((resolve) => void timers.after(duration_ms, resolve));
}

/** Resolves when what waits now has had its turn. */
export function giveWay(timers: Pick<Timers, "soon">): Promise<void> {
  return new Promise((resolve) => timers.soon(resolve));
}
