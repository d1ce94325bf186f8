/** Tells watchers what changed: one row of the change feed for each event of a decision, and what it adds. */
import type { LedgerEvent } from "@rumi/ledger";
import type { Micros } from "@rumi/kernel";
import { feedWrite, type Store, type Write } from "@rumi/store";
import type { FeedItem } from "./operation.ts";

export function feedOfEvents(store: Pick<Store, "builder">, events: readonly LedgerEvent[]): readonly Write[] {
  return events.map(({ event_id, action, actor, resource_type, resource_id, outcome, occurred_at, details }) =>
    feedWrite(store, {
      kind: action,
      key: resource_id,
      at: occurred_at,
      data: JSON.stringify({
        event_id,
        actor,
        resource_type,
        resource_id,
        outcome,
        reason: details.reason,
        trace_id: details.trace_id,
        request_id: details.request_id,
      }),
    }),
  );
}

export function feedOfItems(
  store: Pick<Store, "builder">,
  items: readonly FeedItem[] | undefined,
  at: Micros,
): readonly Write[] {
  return (items ?? []).map(({ kind, key, data }) => feedWrite(store, { kind, key, data: JSON.stringify(data), at }));
}
