/**
 * One event as one line of the JSONL views under `user_data/audit/`. Pure.
 *
 * How to think: the views are for people with `jq`; the log is the truth. Every line carries `log_index`,
 * so a line can be held against the entry it came from, and `event_id`, which asks for the proof.
 */
import { type Micros, canonicalJson, isoFromMicros } from "@rumi/kernel";
import { classify } from "./catalogue.ts";
import type { AuditCategory } from "./catalogue/kind.ts";
import type { LedgerEvent } from "./event.ts";

/** Details that the view lifts to its top level; null where the event has none. */
const LIFTED = ["flow_id", "step_id", "phase", "owner_pack", "modifier_id"] as const;

/** The line without its newline. */
export function jsonlLine(log_index: number, event: LedgerEvent): string {
  const { details, outcome } = event;
  const { category, severity } = classify(event);
  const lifted = Object.fromEntries(LIFTED.map((name) => [name, details[name] ?? null]));
  const before = { ts: isoFromMicros(event.occurred_at), category, severity, action: event.action, success: outcome === "SUCCESS", ...lifted };
  const after = {
    error: details["error"] ?? null,
    error_type: details["error_type"] ?? details["error_code"] ?? null,
    rejection_reason: details["rejection_reason"] ?? (outcome === "REJECTED" ? (details["reason_code"] ?? null) : null),
    execution_mode: details["execution_mode"] ?? null,
    actor: event.actor,
    resource_type: event.resource_type,
    resource_id: event.resource_id,
    outcome,
    event_id: event.event_id,
    log_index,
  };
  // Details in canonical order: an event fresh from its maker and one read back from the log give the same line.
  return `${JSON.stringify(before).slice(0, -1)},"details":${canonicalJson(details)},${JSON.stringify(after).slice(1)}`;
}

/** The calendar day, `YYYY-MM-DD`, of an instant where the machine stands. Injected, so that tests choose the zone. */
export type LocalDay = (at: Micros) => string;

/** Days of an IANA zone; without a name, the machine's own. */
export function localDays(timeZone?: string): LocalDay {
  const format = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", ...(timeZone === undefined ? {} : { timeZone }) });
  let hour = Number.NaN;
  let day = "";
  return (at) => {
    const quarter = Math.floor(at / 900_000_000); // no zone's midnight lies inside a quarter of an hour
    if (quarter !== hour) {
      hour = quarter;
      day = format.format(new Date(quarter * 900_000));
    }
    return day;
  };
}

export function jsonlFileName(category: AuditCategory, day: string): string {
  return `${category}_${day}.jsonl`;
}

export function parseJsonlFileName(name: string): { readonly category: string; readonly day: string } | undefined {
  const match = /^([a-z_]+)_(\d{4}-\d{2}-\d{2})\.jsonl$/.exec(name);
  return match === null ? undefined : { category: match[1] ?? "", day: match[2] ?? "" };
}
