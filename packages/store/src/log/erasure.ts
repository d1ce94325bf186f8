/** Which payloads may be forgotten, and forgetting them; leaves and proofs stay. */
import type { Micros } from "@rumi/kernel";
import { write } from "../builder.ts";
import type { Reader, Store, Write } from "../port.ts";
import type { LogTables } from "../schema.ts";

export type Erasable = Pick<LogTables["log_entry"], "idx" | "event_id" | "action" | "occurred_at">;

/** Entries from an index on whose payload is still there: of these kinds, and older than what is told of them. */
export async function erasableEntries(
  store: Pick<Store, "builder">,
  reader: Reader,
  from_index: number,
  due: readonly { readonly actions: readonly string[]; readonly before: Micros }[],
  rows: number,
): Promise<readonly Erasable[]> {
  return reader.rows<Erasable>(
    store
      .builder<LogTables>()
      .selectFrom("log_payload as p")
      .innerJoin("log_entry as e", "e.idx", "p.idx")
      .select(["e.idx", "e.event_id", "e.action", "e.occurred_at"])
      .where("p.idx", ">=", from_index)
      .where((is) =>
        is.or(
          due.map(({ actions, before }) => is.and([is("e.action", "in", actions), is("e.occurred_at", "<", before)])),
        ),
      )
      .orderBy("p.idx")
      .limit(rows),
  );
}

/** Forgets these payloads for good. Commit it with the `audit.erasure` event that names them. */
export function erasePayloadsWrite(store: Pick<Store, "builder">, indices: readonly number[]): Write {
  return write(store.builder<LogTables>().deleteFrom("log_payload").where("idx", "in", indices), indices.length);
}
