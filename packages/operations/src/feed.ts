/** Tells watchers what changed: one row of the change feed for each event of a decision, and what it adds. */
import type { LedgerEvent } from "@rumi/ledger";
import type { Micros, Scrubber } from "@rumi/kernel";
import { feedWrite, type Store, type Write } from "@rumi/store";
import type { FeedItem } from "./operation.ts";
import { scrubbedEvent } from "./scrubbing.ts";

type Sink = { readonly store: Pick<Store, "builder">; readonly scrubber: Scrubber };

export function feedOfEvents({ store, scrubber }: Sink, events: readonly LedgerEvent[]): readonly Write[] {
  const told = events.map((event) => scrubbedEvent(scrubber, event));
  return told.map(({ event_id, action, actor, resource_type, resource_id, outcome, occurred_at, details }) =>
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
  { store, scrubber }: Sink,
  items: readonly FeedItem[] | undefined,
  at: Micros,
): readonly Write[] {
  return (items ?? []).map(({ kind, key, data }) =>
    feedWrite(store, { kind, key, data: JSON.stringify(scrubber.value(data)), at }),
  );
}
