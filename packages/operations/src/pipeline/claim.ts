/**
 * When a command's key becomes durable: before anything of it is judged, or together with its outcome.
 *
 * How to think: the first is for whatever may have an effect outside the store, so that a cut leaves a row from which it is
 * gone on with. Where the one commit is the whole effect (`claimed: "with_outcome"`), a cut before it leaves nothing at all,
 * and one behind it leaves everything: the row would only have cost a commit of its own.
 *
 * Invariant (with-outcome.test.ts): both leave the same rows and the same events, and act once.
 */
import type { LedgerEvent } from "@rumi/ledger";
import type { Micros } from "@rumi/kernel";
import { claimFinished, claimKey, finishKey, type NewOperationKey, type Store, type Write } from "@rumi/store";
import { encodeOutcome, type Outcome } from "../answer.ts";
import type { StoredRequest } from "../stored-request.ts";
import type { PipelineContext, Run, Unclaimed } from "./run.ts";

/** The key's row and the event that it was asked for, durable before anything else. */
export async function claimNow(
  run: Run,
  { requested, at }: Unclaimed,
  context: PipelineContext,
): ReturnType<Store["commit"]> {
  const recovery_point = JSON.stringify(storedRequest(run, context));
  const committed = await context.store.commit({
    writes: [claimKey(context.store, keyOf(run), recovery_point, at)],
    events: [requested],
  });
  if (committed.ok) {
    run.recovery_point = recovery_point;
    run.unclaimed = null;
  }
  return committed;
}

export type Settlement = { readonly writes: readonly Write[]; readonly events: readonly LedgerEvent[] };
const NOTHING: Settlement = { writes: [], events: [] };

/** What makes an answer final: the key's own write comes first in its batch. Nothing where no key was ever claimed. */
export function settlement(run: Run, outcome: Outcome, now: Micros, context: PipelineContext): Settlement {
  const { command_id, recovery_point, unclaimed } = run;
  if (recovery_point === null && unclaimed === null) return NOTHING;
  const answer = encodeOutcome(context.scrubber.value(outcome));
  if (recovery_point !== null)
    return {
      writes: [finishKey(context.store, command_id, recovery_point, outcome.status, answer, now)],
      events: [],
    };
  if (unclaimed === null) return NOTHING;
  const row = { ...keyOf(run), created_at: unclaimed.at };
  return {
    writes: [claimFinished(context.store, row, outcome.status, answer, now)],
    events: [unclaimed.requested],
  };
}

function keyOf({ command_id, operation, fingerprint, principal, frame }: Run): NewOperationKey {
  return {
    key: command_id,
    operation: operation.definition.name,
    fingerprint,
    actor: principal.id,
    trace_id: frame.trace_id,
  };
}

function storedRequest(
  { operation: { definition }, principal, input, frame, training }: Run,
  { owner, scrubber }: PipelineContext,
): StoredRequest {
  const secret = definition.secret_fields ?? [];
  // What holds a stored secret elsewhere is not kept either.
  const kept = Object.entries(input).filter(
    ([name, value]) => !secret.includes(name) && scrubber.value(value) === value,
  );
  return {
    version: 1,
    owner,
    attempts: 1,
    principal,
    input: Object.fromEntries(kept),
    withheld: kept.length < Object.keys(input).length,
    run_id: frame.run_id,
    ...(training === null ? {} : { training }),
  };
}
