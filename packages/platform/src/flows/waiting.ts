/**
 * Runs that wait for a person: how one begins to wait, what time does to what was asked, and how it goes on.
 *
 * Invariants (approvals.test.ts): a run that waits holds no place; its question and its waiting are one commit, and so are
 * the decision and what the step gave; of two who decide, one does; a run goes on once, and only where there is room.
 */
import { isoFromMicros, micros, uuidv7, type Json, type Micros } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import type { Logger } from "@rumi/operations";
import type { Store, Write } from "@rumi/store";
import {
  approvalOfRun,
  decideApproval,
  lateApprovals,
  openApproval,
  waitRun,
  wakeableIds,
  wakeRun,
  type Approval,
} from "./approvals.ts";
import { eventOf, type EventWorld } from "./events.ts";
import { FLOW_LIMITS } from "./limits.ts";
import type { ApprovalStep } from "./model.ts";
import { inTurn, readRun, recordStep, type AskedRun } from "./tables.ts";

export type WaitingDeps = EventWorld & {
  readonly store: Store;
  readonly logger: Logger;
  /** Runs at once. */
  readonly max_concurrent: number;
};
export type Question = {
  readonly step: ApprovalStep;
  readonly path: string;
  readonly question: string;
  readonly details: Json;
};
type Before = { readonly writes: readonly Write[]; readonly events: readonly LedgerEvent[] };

/** Asks and waits, in one commit with what the run did before; a text says why that cannot be. */
export async function ask(
  run: AskedRun,
  { step, path, question, details }: Question,
  before: Before,
  deps: WaitingDeps,
): Promise<string | null> {
  const { store, clock, random } = deps;
  const text = JSON.stringify(details);
  if (Buffer.byteLength(text) > FLOW_LIMITS.approval_bytes)
    return `its details are larger than ${FLOW_LIMITS.approval_bytes} bytes`;
  if (question.length > FLOW_LIMITS.approval_question_characters)
    return `its question is longer than ${FLOW_LIMITS.approval_question_characters} characters`;
  const at = clock.now();
  const expires_at = micros(at + step.expires_seconds * 1_000_000);
  const approval_id = uuidv7(at, random);
  const open = openApproval(store, {
    approval_id,
    run_id: run.run_id,
    path,
    flow_id: run.flow_id,
    step_id: step.id,
    phase: step.phase,
    question,
    details: text,
    second_person: step.second_person ? 1 : 0,
    asked_by: run.actor,
    requested_at: at,
    expires_at,
  });
  const event = eventOf(
    run,
    { ...deps, actor: run.actor },
    {
      action: "flow.approval.requested",
      resource_type: "flow",
      resource_id: run.flow_id,
      outcome: "SUCCESS",
      details: {
        ...placeOf(run.flow_id, step),
        flow_approval_id: approval_id,
        decide_until: isoFromMicros(expires_at),
      },
    },
  );
  const first = [...before.writes, ...inTurn(store, "approvals")];
  const committed = await store.commit({
    writes: [...first, open, waitRun(store, run.run_id, at)],
    events: [...before.events, event],
  });
  if (committed.ok) return null;
  if (committed.error.kind === "conflict" && committed.error.write_index === first.length)
    return `${FLOW_LIMITS.open_approvals} approvals are open already`;
  throw new Error(`what run ${run.run_id} asks could not be written: ${committed.error.kind}`);
}

/** What nobody decided in time has failed, and its run goes on with that. */
export async function expireApprovals(deps: WaitingDeps): Promise<void> {
  const { store, clock, logger } = deps;
  for (const late of await lateApprovals(store, store, clock.now())) {
    const run = await readRun(store, store, late.run_id);
    if (run === undefined) continue;
    const at = clock.now();
    const seconds = Math.round((late.expires_at - late.requested_at) / 1_000_000);
    const error = `nobody decided it within ${seconds} s`;
    const verdict = { state: "expired", decided_by: "system:flows", decided_at: at, reason: null } as const;
    const step = { path: late.path, output: null, error, duration_us: at - late.requested_at };
    const details = {
      ...placeOf(late.flow_id, { id: late.step_id, phase: late.phase }),
      flow_approval_id: late.approval_id,
    };
    const event = eventOf(
      run,
      { ...deps, actor: "system:flows" },
      {
        action: "flow.approval.expired",
        resource_type: "flow",
        resource_id: run.flow_id,
        outcome: "FAILURE",
        details,
      },
    );
    const committed = await store.commit({
      writes: [decideApproval(store, late.approval_id, verdict), recordStep(store, late.run_id, step, at)],
      events: [event],
    });
    // A conflict: somebody decided it at the last moment.
    if (!committed.ok && committed.error.kind === "failed")
      logger.warning("an approval that is late could not be ended", { approval_id: late.approval_id });
  }
}

/** Those that wait for nobody any more are runs like any other, as far as there is room; whoever is left goes on later. */
export async function wakeRuns({ store, clock, max_concurrent }: WaitingDeps): Promise<void> {
  for (const run_id of await wakeableIds(store, store)) {
    const writes = [...inTurn(store, "runs"), wakeRun(store, run_id, clock.now(), max_concurrent)];
    const woken = await store.commit({ writes, events: [] });
    if (!woken.ok) return;
  }
}

export const placeOf = (flow_id: string, { id, phase }: { readonly id: string; readonly phase: string }) => ({
  flow_id,
  step_id: id,
  phase,
});

export type ApprovalView = {
  readonly approval_id: string;
  readonly run_id: string;
  readonly flow_id: string;
  readonly step_id: string;
  readonly question: string;
  readonly details: Json;
  readonly second_person: boolean;
  readonly state: Approval["state"];
  readonly asked_by: string;
  readonly requested_at: string;
  readonly expires_at: string;
  readonly decided_by: string | null;
  readonly decided_at: string | null;
  readonly reason: string | null;
};

export function approvalView(of: Approval): ApprovalView {
  const at = (moment: number): string => isoFromMicros(moment as Micros);
  const { approval_id, run_id, flow_id, step_id, question, details, second_person, state, asked_by } = of;
  return {
    approval_id,
    run_id,
    flow_id,
    step_id,
    question,
    details,
    second_person,
    state,
    asked_by,
    requested_at: at(of.requested_at),
    expires_at: at(of.expires_at),
    decided_by: of.decided_by,
    decided_at: of.decided_at === null ? null : at(of.decided_at),
    reason: of.reason,
  };
}

/** What a run waits for. */
export async function waitsFor(store: Store, run_id: string): Promise<ApprovalView> {
  const found = await approvalOfRun(store, store, run_id);
  if (found === undefined) throw new Error(`run ${run_id} waits for nothing`);
  return approvalView(found);
}
