/**
 * What needs a person, as lines that each lead to where it is dealt with. Pure: answers in, lines out.
 *
 * Whatever settles by itself is not here: a stop that is on its way, a gate that nobody requires.
 */
import type { Bot, Pack } from "../answers/answers.ts";
import type { ChallengeNote, Staged } from "../answers/approvals.ts";
import type { CodeRun } from "../answers/code-runs.ts";
import type { Gate, Hold, Session } from "../answers/controls.ts";
import { scopeText } from "../answers/controls.ts";
import type { Change, Drift, FlowApproval, Request, SupplyReport, Unproven } from "../answers/inbox.ts";
import type { Page } from "../page.ts";
import type { Word } from "../words/en.ts";

export type Urgency = "now" | "soon";
export type Item = {
  readonly key: string;
  readonly kind: Word;
  /** The thing's own name. */
  readonly name: string;
  readonly detail: string;
  readonly since: string | null;
  readonly urgency: Urgency;
  readonly page: Page;
};

/** A stop that waits longer than this for its next rung is stuck. */
export const STUCK_AFTER_MS = 60_000;

const approvalPage = (id: string | null): Page => ({ kind: "approvals", id });
const CONTROLS: Page = { kind: "controls" };
const packPage = (name: string): Page => ({ kind: "packs", name });
const botPage = (bot: string): Page => ({ kind: "bots", bot });

export function challengeItems(all: readonly ChallengeNote[]): readonly Item[] {
  return all
    .filter(({ state }) => state === "AWAITING_APPROVAL" || state === "AWAITING_CONFIRMATION")
    .map(({ challenge_id, operation, target, reason, created_at, state }) => ({
      key: challenge_id,
      kind: state === "AWAITING_APPROVAL" ? "inbox_approve" : "inbox_confirm",
      name: `${operation} · ${target.resource_id}`,
      detail: reason,
      since: created_at,
      urgency: "now",
      page: approvalPage(challenge_id),
    }));
}

export function stagedItems(all: readonly Staged[]): readonly Item[] {
  return all
    .filter(({ state }) => state === "staged")
    .map(({ run_id, idempotency_key, bot_id, intent, staged_at }) => ({
      key: `${run_id}/${idempotency_key}`,
      kind: "inbox_intent",
      name: bot_id,
      detail: [intent.kind, intent.side, intent.quantity, intent.instrument_id]
        .filter((word) => word !== null)
        .join(" "),
      since: staged_at,
      urgency: "now",
      page: approvalPage(null),
    }));
}

export function changeItems(all: readonly Change[]): readonly Item[] {
  return all.map(({ change_id, operation, target, state, reason, proposed_at }) => ({
    key: change_id,
    kind: "inbox_change",
    name: `${operation} · ${target.resource_id}`,
    detail: `${state}: ${reason}`,
    since: proposed_at,
    urgency: "now",
    page: approvalPage(change_id),
  }));
}

export function botItems(all: readonly Bot[]): readonly Item[] {
  return all
    .filter(({ state }) => state === "ERROR" || state === "QUARANTINED")
    .map(({ bot_id, state, status }) => ({
      key: bot_id,
      kind: state === "ERROR" ? "inbox_error" : "inbox_quarantine",
      name: bot_id,
      detail: status.reason,
      since: status.since,
      urgency: state === "ERROR" ? "now" : "soon",
      page: botPage(bot_id),
    }));
}

export function stopItems(all: readonly Unproven[], now_ms: number): readonly Item[] {
  return all.flatMap(({ run_id, bot_id, blocked }) =>
    blocked === null || now_ms - Date.parse(blocked.since) < STUCK_AFTER_MS
      ? []
      : [
          {
            key: run_id,
            kind: "inbox_stuck",
            name: bot_id,
            detail: `${blocked.rung}: ${blocked.why}`,
            since: blocked.since,
            urgency: "now",
            page: botPage(bot_id),
          },
        ],
  );
}

/** What the brake holds is let through among the controls; the others settle at the bot. */
export function driftItems(all: readonly Drift[]): readonly Item[] {
  return all.map(({ drift_key, drift_class, bot_id, state, expected, found, detected_at }) => ({
    key: drift_key,
    kind: "inbox_drift",
    name: bot_id,
    detail: `${drift_class}: ${found} ≠ ${expected}`,
    since: detected_at,
    urgency: state === "braked" ? "now" : "soon",
    page: state === "braked" ? CONTROLS : botPage(bot_id),
  }));
}

export function packItems(all: readonly Pack[]): readonly Item[] {
  return all
    .filter(({ state }) => state === "pending" || state === "modified")
    .map(({ pack_id, version, state, digest }) => ({
      key: pack_id,
      kind: "inbox_pack",
      name: `${pack_id} ${version ?? ""}`.trim(),
      detail: `${state}${digest === null ? "" : ` · ${digest}`}`,
      since: null,
      urgency: "soon",
      page: packPage(pack_id),
    }));
}

export function requestItems(all: readonly Request[], kind: "inbox_capability" | "inbox_pip"): readonly Item[] {
  return all.map(({ candidate_key, pack_id }) => ({
    key: candidate_key,
    kind,
    name: pack_id,
    detail: candidate_key,
    since: null,
    urgency: "soon",
    page: packPage(pack_id),
  }));
}

export function flowItems(all: readonly FlowApproval[]): readonly Item[] {
  return all.map(({ approval_id, flow_id, run_id, step_id, question, requested_at }) => ({
    key: approval_id,
    kind: "inbox_flow",
    name: `${flow_id} · ${step_id}`,
    detail: question,
    since: requested_at,
    urgency: "now",
    page: { kind: "flows", name: flow_id, run: run_id },
  }));
}

export function runItems(all: readonly CodeRun[]): readonly Item[] {
  return all
    .filter(({ violations_pending }) => violations_pending > 0)
    .map(({ run_id, command, violations_pending, finished_at }) => ({
      key: String(run_id),
      kind: "inbox_violation",
      name: `#${run_id}`,
      detail: `${violations_pending} · ${command.join(" ")}`,
      since: finished_at,
      urgency: "soon",
      page: { kind: "runs", id: run_id },
    }));
}

/** Of each artifact only the newest judgement counts; reports come newest first. */
export function supplyItems(all: readonly SupplyReport[]): readonly Item[] {
  const newest = new Map<string, SupplyReport>();
  for (const report of all) if (!newest.has(report.artifact_id)) newest.set(report.artifact_id, report);
  return [...newest.values()]
    .filter(({ policy_decision }) => policy_decision === "deny")
    .map(({ scg_id, pack_id, pack_version, policy_decision, reason_code, produced_at }) => ({
      key: scg_id,
      kind: "inbox_supply",
      name: `${pack_id} ${pack_version}`,
      detail: reason_code ?? policy_decision,
      since: produced_at,
      urgency: "soon",
      page: packPage(pack_id),
    }));
}

export function controlItems(of: {
  readonly gates: readonly Gate[];
  readonly holds: readonly Hold[];
  readonly sessions: readonly Session[];
}): readonly Item[] {
  const gates = of.gates
    .filter(({ required, state }) => required && state !== "PASS")
    .map(({ gate, state, evaluated_at }): Item => ({
      key: `gate ${gate}`,
      kind: "inbox_gate",
      name: gate,
      detail: state,
      // Nobody reported it yet: its time is the beginning of the clock.
      since: Date.parse(evaluated_at) > 0 ? evaluated_at : null,
      urgency: "now",
      page: CONTROLS,
    }));
  const holds = of.holds
    .filter(({ state }) => state === "REVIEW_NEEDED")
    .map(({ hold_id, kind, scope, reason, set_at }): Item => ({
      key: hold_id,
      kind: "inbox_hold",
      name: `${kind} ${scopeText(scope)}`,
      detail: reason,
      since: set_at,
      urgency: "soon",
      page: CONTROLS,
    }));
  const sessions = of.sessions
    .filter(({ state, training }) => state === "REVIEW_PENDING" && !training)
    .map(({ session_id, holder, reason, opened_at }): Item => ({
      key: session_id,
      kind: "inbox_session",
      name: holder,
      detail: reason,
      since: opened_at,
      urgency: "soon",
      page: CONTROLS,
    }));
  return [...gates, ...holds, ...sessions];
}

/** What is urgent first, then what waits longest; what has no time last. */
export function inOrder(items: readonly Item[]): readonly Item[] {
  const rank = ({ urgency }: Item): number => (urgency === "now" ? 0 : 1);
  return items.toSorted(
    (a, b) => rank(a) - rank(b) || (a.since ?? "9").localeCompare(b.since ?? "9") || a.key.localeCompare(b.key),
  );
}
