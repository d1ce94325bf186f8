/**
 * What decisions want done afterwards: one row per kind and key, holding the newest wish (level-triggered).
 * A new wish for the same key replaces the old one and raises the generation.
 */
import type { Micros } from "@rumi/kernel";
import type { Reader, Statement, Store, Write } from "@rumi/store";
import { sql } from "kysely";
import type { OutboxItem } from "./operation.ts";

export type OutboxRow = {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly payload: string;
  readonly attempts: number;
  readonly next_at: number;
  readonly generation: number;
};
type Tables = { outbox: Omit<OutboxRow, "id"> & { readonly id?: number; readonly last_error: string | null; readonly created_at: number } };
type Dialect = Pick<Store, "builder">;

export function enqueue(store: Dialect, item: OutboxItem, now: Micros): Write {
  const payload = JSON.stringify(item.payload);
  const query = store.builder<Tables>().insertInto("outbox")
    .values({ kind: item.kind, key: item.key, payload, attempts: 0, next_at: now, generation: 1, last_error: null, created_at: now })
    .onConflict((conflict) => conflict.columns(["kind", "key"]).doUpdateSet({
      payload, attempts: 0, next_at: now, generation: sql<number>`outbox.generation + 1`, last_error: null,
    }));
  return { ...plain(query.compile()), expect: 1 };
}

export async function dueItems(store: Dialect & Reader, kinds: readonly string[], now: Micros, limit: number): Promise<readonly OutboxRow[]> {
  return store.rows<OutboxRow>(
    store.builder<Tables>().selectFrom("outbox").select(["id", "kind", "key", "payload", "attempts", "next_at", "generation"])
      .where("kind", "in", [...kinds]).where("next_at", "<=", now).orderBy("next_at").orderBy("id").limit(limit) as { compile(): Statement },
  );
}

/** Done; a newer wish that came meanwhile stays, since its generation is another. */
export function doneItem(store: Dialect, row: OutboxRow): Write {
  const query = store.builder<Tables>().deleteFrom("outbox").where("kind", "=", row.kind).where("key", "=", row.key).where("generation", "=", row.generation);
  return { ...plain(query.compile()), expect: "any" };
}

export function retryItem(store: Dialect, row: OutboxRow, next_at: Micros, last_error: string): Write {
  const query = store.builder<Tables>().updateTable("outbox").set({ attempts: row.attempts + 1, next_at, last_error })
    .where("kind", "=", row.kind).where("key", "=", row.key).where("generation", "=", row.generation);
  return { ...plain(query.compile()), expect: "any" };
}

function plain(query: Statement): Statement {
  return { sql: query.sql, parameters: query.parameters };
}
