/**
 * What training makes of a command: it goes the whole way, and nothing of it happens.
 *
 * How to think: it is decided where the command is admitted, and kept with it, so that a rehearsal stays one after a crash and
 * after the training. Its key and its answer are kept (sent again it answers the same), the challenge that it confirms is used
 * up, and its events have names of their own. What its decision would have written, sent or told is thrown away.
 *
 * Invariants (packages/rumi/test/training.test.ts)
 * - No write, outbox item or feed line of a rehearsed decision is committed, and no secret of it is shown.
 * - What is real and what is rehearsed never meet: no approval, confirmation or session of one counts for the other.
 */
import type { Outcome } from "../answer.ts";
import type { Decision } from "../operation.ts";
import type { Run } from "./run.ts";

export function withoutEffect({ data, status }: Decision): Decision {
  return { writes: [], events: [], outbox: [], data, ...(status === undefined ? {} : { status }) };
}

/** The outcome, marked where it is a rehearsal's. */
export function rehearsed<T extends Outcome>({ training }: Pick<Run, "training">, outcome: T): T {
  if (training === null) return outcome;
  const data = outcome.kind === "done" && isObject(outcome.data) ? { data: { ...outcome.data, training: true } } : {};
  return { ...outcome, ...data, training: true };
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
