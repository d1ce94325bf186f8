/** What went wrong within a chain, newest first: commands that were refused, intents that were held, orders that a venue refused. */
import { isoFromMicros, micros } from "@rumi/kernel";
import type { AuditEvent } from "../audit/events.ts";
import { jsonOf } from "../shared/sql.ts";
import { findingOf, type Finding } from "../triage/model.ts";
import type { IntentRow, OrderRow } from "../views/tables.ts";

/** Findings of each kind; the chain itself has all of them. */
const MOST = 20;
const TROUBLE: ReadonlySet<string> = new Set([
  "controlplane.command.denied",
  "instance.failed",
  "instance.stop.blocked",
]);

export function findingsOf(
  events: readonly AuditEvent[],
  intents: readonly IntentRow[],
  orders: readonly OrderRow[],
): readonly Finding[] {
  return [
    ...newest(events.filter(({ action }) => TROUBLE.has(action)).toReversed(), eventFinding),
    ...newest(
      orders.filter(({ status }) => status === "rejected"),
      orderFinding,
    ),
    ...newest(
      intents.filter(({ verdict }) => verdict === "discarded" || verdict === "degraded"),
      intentFinding,
    ),
  ];
}

const newest = <Row>(rows: readonly Row[], finding: (row: Row) => Finding): readonly Finding[] =>
  rows.slice(0, MOST).map(finding);

function eventFinding(event: AuditEvent): Finding {
  const word = (name: string): string | null => {
    const value = event.details[name];
    return typeof value === "string" ? value : null;
  };
  const said = word("error") ?? word("why");
  const denied = event.action === "controlplane.command.denied";
  return findingOf({
    subject: denied
      ? { kind: "command", id: word("request_id") ?? event.event_id }
      : { kind: event.action === "instance.failed" ? "instance" : "stop", id: event.resource_id },
    error_code: word("error_code"),
    reason_code: word("reason_code") ?? (event.action === "instance.stop.blocked" ? "G.STOP_NOT_PROVEN" : null),
    ...(said === null ? {} : { said }),
    since: event.occurred_at,
    evidence: [{ kind: "event", id: event.event_id }],
  });
}

function orderFinding({ client_order_id, run_id, report, at_us }: OrderRow): Finding {
  const { reason_code } = jsonOf<{ readonly reason_code?: string | null }>(report);
  return findingOf({
    subject: { kind: "order", id: client_order_id },
    reason_code: reason_code ?? "M.VENUE.REJECTED",
    since: isoFromMicros(micros(at_us)),
    evidence: [{ kind: "run", id: run_id }],
  });
}

function intentFinding({ idempotency_key, reason_code, run_id, at_us }: IntentRow): Finding {
  return findingOf({
    subject: { kind: "intent", id: idempotency_key },
    reason_code,
    since: isoFromMicros(micros(at_us)),
    evidence: [{ kind: "run", id: run_id }],
  });
}
