/**
 * Admissions of a command that is decided more than once.
 *
 * A trial takes seconds, and a running bot's rows change meanwhile: a command that tried again with every conflict
 * would never be decided. So one command tries one subject once; whatever else it decides on is read anew each time.
 *
 * Invariant: another command, subject or state is tried by itself (tried.test.ts).
 */
import { canonicalJson, digestOf, type Failure, type Result } from "@rumi/kernel";

type Trial = () => Promise<Result<unknown, Failure>>;

/** Trials that are remembered; the oldest is forgotten first, and then made again. */
export const TRIALS_KEPT = 64;

export type Tried = (command_id: string, subject: object, trial: Trial) => Promise<Result<unknown, Failure>>;

export function rememberTrials(): Tried {
  const known = new Map<string, Promise<Result<unknown, Failure>>>();
  return (command_id, subject, trial) => {
    const key = digestOf(canonicalJson([command_id, JSON.stringify(subject)]));
    const before = known.get(key);
    if (before !== undefined) return before;
    const oldest = known.size >= TRIALS_KEPT ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    const going = trial();
    known.set(key, going);
    // A trial that broke off says nothing of the subject.
    going.catch(() => known.delete(key));
    return going;
  };
}
