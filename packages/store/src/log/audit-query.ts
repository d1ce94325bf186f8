/**
 * Finding audit events: by kind, resource, trace, run, request and time, in log order, page by page.
 *
 * A page's cursor is a log index, never a time: a clock that jumps back neither repeats nor hides a row.
 */
import { LIMITS, type Micros } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import type { Reader, Store } from "../port.ts";
import type { LogTables } from "../schema.ts";
import { eventOf } from "./leaves.ts";
import { lookupWord } from "./lookup.ts";

export type AuditFilter = {
  /** Any of these kinds. */
  readonly actions?: readonly string[];
  readonly actor?: string;
  readonly outcome?: string;
  readonly event_id?: string;
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

/** The same with the payload as it is stored, canonical JSON; null where it was erased. */
export type AuditEntry = Omit<AuditRow, "event"> & { readonly payload: string | null };

export async function queryAudit(
  store: Pick<Store, "builder">,
  reader: Reader,
  filter: AuditFilter,
  page: AuditPage,
): Promise<readonly AuditRow[]> {
  const rows = await auditEntries(store, reader, filter, { ...page, rows: Math.min(page.rows, LIMITS.page_rows) });
  return rows.map(({ payload, ...row }) => ({ ...row, event: payload === null ? null : eventOf(payload) }));
}

/** Where the lookup knows one of the filter's words, it leads; what is behind its head is scanned. */
export async function auditEntries(
  store: Pick<Store, "builder">,
  reader: Reader,
  filter: AuditFilter,
  page: AuditPage,
): Promise<readonly AuditEntry[]> {
  const limit = page.rows;
  const word = wordOf(filter);
  if (word === undefined) return reader.rows<AuditEntry>(entries(store, filter, page).limit(limit));
  const heads = await reader.rows<LogTables["log_lookup_head"]>(
    store.builder<LogTables>().selectFrom("log_lookup_head").select("size"),
  );
  const head = heads[0]?.size ?? 0;
  const known = entries(store, filter, page)
    .innerJoin("log_lookup as l", "l.idx", "e.idx")
    .where("l.word", "=", word)
    .where("l.idx", "<", head);
  const behind = entries(store, filter, page).where("e.idx", ">=", head);
  const [first, then] = page.order === "oldest_first" ? [known, behind] : [behind, known];
  const found = await reader.rows<AuditEntry>(first.limit(limit));
  return found.length === limit
    ? found
    : [...found, ...(await reader.rows<AuditEntry>(then.limit(limit - found.length)))];
}

/** The word that leads to the fewest entries. */
function wordOf(filter: AuditFilter): string | undefined {
  const { request_id, trace_id, run_id, resource_type, resource_id, actions } = filter;
  if (request_id !== undefined) return lookupWord.request_id(request_id);
  if (trace_id !== undefined) return lookupWord.trace_id(trace_id);
  if (run_id !== undefined) return lookupWord.run_id(run_id);
  if (resource_type !== undefined && resource_id !== undefined) return lookupWord.resource(resource_type, resource_id);
  const [action, ...others] = actions ?? [];
  return action !== undefined && others.length === 0 ? lookupWord.action(action) : undefined;
}

const EQUALS = [
  "actor",
  "resource_type",
  "resource_id",
  "outcome",
  "event_id",
  "trace_id",
  "run_id",
  "request_id",
] as const;

// eslint-disable-next-line typescript/explicit-function-return-type -- Kysely's own type of the query
function entries(store: Pick<Store, "builder">, filter: AuditFilter, page: AuditPage) {
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
  for (const column of EQUALS) {
    const value = equals[column];
    if (value !== undefined) query = query.where(`e.${column}`, "=", value);
  }
  if (actions !== undefined) query = query.where("e.action", "in", actions);
  if (from !== undefined) query = query.where("e.occurred_at", ">=", from);
  if (to !== undefined) query = query.where("e.occurred_at", "<", to);
  const up = page.order === "oldest_first";
  if (page.cursor !== null) query = query.where("e.idx", up ? ">" : "<", page.cursor);
  return query.orderBy("e.idx", up ? "asc" : "desc");
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
