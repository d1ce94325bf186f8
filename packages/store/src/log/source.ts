/**
 * The log as the ledger's views, proofs and verifier read it, over any store's rows.
 *
 * A million entries are read here at a time. SQLite's binding takes longer to make two small byte arrays than to read
 * the whole row, so there short bytes come as hexadecimal text.
 */
import { ok } from "@rumi/kernel";
import { sql as raw, type RawBuilder } from "kysely";
import type { IndexedEvent, IndexSource, LogSource, OpenedPayload, PayloadSource } from "@rumi/ledger";
import type { Reader, Store } from "../port.ts";
import type { LogTables } from "../schema.ts";

/** Pass a snapshot's reader to read checkpoint, leaves and tiles of one moment. */
export function storedLog(
  store: Pick<Store, "builder" | "dialect">,
  reader: Reader,
): LogSource & PayloadSource & IndexSource {
  const sql = store.builder<LogTables>();
  const inHex = store.dialect === "sqlite";
  const bytesColumn = (column: "leaf" | "salt"): RawBuilder<Uint8Array | string> =>
    inHex ? raw`hex(${raw.ref(column)})` : raw`${raw.ref(column)}`;
  return {
    checkpoint: async () => {
      const rows = await reader.rows<{ note: string }>(
        sql.selectFrom("log_checkpoint").select("note").where("kind", "=", "current"),
      );
      return rows[0]?.note;
    },
    leaves: async (from, to) => {
      const rows = await reader.rows<{ leaf: Uint8Array | string }>(
        sql
          .selectFrom("log_entry")
          .select(bytesColumn("leaf").as("leaf"))
          .where("idx", ">=", from)
          .where("idx", "<", to)
          .orderBy("idx"),
      );
      return ok(rows.map((row) => bytesOf(row.leaf)));
    },
    indexed: async (from, to) => {
      const rows = await reader.rows<IndexedEvent & { idx: number }>(
        sql
          .selectFrom("log_entry")
          .select([
            "idx",
            "event_id",
            "action",
            "actor",
            "resource_type",
            "resource_id",
            "outcome",
            "occurred_at",
            "trace_id",
            "run_id",
            "request_id",
          ])
          .where("idx", ">=", from)
          .where("idx", "<", to)
          .orderBy("idx"),
      );
      return placed(rows, from, to, (row) => row);
    },
    tile: async (level, index) => {
      const rows = await reader.rows<{ data: Uint8Array }>(
        sql.selectFrom("log_tile").select("data").where("level", "=", level).where("idx", "=", index),
      );
      return rows[0]?.data;
    },
    payloads: async (from, to) => {
      const rows = await reader.rows<{ idx: number; salt: Uint8Array | string; payload: string }>(
        sql
          .selectFrom("log_payload")
          .select(["idx", bytesColumn("salt").as("salt"), "payload"])
          .where("idx", ">=", from)
          .where("idx", "<", to)
          .orderBy("idx"),
      );
      return placed<(typeof rows)[number], OpenedPayload>(rows, from, to, ({ salt, payload }) => ({
        salt: bytesOf(salt),
        payload,
      }));
    },
  };
}

const bytesOf = (column: Uint8Array | string): Uint8Array =>
  typeof column === "string" ? Buffer.from(column, "hex") : column;

/** Rows at the places of their indices; undefined where there is none. */
function placed<Row extends { readonly idx: number }, Item>(
  rows: readonly Row[],
  from: number,
  to: number,
  item: (row: Row) => Item,
): readonly (Item | undefined)[] {
  const places = Array.from({ length: to - from }, (): Item | undefined => undefined);
  for (const row of rows) places[row.idx - from] = item(row);
  return places;
}

/** Signed checkpoints kept from the past, oldest first: what a consistency proof may start from. */
export function keptCheckpoints(
  store: Pick<Store, "builder">,
  reader: Reader,
): Promise<readonly { size: number; note: string }[]> {
  return reader.rows(
    store
      .builder<LogTables>()
      .selectFrom("log_checkpoint")
      .select(["size", "note"])
      .where("kind", "=", "kept")
      .orderBy("size"),
  );
}
