/**
 * Is an instance behind, and what follows (M-3.1.1, M-4.2.4)? Pure: what the shell measured → what it records.
 *
 * How to think: behind means that more rows than the lane's bound are due *and* the oldest of them has waited too long;
 * a slice that is merely large is no backlog. Then the due rows become one conflated range. More due rows than the
 * strategy's own queue cap is an overflow: health goes to degraded until less than half of the cap waits again.
 * At pace `max` nothing is ever due, so nothing is conflated.
 */
export const BACKLOG_BOUNDS: Readonly<Record<"ll" | "compute", { readonly rows: number; readonly waited_us: number }>> =
  {
    /** A low-latency strategy rather misses rows than sees old ones. */
    ll: { rows: 64, waited_us: 5_000 },
    /** A Compute strategy sees every row until it is far behind. */
    compute: { rows: 4_096, waited_us: 1_000_000 },
  };

export type Backlog = {
  /** Rows whose time has come. */
  readonly due_rows: number;
  /** How long the oldest of them has waited, wall clock. */
  readonly waited_us: number;
};
export type BacklogRules = {
  readonly lane: "ll" | "compute";
  /** The descriptor's `queue_events`. */
  readonly queue_events: number;
  /** Divides the lane's bound; above 1 after an SLO adjustment. */
  readonly sharper: number;
};
export type BacklogVerdict = {
  readonly conflate: boolean;
  /** `null`: as it was. */
  readonly overflow: boolean | null;
};

export function judgeBacklog(backlog: Backlog, rules: BacklogRules, overflown: boolean): BacklogVerdict {
  const bound = BACKLOG_BOUNDS[rules.lane];
  const rows = Math.max(1, Math.floor(Math.min(bound.rows, rules.queue_events) / rules.sharper));
  const behind = backlog.due_rows > rows && backlog.waited_us > bound.waited_us / rules.sharper;
  const over = behind && backlog.due_rows > rules.queue_events;
  const recovered = backlog.due_rows <= rules.queue_events / 2;
  return { conflate: behind, overflow: over !== overflown && (over || recovered) ? over : null };
}
