/**
 * The outbox: effects that must follow a commit, written in it, carried out by a reconciler afterwards.
 *
 * At least once, so an effect must be idempotent under (kind, key). Taking an item pushes its next time
 * ahead and raises its generation; whoever finishes it presents that generation, so a taker that slept
 * too long cannot finish what another has taken since (conformance.ts).
 */
import type { Micros, Millis } from "@rumi/kernel";
import { sql, type Generated } from "kysely";
import { write } from "../builder.ts";
import type { Reader, Store, Write } from "../port.ts";

export type OutboxRow = {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  /** JSON text. */
  readonly payload: string;
  readonly attempts: number;
  readonly next_at: Micros;
  readonly generation: number;
  readonly last_error: string | null;
  readonly created_at: Micros;
};
type Columns = { -readonly [name in keyof OutboxRow]: OutboxRow[name] };
export type OutboxTables = { outbox: Omit<Columns, "id"> & { id: Generated<number> } };
export type NewOutboxItem = Pick<OutboxRow, "kind" | "key" | "payload"> & { readonly at: Micros };

export const OUTBOX_RETRY_FIRST_MS = 500;
export const OUTBOX_RETRY_MAX_MS = 300_000;
export const OUTBOX_ERROR_CHARACTERS = 2_000;

type Sql = Pick<Store, "builder">;

/** One open item per (kind, key): an item that is there already is made due again with the new payload. */
export function putOutboxWrite(store: Sql, { at, kind, key, payload }: NewOutboxItem): Write {
  return write(
    store
      .builder<OutboxTables>()
      .insertInto("outbox")
      .values({ kind, key, payload, attempts: 0, next_at: at, generation: 0, last_error: null, created_at: at })
      .onConflict((on) =>
        on
          .columns(["kind", "key"])
          .doUpdateSet({ payload, next_at: at, attempts: 0, generation: sql<number>`outbox.generation + 1` }),
      ),
    1,
  );
}

/** Items whose time has come, oldest first; each must then be taken with {@link takeOutboxWrite}. */
export function dueOutbox(store: Sql, reader: Reader, now: Micros, limit: number): Promise<readonly OutboxRow[]> {
  return reader.rows<OutboxRow>(
    store
      .builder<OutboxTables>()
      .selectFrom("outbox")
      .selectAll()
      .where("next_at", "<=", now)
      .orderBy("next_at")
      .orderBy("id")
      .limit(limit),
  );
}

/** Claims an item for `hold`. A conflict means another took or changed it. The taken one has generation + 1. */
export function takeOutboxWrite(store: Sql, row: OutboxRow, now: Micros, hold: Millis): Write {
  return write(
    store
      .builder<OutboxTables>()
      .updateTable("outbox")
      .set({ generation: row.generation + 1, attempts: row.attempts + 1, next_at: (now + hold * 1_000) as Micros })
      .where("id", "=", row.id)
      .where("generation", "=", row.generation),
    1,
  );
}

export function takenOutbox(row: OutboxRow): OutboxRow {
  return { ...row, generation: row.generation + 1, attempts: row.attempts + 1 };
}

/** The effect is done. A conflict means the item was taken or put again since. */
export function doneOutboxWrite(store: Sql, taken: OutboxRow): Write {
  return write(
    store
      .builder<OutboxTables>()
      .deleteFrom("outbox")
      .where("id", "=", taken.id)
      .where("generation", "=", taken.generation),
    1,
  );
}

/** The effect failed: try again after a doubling wait. */
export function retryOutboxWrite(store: Sql, taken: OutboxRow, now: Micros, last_error: string): Write {
  return write(
    store
      .builder<OutboxTables>()
      .updateTable("outbox")
      .set({
        next_at: (now + retryWaitMs(taken.attempts) * 1_000) as Micros,
        last_error: last_error.slice(0, OUTBOX_ERROR_CHARACTERS).toWellFormed(),
      })
      .where("id", "=", taken.id)
      .where("generation", "=", taken.generation),
    1,
  );
}

/** 0.5 s, 1 s, 2 s … five minutes. */
export function retryWaitMs(attempts: number): number {
  return Math.min(OUTBOX_RETRY_MAX_MS, OUTBOX_RETRY_FIRST_MS * 2 ** Math.max(0, attempts - 1));
}
