/** Those who wait for their events to be sealed, by whichever process seals. */
import { err, failure, millis, ok, type Clock, type Failure, type Result } from "@rumi/kernel";
import type { CommitReceipt } from "../port.ts";
import type { Sealed } from "./sealer.ts";

export type SealWatch = {
  /** Call before COMMIT is sent, so that no seal is missed; `forget` if the commit fails. */
  expect(
    batch: number,
    event_ids: readonly string[],
  ): { wait(): Promise<Result<CommitReceipt, Failure>>; forget(): void };
  sealedHere(sealed: Sealed): void;
  /** Asks the log about everything still awaited. */
  look(): Promise<void>;
};

type Waiter = { readonly event_ids: readonly string[]; readonly answer: (receipt: CommitReceipt) => void };
/** Index of those of the first events that are sealed, and the size of the log. */
export type FindSealed = (
  first_event_ids: readonly string[],
) => Promise<{ readonly indices: ReadonlyMap<string, number>; readonly log_size: number }>;

export function sealWatch(find: FindSealed, clock: Clock, seal_wait_ms: number): SealWatch {
  const waiters = new Map<number, Waiter>();
  let looking = false;

  function answer(batch: number, first_index: number, log_size: number): void {
    const waiter = waiters.get(batch);
    if (waiter === undefined) return;
    waiters.delete(batch);
    waiter.answer({ indices: waiter.event_ids.map((_, offset) => first_index + offset), log_size });
  }

  return {
    expect: (batch, event_ids) => {
      const sealed = new Promise<CommitReceipt>((resolve) => waiters.set(batch, { event_ids, answer: resolve }));
      return {
        wait: async () => {
          const over = new AbortController();
          const late = clock.sleep(millis(seal_wait_ms), over.signal).then(() => undefined);
          const receipt = await Promise.race([sealed, late]);
          over.abort();
          waiters.delete(batch);
          return receipt === undefined ? err(failure("RUMI-STO-007", { waited_ms: seal_wait_ms })) : ok(receipt);
        },
        forget: () => void waiters.delete(batch),
      };
    },
    sealedHere: ({ first_index, log_size }) => first_index.forEach((index, batch) => answer(batch, index, log_size)),
    look: async () => {
      if (looking || waiters.size === 0) return;
      looking = true;
      try {
        const asked = [...waiters].map(([batch, { event_ids }]) => ({ batch, first: event_ids[0] ?? "" }));
        const found = await find(asked.map(({ first }) => first));
        for (const { batch, first } of asked) {
          const index = found.indices.get(first);
          if (index !== undefined) answer(batch, index, found.log_size);
        }
      } finally {
        looking = false;
      }
    },
  };
}
