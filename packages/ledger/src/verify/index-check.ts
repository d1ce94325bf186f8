/** Holds a store's search columns against what was signed: a list must not tell of an event what its leaf does not. */
import type { LedgerEvent } from "../event.ts";
import type { LeafRecord } from "../leaf.ts";
import type { IndexedEvent } from "../source.ts";

/** The first column that differs. Without the event (its payload is erased or altered) only the leaf's fields are held. */
export function indexProblem(
  row: IndexedEvent,
  record: LeafRecord,
  event: LedgerEvent | undefined,
): string | undefined {
  const signed: Readonly<Record<string, readonly [unknown, unknown]>> = {
    event_id: [row.event_id, record.event_id],
    action: [row.action, record.type],
    actor: [row.actor, record.actor],
    subject: [`${row.resource_type}:${row.resource_id}`, record.subject],
    occurred_at: [row.occurred_at, record.time],
    ...(event === undefined
      ? {}
      : {
          resource_type: [row.resource_type, event.resource_type],
          outcome: [row.outcome, event.outcome],
          trace_id: [row.trace_id, event.details.trace_id],
          run_id: [row.run_id, event.details.run_id],
          request_id: [row.request_id, event.details.request_id],
        }),
  };
  return Object.entries(signed).find(([, [found, wanted]]) => found !== wanted)?.[0];
}
