/** Turns what happened to a command into audit events that always carry who, when, what, why and trace. */
import { type Json, type Micros, type Uuid, ERROR_CATALOGUE, type Failure } from "@rumi/kernel";
import type { LedgerEvent, Outcome } from "@rumi/ledger";
import type { EventDraft } from "./operation.ts";

/** Names of the pipeline's own events. */
export const PIPELINE_EVENTS = {
  requested: "controlplane.command.requested",
  resumed: "controlplane.command.resumed",
  applied: "controlplane.command.applied",
  denied: "controlplane.command.denied",
  duplicateSuppressed: "controlplane.command.duplicate_suppressed",
  dryRun: "controlplane.command.dry_run",
  requestInvalid: "controlplane.request.invalid",
  authenticationFailed: "controlplane.authentication.failed",
} as const;

/** The facts of a request that each of its events repeats. */
export type EventFrame = {
  readonly actor: string;
  readonly reason: string | null;
  readonly approval_id: string | null;
  readonly expires_at: string | null;
  readonly trace_id: string;
  readonly run_id: string | null;
  readonly request_id: string | null;
  readonly fingerprint: string | null;
  /** Of a rehearsal: its events have names of their own. */
  readonly training?: true;
};

/** Nobody takes `training.safety.…` for the thing itself. */
export const rehearsedAction = (action: string): string => `training.${action}`;

export function auditEvent(draft: EventDraft, frame: EventFrame, event_id: Uuid, now: Micros): LedgerEvent {
  const { actor, ...facts } = frame;
  return {
    event_id,
    action: frame.training === true ? rehearsedAction(draft.action) : draft.action,
    actor,
    resource_type: draft.resource_type,
    resource_id: draft.resource_id,
    outcome: draft.outcome,
    occurred_at: now,
    details: {
      ...(draft.details as Readonly<Record<string, Json>>),
      ...facts,
      ...(draft.run_id === undefined ? {} : { run_id: draft.run_id }),
    },
  };
}

export function commandDraft(
  action: string,
  target: { readonly resource_type: string; readonly resource_id: string },
  outcome: Outcome,
  details: EventDraft["details"],
): EventDraft {
  return { action, ...target, outcome, details };
}

/** Why a command was refused; codes only, since a failure's parameters may quote the request. */
export function denialDetails(failure: Failure): Readonly<Record<string, unknown>> {
  return {
    error_code: failure.code,
    reason_code: failure.reasonCode ?? ERROR_CATALOGUE[failure.code].key,
    status_code: ERROR_CATALOGUE[failure.code].status,
  };
}
