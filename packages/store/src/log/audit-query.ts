/**
 * Finding audit events: by kind, resource, trace, run, request and time, in log order, page by page.
 *
 * A page's cursor is a log index, never a time: a clock that jumps back neither repeats nor hides a row.
 */
import { LIMITS, type Micros } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import { write } from "../builder.ts";
import type { Reader, Store, Write } from "../port.ts";
import type { LogTables } from "../schema.ts";
import { eventOf } from "./leaves.ts";

export type AuditFilter = {
  /** Any of these kinds. */
  readonly actions?: readonly string[];
  readonly actor?: string;
  readonly resource_type?: string;
  readonly resource_id?: string;
  readonly trace_id?: string;
  readonly run_id?: string;
  readonly request_id?: string;
  /** Inclusive and exclusive bounds of the events' own time. */
  readonly from?: Micros;
  readonly to?: Micros;
};
export type AuditPage = {
  /** Only rows after this index (oldest first) or before it (newest first). */
  readonly cursor: number | null;
  readonly order: "oldest_first" | "newest_first";
  /** At most `LIMITS.page_rows`. */
  readonly rows: number;
};
/** `event` is null where the payload was erased; the row's own columns stay. */
export type AuditRow = Omit<LogTables["log_entry"], "leaf"> & { readonly event: LedgerEvent | null };

export async function queryAudit(
  store: Pick<Store, "builder">,
  reader: Reader,
  filter: AuditFilter,
  page: AuditPage,
): Promise<readonly AuditRow[]> {
  const { actions, from, to, ...equals } = filter;
  let query = store
    .builder<LogTables>()
    .selectFrom("log_entry as e")
    .leftJoin("log_payload as p", "p.idx", "e.idx")
    .select([
      "e.idx",
      "e.event_id",
      "e.action",
      "e.actor",
      "e.resource_type",
      "e.resource_id",
      "e.outcome",
      "e.occurred_at",
      "e.trace_id",
      "e.run_id",
      "e.request_id",
      "p.payload",
    ]);
  for (const column of ["actor", "resource_type", "resource_id", "trace_id", "run_id", "request_id"] as const) {
    const value = equals[column];
    if (value !== undefined) query = query.where(`e.${column}`, "=", value);
  }
  if (actions !== undefined) query = query.where("e.action", "in", actions);
  if (from !== undefined) query = query.where("e.occurred_at", ">=", from);
  if (to !== undefined) query = query.where("e.occurred_at", "<", to);
  const up = page.order === "oldest_first";
  if (page.cursor !== null) query = query.where("e.idx", up ? ">" : "<", page.cursor);
  const limited = query.orderBy("e.idx", up ? "asc" : "desc").limit(Math.min(page.rows, LIMITS.page_rows));
  const rows = await reader.rows<Omit<AuditRow, "event"> & { payload: string | null }>(limited);
  return rows.map(({ payload, ...row }) => ({ ...row, event: payload === null ? null : eventOf(payload) }));
}

/** Log index of an event, where an inclusion proof begins; undefined when it is not in the log. */
export async function logIndexOf(
  store: Pick<Store, "builder">,
  reader: Reader,
  event_id: string,
): Promise<number | undefined> {
  return (
    await reader.rows<{ idx: number }>(
      store.builder<LogTables>().selectFrom("log_entry").select("idx").where("event_id", "=", event_id),
    )
  )[0]?.idx;
}

/** Forgets the payload of one event for good; leaf and proofs stay. Commit it with an `audit.erasure` event. */
export function erasePayloadWrite(store: Pick<Store, "builder">, index: number): Write {
  return write(store.builder<LogTables>().deleteFrom("log_payload").where("idx", "=", index), 1);
}
