/** Those who want to hear of appended events. One listener's mistake must not stop another or the store. */
import type { LedgerEvent } from "@rumi/ledger";

export type AppendListener = (first_index: number, events: readonly LedgerEvent[]) => void;

export type Listeners = {
  add(listener: AppendListener): () => void;
  tell(first_index: number, events: readonly LedgerEvent[]): void;
  count(): number;
};

export function listeners(): Listeners {
  const all = new Set<{ readonly listener: AppendListener }>();
  return {
    add: (listener) => {
      const entry = { listener };
      all.add(entry);
      return () => void all.delete(entry);
    },
    tell: (first_index, events) => {
      for (const { listener } of all) {
        try {
          listener(first_index, events);
        } catch (cause) {
          // A broken listener is a defect: it surfaces as an uncaught exception, after the others heard.
          queueMicrotask(() => {
            throw cause;
          });
        }
      }
    },
    count: () => all.size,
  };
}
