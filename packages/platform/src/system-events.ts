/** Audit events of what the system itself noticed or did; a person's acts are written by the pipeline. */
import { uuidv7, type Clock, type Random } from "@rumi/kernel";
import type { EventDetails, LedgerEvent } from "@rumi/ledger";
import type { EventDraft } from "@rumi/operations";

export type SystemActor = {
  readonly clock: Clock;
  readonly random: Random;
  /** `system:<part>` or `runner:<id>`. */
  readonly actor: string;
};

export type EventTrail = Partial<Pick<EventDetails, "reason" | "run_id" | "request_id" | "trace_id">>;

export function systemEvent(by: SystemActor, draft: EventDraft, trail: EventTrail = {}): LedgerEvent {
  const occurred_at = by.clock.now();
  const event_id = uuidv7(occurred_at, by.random);
  const details = {
    ...draft.details,
    reason: trail.reason ?? null,
    approval_id: null,
    expires_at: null,
    trace_id: trail.trace_id ?? event_id,
    run_id: trail.run_id ?? null,
    request_id: trail.request_id ?? null,
    fingerprint: null,
  } as EventDetails;
  const { action, resource_type, resource_id, outcome } = draft;
  return { event_id, action, actor: by.actor, resource_type, resource_id, outcome, occurred_at, details };
}
