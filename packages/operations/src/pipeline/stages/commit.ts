/** State, audit events, outbox and the finished key in one commit; a conflict sends it back to `load`. */
import { invariant } from "@rumi/kernel";
import type { Outcome } from "../../answer.ts";
import { auditEvent, commandDraft, PIPELINE_EVENTS } from "../../audit.ts";
import { feedOfEvents, feedOfItems } from "../../feed.ts";
import type { Decision } from "../../operation.ts";
import type { Write } from "@rumi/store";
import { enqueue } from "../../outbox.ts";
import { auditFailure } from "../audit-failure.ts";
import { settlement } from "../claim.ts";
import { confirmationEvents } from "../confirmation.ts";
import { rehearsed, withoutEffect } from "../rehearsal.ts";
import { refuse, type Run, type Stage, unlogged } from "../run.ts";
import { stillRunning } from "../still-running.ts";

export const commit: Stage = {
  name: "commit",
  run: async (run, context) => {
    const { definition } = run.operation;
    const isKnown = run.recovery_point !== null || run.unclaimed !== null;
    invariant(run.decision !== null && isKnown, "a commit without a decision or a key");
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
    const confirmed = confirmationEvents(run, PIPELINE_EVENTS.applied, { status_code: outcome.status }, newId, now);
    const made = drafts.map((draft) => auditEvent(draft, run.frame, newId(), now));
    const told = [...confirmed, ...made.filter((_, at) => at < decision.events.length && drafts[at]?.untold !== true)];
    const settled = settlement(run, outcome, now, context);
    const committed = await store.commit({
      writes: [
        ...settled.writes,
        ...fences,
        ...(run.confirmation === null ? [] : [run.confirmation.redeemed.use]),
        ...decision.writes,
        ...decision.outbox.map((item) => enqueue(store, item, now)),
        ...feedOfEvents(context, told),
        ...feedOfItems(context, decision.feed, now),
      ],
      events: [...settled.events, ...confirmed, ...made],
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
