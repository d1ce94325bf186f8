/**
 * Counts what must not be audited one by one (failed authentications, invalid requests) and yields one event
 * a minute for each subject, so that nobody can fill the log from outside.
 */
import type { Clock, Millis } from "@rumi/kernel";
import { PIPELINE_LIMITS } from "./limits.ts";

export type Summary = {
  readonly action: string;
  readonly subject: string;
  readonly count: number;
  readonly error_codes: Readonly<Record<string, number>>;
};

export interface Summaries {
  note(action: string, subject: string, error_code: string): void;
  /** What has been counted for a whole window, and forgets it. */
  due(): readonly Summary[];
  /** Everything counted so far, for the end of the program. */
  all(): readonly Summary[];
}

type Counting = {
  action: string;
  subject: string;
  count: number;
  error_codes: Record<string, number>;
  since: Millis;
};

export function createSummaries(clock: Clock): Summaries {
  const counting = new Map<string, Counting>();
  const take = (wanted: (entry: Counting) => boolean): readonly Summary[] => {
    const taken: Summary[] = [];
    for (const [key, entry] of counting) {
      if (!wanted(entry)) continue;
      counting.delete(key);
      const { since: _, ...summary } = entry;
      taken.push(summary);
    }
    return taken;
  };
  return {
    note: (action, named, error_code) => {
      const known = counting.has(`${action} ${named}`);
      const subject = known || counting.size < PIPELINE_LIMITS.summary_subjects ? named : "others";
      const key = `${action} ${subject}`;
      const entry = counting.get(key) ?? {
        action,
        subject,
        count: 0,
        error_codes: {},
        since: clock.monotonic(),
      };
      entry.count += 1;
      entry.error_codes[error_code] = (entry.error_codes[error_code] ?? 0) + 1;
      counting.set(key, entry);
    },
    due: () => take((entry) => clock.monotonic() - entry.since >= PIPELINE_LIMITS.summary_window_seconds * 1_000),
    all: () => take(() => true),
  };
}
