/**
 * Natural group commit: while one group is being made durable the next gathers, and goes as a whole.
 *
 * No timer and no window: an idle store answers one batch at once, a busy one folds what came
 * meanwhile. The queue is bounded; over the limit a batch is refused, never dropped (conformance.ts).
 * Callers are answered a few at a time: each goes on with its own work at once, and whatever else waits for the thread (a
 * read, a stop) would stand behind all of a large group (group-queue.test.ts).
 */
import { err, failure, type Result } from "@rumi/kernel";
import type { CommitError, CommitReceipt } from "./port.ts";

export type Outcome = Result<CommitReceipt, CommitError>;

export type GroupQueue<Item> = {
  commit(batch: Item): Promise<Outcome>;
  /** Refuses new batches with RUMI-SYS-009 and resolves when all earlier ones are answered. */
  drain(): Promise<void>;
};

export type GroupQueueOptions<Item> = {
  readonly queued_batches: number;
  readonly group_batches: number;
  /** Makes one group durable; outcome i belongs to batch i. Must not reject. */
  readonly commitGroup: (group: readonly Item[]) => Promise<readonly Outcome[]>;
  /** Called after each group, before its batches are answered. */
  readonly onGroup: (group: readonly Item[], outcomes: readonly Outcome[]) => void;
};

type Waiting<Item> = { readonly batch: Item; readonly answer: (outcome: Outcome) => void };

/** Callers that go on in one turn of the event loop. */
export const ANSWERED_AT_ONCE = 16;

export function groupQueue<Item>(options: GroupQueueOptions<Item>): GroupQueue<Item> {
  let waiting: Waiting<Item>[] = [];
  let closed = false;
  let running: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting.slice(0, options.group_batches);
      waiting = waiting.slice(options.group_batches);
      const batches = group.map((item) => item.batch);
      const outcomes = await options.commitGroup(batches);
      options.onGroup(batches, outcomes);
      for (const [index, item] of group.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) throw new Error("a group was answered in part");
        item.answer(outcome);
        // Also lets the callers just answered send their next batch into the coming group.
        if ((index + 1) % ANSWERED_AT_ONCE === 0 || index + 1 === group.length)
          await new Promise((resolve) => setImmediate(resolve));
      }
    }
    running = undefined;
  }

  return {
    commit: (batch) => {
      if (closed) return Promise.resolve(err({ kind: "failed", failure: failure("RUMI-SYS-009") }));
      if (waiting.length >= options.queued_batches) {
        return Promise.resolve(
          err({ kind: "failed", failure: failure("RUMI-STO-001", { limit: options.queued_batches }) }),
        );
      }
      return new Promise((answer) => {
        waiting.push({ batch, answer });
        running ??= Promise.resolve().then(work);
      });
    },
    drain: async () => {
      closed = true;
      await running;
    },
  };
}
