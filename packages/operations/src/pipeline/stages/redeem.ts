/**
 * A confirmation becomes the command that it confirms: the one that was stored, never one that is sent again.
 *
 * How to think: from here on every guard, the decision and the commit see the stored command, as they would have
 * seen it without a challenge; only the key stays the confirmation's own. Who confirms is asked for the permission
 * again, because roles may have changed since.
 *
 * Invariant: one commit uses the challenge up and holds the effect, so it acts once or not
 * (packages/control/src/challenges/challenges.test.ts).
 */
import { failure } from "@rumi/kernel";
import type { Redeemed } from "../../guards.ts";
import type { RegisteredOperation } from "../../registry.ts";
import { type PipelineContext, type Run, type Stage, type StageEnd, type Subject, refuse } from "../run.ts";
import { authorise } from "./authorise.ts";

export const redeem: Stage = {
  name: "redeem",
  run: (run, context) => {
    const own = run.confirmation?.own ?? run;
    return own.operation.definition.redeems === true ? redeemed(run, subjectOf(own), context) : undefined;
  },
};

async function redeemed(run: Run, own: Subject, context: PipelineContext): Promise<StageEnd | undefined> {
  Object.assign(run, own, { confirmation: null }); // another attempt begins from the confirmation again
  const { challenge, changes } = context.guards;
  const port = own.input["change_id"] === undefined ? challenge : changes;
  if (port === null) return refuse(switchedOff(own.operation));
  const found = await port.redeem(run.reader, {
    principal: run.principal,
    input: own.input,
    now: context.now(),
    training: run.training !== null,
  });
  if (!found.ok) return refuse(found.error);
  const operation = context.registry.operations.get(found.value.command.operation);
  // A newer program may want another form; an older request is never bent into it.
  if (operation === undefined || !operation.validate(structuredClone(found.value.command.input)).ok)
    return refuse(
      failure("RUMI-CMD-012", { command_id: found.value.command.command_id }, { reasonCode: "INTERRUPTED" }),
    );
  become(run, own, operation, found.value);
  return authorise.run(run, context);
}

function become(run: Run, own: Subject, operation: RegisteredOperation, redeemed: Redeemed): void {
  const { input, command_id, trace_id, run_id, fingerprint } = redeemed.command;
  const text = (name: string): string | null => (typeof input[name] === "string" ? input[name] : null);
  run.confirmation = { own, redeemed };
  run.operation = operation;
  run.input = input;
  run.target = operation.definition.target(input);
  run.frame = {
    actor: run.principal.id,
    reason: text("reason"),
    approval_id: redeemed.approval_id,
    expires_at: text("expires_at"),
    trace_id,
    run_id,
    request_id: command_id,
    fingerprint,
    ...(run.training === null ? {} : { training: true }),
  };
}

function subjectOf({ operation, input, frame, target }: Subject): Subject {
  return { operation, input, frame, target };
}

export function switchedOff({ definition }: RegisteredOperation): ReturnType<typeof failure> {
  return failure("RUMI-CMD-003", { operation: definition.name }, { reasonCode: "DANGEROUS_OPS_DISABLED" });
}
