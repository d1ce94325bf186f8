/** Reads the audit log back as `audit_event`s (schema_version 1). */
import { isoFromMicros, micros, type Json } from "@rumi/kernel";
import type { LogTables, Reader } from "@rumi/store";
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

export type EventFilter = {
  readonly request_id?: string;
  readonly run_id?: string;
  readonly trace_id?: string;
  readonly action?: string;
  readonly actor?: string;
  readonly resource_type?: string;
  readonly resource_id?: string;
  readonly outcome?: string;
  readonly event_id?: string;
  readonly since?: number;
  readonly until?: number;
  readonly after_index?: number;
  readonly before_index?: number;
  readonly order?: "asc" | "desc";
  readonly limit: number;
};

type Row = Omit<LogTables["log_entry"], "leaf"> & { payload: string | null };
const EXACT = [
  "request_id",
  "run_id",
  "trace_id",
  "action",
  "actor",
  "resource_type",
  "resource_id",
  "outcome",
  "event_id",
] as const;

export async function readEvents(reader: Reader, sql: Sql, filter: EventFilter): Promise<readonly AuditEvent[]> {
  let query = sql
    .builder<LogTables>()
    .selectFrom("log_entry")
    .leftJoin("log_payload", "log_payload.idx", "log_entry.idx")
    .select([
      "log_entry.idx",
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
      "payload",
    ])
    .orderBy("log_entry.idx", filter.order ?? "asc")
    .limit(filter.limit);
  for (const name of EXACT) {
    const value = filter[name];
    if (value !== undefined) query = query.where(name, "=", value);
  }
  if (filter.since !== undefined) query = query.where("occurred_at", ">=", filter.since);
  if (filter.until !== undefined) query = query.where("occurred_at", "<", filter.until);
  if (filter.after_index !== undefined) query = query.where("log_entry.idx", ">", filter.after_index);
  if (filter.before_index !== undefined) query = query.where("log_entry.idx", "<", filter.before_index);
  return (await reader.rows<Row>(query)).map(eventOf);
}

function eventOf(row: Row): AuditEvent {
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
