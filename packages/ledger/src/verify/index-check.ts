/** Holds a store's search columns against what was signed: a list must not tell of an event what its leaf does not. */
import type { Json } from "@rumi/kernel";
import type { LedgerEvent } from "../event.ts";
import type { LeafRecord } from "../leaf.ts";
import type { IndexedEvent } from "../source.ts";

/** The first column that differs. Without the event (its payload is erased or altered) only the leaf's fields are held. */
export function indexProblem(
  row: IndexedEvent,
  record: LeafRecord,
  event: LedgerEvent | undefined,
): string | undefined {
  // One after the other and nothing made on the way: a log of a million entries passes here.
  if (row.event_id !== record.event_id) return "event_id";
  if (row.action !== record.type) return "action";
  if (row.actor !== record.actor) return "actor";
  if (`${row.resource_type}:${row.resource_id}` !== record.subject) return "subject";
  if (row.occurred_at !== record.time) return "occurred_at";
  if (event === undefined) return undefined;
  if (row.resource_type !== event.resource_type) return "resource_type";
  if (row.outcome !== event.outcome) return "outcome";
  if (row.trace_id !== event.details.trace_id) return "trace_id";
  if (row.run_id !== event.details.run_id) return "run_id";
  return row.request_id === event.details.request_id ? undefined : "request_id";
}

/**
 * The columns that an event must have as one JSON text, in the order of {@link indexProblem}; undefined where its details
 * lack one. A row that gives the same text has no problem; another text says nothing yet, for stores may quote otherwise.
 */
export function indexLine(event: LedgerEvent): string | undefined {
  const { trace_id, run_id, request_id }: Readonly<Record<string, Json | undefined>> = event.details;
  if (trace_id === undefined || run_id === undefined || request_id === undefined) return undefined;
  const { event_id, action, actor, resource_type, resource_id, outcome, occurred_at } = event;
  return JSON.stringify([
    event_id,
    action,
    actor,
    resource_type,
    resource_id,
    outcome,
    occurred_at,
    trace_id,
    run_id,
    request_id,
  ]);
}
