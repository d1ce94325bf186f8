/** Puts what decisions want done into the store's outbox, and reads what is due of the kinds one reconciler knows. */
import type { Micros } from "@rumi/kernel";
import { type OutboxRow, type OutboxTables, putOutboxWrite, type Reader, type Store, type Write } from "@rumi/store";
import type { OutboxItem } from "./operation.ts";

export function enqueue(store: Pick<Store, "builder">, item: OutboxItem, at: Micros): Write {
  return putOutboxWrite(store, {
    kind: item.kind,
    key: item.key,
    payload: JSON.stringify(item.payload),
    at,
  });
}

export function dueOf(
  store: Pick<Store, "builder"> & Reader,
  kinds: readonly string[],
  now: Micros,
  limit: number,
): Promise<readonly OutboxRow[]> {
  return store.rows<OutboxRow>(
    store
      .builder<OutboxTables>()
      .selectFrom("outbox")
      .selectAll()
      .where("kind", "in", [...kinds])
      .where("next_at", "<=", now)
      .orderBy("next_at")
      .orderBy("id")
      .limit(limit),
  );
}
