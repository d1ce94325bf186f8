/**
 * Counts what must not be audited one by one (failed authentications, invalid requests) and yields one event
 * a minute for each subject, so that nobody can fill the log from outside.
 *
 * Each action has room of its own: addresses that nobody knows push out no principal (rim.test.ts).
 */
import type { Clock, Millis } from "@rumi/kernel";
import { PIPELINE_LIMITS } from "./limits.ts";

/** The subject of whatever came when there was no room for another one. */
export const OTHER_SUBJECTS = "others";

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
  /** By action, then by subject. */
  const counting = new Map<string, Map<string, Counting>>();
  const take = (wanted: (entry: Counting) => boolean): readonly Summary[] => {
    const taken: Summary[] = [];
    for (const subjects of counting.values())
      for (const [subject, entry] of subjects) {
        if (!wanted(entry)) continue;
        subjects.delete(subject);
        const { since: _, ...summary } = entry;
        taken.push(summary);
      }
    return taken;
  };
  return {
    note: (action, named, error_code) => {
      const subjects = counting.get(action) ?? new Map<string, Counting>();
      counting.set(action, subjects);
      const subject = subjects.has(named) || subjects.size < PIPELINE_LIMITS.summary_subjects ? named : OTHER_SUBJECTS;
      const entry = subjects.get(subject) ?? {
        action,
        subject,
        count: 0,
        error_codes: {},
        since: clock.monotonic(),
      };
      entry.count += 1;
      entry.error_codes[error_code] = (entry.error_codes[error_code] ?? 0) + 1;
      subjects.set(subject, entry);
    },
    due: () => take((entry) => clock.monotonic() - entry.since >= PIPELINE_LIMITS.summary_window_seconds * 1_000),
    all: () => take(() => true),
  };
}
