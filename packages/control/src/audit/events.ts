/** Reads the audit log back as `audit_event`s (schema_version 1). */
import { isoFromMicros, micros, type Json } from "@rumi/kernel";
import { auditEntries, type AuditEntry, type AuditFilter, type Reader } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";

export type AuditEvent = {
  readonly schema_version: 1;
  readonly log_index: number;
  readonly event_id: string;
  readonly actor: string;
  readonly action: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly outcome: string;
  readonly occurred_at: string;
  readonly details: Readonly<Record<string, Json>>;
};

export type EventFilter = Omit<AuditFilter, "actions"> & {
  readonly action?: string;
  readonly after_index?: number;
  readonly before_index?: number;
  readonly order?: "asc" | "desc";
  readonly limit: number;
};

export async function readEvents(reader: Reader, sql: Sql, filter: EventFilter): Promise<readonly AuditEvent[]> {
  const { action, after_index, before_index, order = "asc", limit, ...exact } = filter;
  const found = await auditEntries(
    sql,
    reader,
    { ...exact, ...(action === undefined ? {} : { actions: [action] }) },
    {
      cursor: (order === "asc" ? after_index : before_index) ?? null,
      order: order === "asc" ? "oldest_first" : "newest_first",
      rows: limit,
    },
  );
  return found.map(eventOf);
}

function eventOf(row: AuditEntry): AuditEvent {
  const payload = row.payload === null ? {} : (JSON.parse(row.payload) as Record<string, Json>);
  const details = (payload["details"] ?? payload) as Record<string, Json>;
  return {
    schema_version: 1,
    log_index: row.idx,
    event_id: row.event_id,
    actor: row.actor,
    action: row.action,
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    outcome: row.outcome,
    occurred_at: isoFromMicros(micros(row.occurred_at)),
    details:
      row.payload === null
        ? { erased: true, trace_id: row.trace_id, run_id: row.run_id, request_id: row.request_id }
        : details,
  };
}
