/**
 * Does what the outbox says, again and again until it is true.
 *
 * How to think: a row is a wish about one key, not an event. The handler re-reads what it needs and makes it
 * so; doing it twice is harmless. One key is never in two hands; a failure is tried again later and later.
 *
 * Invariants (reconciler.test.ts): a wish that changed while it was worked on is worked on again; backoff is
 * bounded; a handler that throws stops nobody else.
 */
import { type Clock, type Failure, type Result, failureText, millis } from "@rumi/kernel";
import {
  doneOutboxWrite,
  type OutboxRow,
  retryOutboxWrite,
  type Store,
  takenOutbox,
  takeOutboxWrite,
} from "@rumi/store";
import { PIPELINE_LIMITS } from "./limits.ts";
import { causeChain, type Logger } from "./logging.ts";
import { dueOf } from "./outbox.ts";

export type Wish = {
  readonly kind: string;
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly generation: number;
  /** Tries before this one. */
  readonly attempts: number;
};
/** ok: it is so now. A failure: not yet, try later. */
export type Reconcile = (wish: Wish) => Promise<Result<void, Failure>>;

export type ReconcilerSettings = {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handlers: ReadonlyMap<string, Reconcile>;
  /** How long to wait when nothing is due; a commit may wake it sooner through `nudge`. */
  readonly idle_ms: number;
};

export interface Reconciler {
  /** One round over what is due; the number of wishes worked on. */
  round(): Promise<number>;
  /** Looks at once instead of after `idle_ms`. */
  nudge(): void;
  /** Rounds until the signal; resolves when the last handler returned. */
  run(signal: AbortSignal): Promise<void>;
}

export function createReconciler(settings: ReconcilerSettings): Reconciler {
  const { store, clock, logger, handlers } = settings;
  let wake = new AbortController();
  const settle = async (taken: OutboxRow, problem: string | undefined): Promise<void> => {
    const settled =
      problem === undefined ? doneOutboxWrite(store, taken) : retryOutboxWrite(store, taken, clock.now(), problem);
    const committed = await store.commit({ writes: [settled], events: [] });
    // A conflict is good news: a newer wish came meanwhile and is due by itself.
    if (!committed.ok && committed.error.kind === "failed")
      logger.error("the outbox could not be written", {
        kind: taken.kind,
        key: taken.key,
        error_code: committed.error.failure.code,
      });
  };
  const work = async (row: OutboxRow): Promise<void> => {
    const handler = handlers.get(row.kind);
    if (handler === undefined) return;
    const claimed = await store.commit({
      writes: [takeOutboxWrite(store, row, clock.now(), millis(PIPELINE_LIMITS.reconciler_hold_ms))],
      events: [],
    });
    if (!claimed.ok) return;
    const taken = takenOutbox(row);
    const wish: Wish = {
      kind: row.kind,
      key: row.key,
      payload: JSON.parse(row.payload) as Wish["payload"],
      generation: taken.generation,
      attempts: row.attempts,
    };
    try {
      const result = await handler(wish);
      await settle(taken, result.ok ? undefined : `${result.error.code} ${failureText(result.error, "en").text}`);
    } catch (error) {
      logger.error("a reconciler failed inside", {
        kind: row.kind,
        key: row.key,
        causes: causeChain(error),
      });
      await settle(taken, error instanceof Error ? error.message : "unknown");
    }
  };
  const round = async (): Promise<number> => {
    if (handlers.size === 0) return 0;
    const due = await dueOf(store, [...handlers.keys()], clock.now(), PIPELINE_LIMITS.reconciler_batch);
    await Promise.all(due.map(work));
    return due.length;
  };
  const interrupt = (): void => wake.abort();
  return {
    round,
    nudge: interrupt,
    run: async (signal) => {
      signal.addEventListener("abort", interrupt);
      while (!signal.aborted) {
        const worked = await round().catch((error: unknown) => {
          logger.error("a round of the reconciler failed", { causes: causeChain(error) });
          return 0;
        });
        if (worked === 0 && !signal.aborted) await clock.sleep(millis(settings.idle_ms), wake.signal);
        if (wake.signal.aborted) wake = new AbortController();
      }
      signal.removeEventListener("abort", interrupt);
    },
  };
}
