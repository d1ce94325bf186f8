/**
 * One event as one line of the JSONL views under `user_data/audit/`. Pure.
 *
 * How to think: the views are for people with `jq`; the log is the truth. Every line carries `log_index`,
 * so a line can be held against the entry it came from, and `event_id`, which asks for the proof.
 */
import { type Json, type Micros, canonicalJson, isoFromMicros } from "@rumi/kernel";
import { classify } from "./catalogue.ts";
import type { AuditCategory } from "./catalogue/kind.ts";
import type { LedgerEvent } from "./event.ts";

/**
 * The line without its newline. Details that everybody filters by are lifted to its top level, null where the event
 * has none. Written out by hand, because a busy log is followed line by line.
 */
export function jsonlLine(log_index: number, event: LedgerEvent): string {
  const { details, outcome } = event;
  const { category, severity } = classify(event);
  const rejection = details["rejection_reason"] ?? (outcome === "REJECTED" ? details["reason_code"] : null);
  return (
    `{"ts":"${isoFromMicros(event.occurred_at)}","category":"${category}","severity":"${severity}","action":${JSON.stringify(event.action)},"success":${outcome === "SUCCESS"},` +
    `"flow_id":${orNull(details["flow_id"])},"step_id":${orNull(details["step_id"])},"phase":${orNull(details["phase"])},"owner_pack":${orNull(details["owner_pack"])},"modifier_id":${orNull(details["modifier_id"])},` +
    // In canonical order: an event fresh from its maker and one read back from the log give the same line.
    `"details":${canonicalJson(details)},` +
    `"error":${orNull(details["error"])},"error_type":${orNull(details["error_type"] ?? details["error_code"])},"rejection_reason":${orNull(rejection)},"execution_mode":${orNull(details["execution_mode"])},` +
    `"actor":${JSON.stringify(event.actor)},"resource_type":${JSON.stringify(event.resource_type)},"resource_id":${JSON.stringify(event.resource_id)},"outcome":"${outcome}","event_id":"${event.event_id}","log_index":${log_index}}`
  );
}

/** The `log_index` of a line; undefined when it is no line of ours. */
export function lineIndex(line: string): number | undefined {
  const match = /,"log_index":(\d+)\}$/.exec(line);
  return match === null ? undefined : Number(match[1]);
}

function orNull(value: Json | undefined): string {
  return value === undefined || value === null ? "null" : JSON.stringify(value);
}

/** The calendar day, `YYYY-MM-DD`, of an instant where the machine stands. Injected, so that tests choose the zone. */
export type LocalDay = (at: Micros) => string;

/** Days of an IANA zone; without a name, the machine's own. */
export function localDays(timeZone?: string): LocalDay {
  const format = new Intl.DateTimeFormat("en-CA", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    ...(timeZone === undefined ? {} : { timeZone }),
  });
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
