/** One audit event: the `audit_event` contract (schema_version 1) as the ledger stores it. */
import type { Json, Micros, Uuid } from "@rumi/kernel";

export type Outcome = "SUCCESS" | "FAILURE" | "REJECTED";

/** Present on every event (null where there is none): who, when, what, why, approval, expiry, trace. */
export type EventDetails = {
  readonly reason: string | null;
  readonly approval_id: string | null;
  readonly expires_at: string | null;
  readonly trace_id: string;
  readonly run_id: string | null;
  readonly request_id: string | null;
  readonly fingerprint: string | null;
  readonly [key: string]: Json;
};

export type LedgerEvent = {
  readonly event_id: Uuid;
  /** A kind of the event catalogue (catalogue.ts), e.g. `controlplane.command.requested`. */
  readonly action: string;
  /** Immutable principal: `user:root`, `runner:<id>`, `system:<part>`. */
  readonly actor: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly outcome: Outcome;
  readonly occurred_at: Micros;
  readonly details: EventDetails;
};
