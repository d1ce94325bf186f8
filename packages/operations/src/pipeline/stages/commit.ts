/** State, audit events, outbox and the finished key in one commit; a conflict sends it back to `load`. */
import { invariant } from "@rumi/kernel";
import { type Outcome, encodeOutcome } from "../../answer.ts";
import { auditEvent, commandDraft, PIPELINE_EVENTS } from "../../audit.ts";
import { feedOfEvents, feedOfItems } from "../../feed.ts";
import type { Decision } from "../../operation.ts";
import { finishKey, type Write } from "@rumi/store";
import { enqueue } from "../../outbox.ts";
import { auditFailure } from "../audit-failure.ts";
import { confirmationEvents } from "../confirmation.ts";
import { rehearsed, withoutEffect } from "../rehearsal.ts";
import { refuse, type Run, type Stage, unlogged } from "../run.ts";
import { stillRunning } from "../still-running.ts";

export const commit: Stage = {
  name: "commit",
  run: async (run, context) => {
    const {
      recovery_point,
      operation: { definition },
    } = run;
    invariant(run.decision !== null && recovery_point !== null, "a commit without a decision or a claimed key");
    const { decision, fences } = kept(run, run.decision);
    const { store, newId } = context;
    const now = context.now();
    const outcome: Outcome = rehearsed(run, { kind: "done", status: decision.status ?? 200, data: decision.data });
    const applied = commandDraft(PIPELINE_EVENTS.applied, run.target, "SUCCESS", {
      operation: definition.name,
      status_code: outcome.status,
      ...(run.training === null ? {} : { session_id: run.training }),
    });
    const drafts = [...decision.events, applied];
    const first = await decision.durable_first?.();
    if (first?.ok === false) return refuse(first.error);
    const events = [
      ...confirmationEvents(run, PIPELINE_EVENTS.applied, { status_code: outcome.status }, newId, now),
      ...drafts.map((draft) => auditEvent(draft, run.frame, newId(), now)),
    ];
    const committed = await store.commit({
      writes: [
        finishKey(
          store,
          run.command_id,
          recovery_point,
          outcome.status,
          encodeOutcome(context.scrubber.value(outcome)),
          now,
        ),
        ...fences,
        ...(run.confirmation === null ? [] : [run.confirmation.redeemed.use]),
        ...decision.writes,
        ...decision.outbox.map((item) => enqueue(store, item, now)),
        ...feedOfEvents(context, events.slice(0, -1)),
        ...feedOfItems(context, decision.feed, now),
      ],
      events,
    });
    if (committed.ok) {
      const data = decision.once === undefined ? outcome.data : { ...(outcome.data as object), ...decision.once };
      return {
        kind: "answer",
        answer: { ...outcome, data, command_id: run.command_id, duplicate_suppressed: false },
      };
    }
    if (committed.error.kind === "failed") return unlogged(run, auditFailure(committed.error.failure, definition.name));
    // The key's own row is first: if it moved, somebody else carries this command out.
    if (committed.error.write_index === 0) return stillRunning(run.command_id);
    return { kind: "again" };
  },
};

/** In training nothing of it is kept, and no secret is shown, but of what touches only rehearsals (rehearsal.ts). */
function kept(run: Run, decision: Decision): { readonly decision: Decision; readonly fences: readonly Write[] } {
  const isRehearsed = run.training !== null && run.operation.definition.rehearsal === undefined;
  return isRehearsed ? { decision: withoutEffect(decision), fences: [] } : { decision, fences: run.fences };
}
