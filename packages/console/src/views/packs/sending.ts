/** How far a file is on its way, told to whoever watches; what is taken back stays taken back until it is begun anew. */
export type Sending = {
  /** Begins, or begins again after an answer that never came. */
  readonly begin: () => AbortSignal;
  readonly tell: (sent: number, whole: number) => void;
  readonly cancel: () => void;
  /** It is over, one way or the other. */
  readonly end: () => void;
  readonly subscribe: (told: () => void) => () => void;
  /** From 0 to 1; null where nothing is on its way. */
  readonly share: () => number | null;
};

export function createSending(): Sending {
  const watching = new Set<() => void>();
  let controller = new AbortController();
  let share: number | null = null;
  const put = (now: number | null): void => {
    share = now;
    for (const told of watching) told();
  };
  return {
    begin: () => {
      controller = new AbortController();
      put(0);
      return controller.signal;
    },
    tell: (sent, whole) => put(whole === 0 ? 0 : Math.min(1, sent / whole)),
    cancel: () => controller.abort(),
    end: () => put(null),
    subscribe: (told) => {
      watching.add(told);
      return () => watching.delete(told);
    },
    share: () => share,
  };
}
