/** The log as the ledger's views, proofs and verifier read it, over any store's rows. */
import { ok } from "@rumi/kernel";
import type { IndexedEvent, IndexSource, LogSource, OpenedPayload, PayloadSource } from "@rumi/ledger";
import type { Reader, Store } from "../port.ts";
import type { LogTables } from "../schema.ts";

/** Pass a snapshot's reader to read checkpoint, leaves and tiles of one moment. */
export function storedLog(store: Pick<Store, "builder">, reader: Reader): LogSource & PayloadSource & IndexSource {
  const sql = store.builder<LogTables>();
  return {
    checkpoint: async () => {
      const rows = await reader.rows<{ note: string }>(
        sql.selectFrom("log_checkpoint").select("note").where("kind", "=", "current"),
      );
      return rows[0]?.note;
    },
    leaves: async (from, to) => {
      const rows = await reader.rows<{ leaf: Uint8Array }>(
        sql.selectFrom("log_entry").select("leaf").where("idx", ">=", from).where("idx", "<", to).orderBy("idx"),
      );
      return ok(rows.map((row) => row.leaf));
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
      const found = new Map(rows.map((row) => [row.idx, row]));
      return Array.from({ length: to - from }, (_, offset) => found.get(from + offset));
    },
    tile: async (level, index) => {
      const rows = await reader.rows<{ data: Uint8Array }>(
        sql.selectFrom("log_tile").select("data").where("level", "=", level).where("idx", "=", index),
      );
      return rows[0]?.data;
    },
    payloads: async (from, to) => {
      const rows = await reader.rows<OpenedPayload & { idx: number }>(
        sql
          .selectFrom("log_payload")
          .select(["idx", "salt", "payload"])
          .where("idx", ">=", from)
          .where("idx", "<", to)
          .orderBy("idx"),
      );
      const found = new Map(rows.map(({ idx, salt, payload }) => [idx, { salt, payload }]));
      return Array.from({ length: to - from }, (_, offset) => found.get(from + offset));
    },
  };
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
