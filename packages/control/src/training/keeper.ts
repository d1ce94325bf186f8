/**
 * Who is in training, for the pipeline: remembered between the events of trainings, since every command asks.
 *
 * On SQLite an event is heard before whoever caused it is answered, so the next command already knows. On PostgreSQL another
 * process's event is heard a moment late, and in that moment a rehearsal would be done for real: there the row is read each time.
 */
import type { Reader, Store } from "@rumi/store";
import type { TrainingPort } from "@rumi/operations";
import { CONTROL_LIMITS } from "../limits.ts";
import { readTraining, type TrainingRow } from "./tables.ts";

export type TrainingKeeper = TrainingPort & { close(): void };

/** Before every session: a row that is not over then may be so later, one that is over never again. */
const EVER = 0;

export function trainingKeeper(store: Store): TrainingKeeper {
  const known = new Map<string, TrainingRow | null>();
  let changes = 0;
  const stopListening = store.onAppended((_first, events) => {
    if (!events.some(({ action }) => action.startsWith("training."))) return;
    changes += 1;
    known.clear();
  });
  const find = async (reader: Reader, principal_id: string): Promise<TrainingRow | null> => {
    const before = changes;
    const found = (await readTraining(reader, store, principal_id, EVER)) ?? null;
    // What was read before a change is good for this one answer only.
    if (store.dialect === "sqlite" && before === changes) {
      if (known.size >= CONTROL_LIMITS.remembered_tokens) known.clear();
      known.set(principal_id, found);
    }
    return found;
  };
  return {
    close: stopListening,
    sessionOf: async (reader, principal_id, now) => {
      const remembered = known.get(principal_id);
      const row = remembered === undefined ? await find(reader, principal_id) : remembered;
      return row !== null && row.ends_at > now ? row.session_id : null;
    },
  };
}
