/** What a confirmation adds to the audit of the command that it carries out: that it was confirmed, and its own end. */
import type { Micros, Uuid } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import { auditEvent, commandDraft, PIPELINE_EVENTS } from "../audit.ts";
import type { Run } from "./run.ts";

/**
 * None for a command that confirms nothing. The confirmation stands in the chain of what it confirms, with the
 * reason of whoever confirmed; its end stands under its own id.
 */
export function confirmationEvents(
  { confirmation, frame }: Run,
  ended: (typeof PIPELINE_EVENTS)["applied" | "denied"],
  details: Readonly<Record<string, unknown>>,
  newId: () => Uuid,
  now: Micros,
): readonly LedgerEvent[] {
  if (confirmation === null) return [];
  const { own, redeemed } = confirmation;
  const operation = own.operation.definition.name;
  const outcome = ended === PIPELINE_EVENTS.applied ? "SUCCESS" : "REJECTED";
  return [
    ...(outcome === "SUCCESS"
      ? [auditEvent(redeemed.event, { ...frame, actor: own.frame.actor, reason: own.frame.reason }, newId(), now)]
      : []),
    auditEvent(commandDraft(ended, own.target, outcome, { operation, ...details }), own.frame, newId(), now),
  ];
}
