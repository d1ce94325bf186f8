/**
 * Staged intents as the control plane keeps them: what a bot's version says of staging, and who may still decide. Pure.
 *
 * How to think: the runner's journal says what waits and what became of it; a person's word is kept here until a runner
 * took it. Both sides judge the same: here a word on what is decided, expired or of an ended run is refused before it is
 * recorded; in the runner the same word would change nothing (runtime/src/staging).
 *
 * Invariants (model.test.ts, packages/rumi/test/staging.e2e.test.ts)
 * - The first word on a staged intent counts; of two approvers that race, one is told that the other was first.
 * - Nothing of a run that is over, paused or under a newer lease can be approved.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { parseMoney, STAGING_DEFAULT, type StagingPolicy } from "@rumi/runtime";
import { Type, type Static } from "@sinclair/typebox";
import type { InstanceRow } from "../instances/tables.ts";
import { CLOSED, CommandIdField, ReasonField } from "../shared/fields.ts";
import type { StagingField } from "./field.ts";
import type { StagedRow } from "./tables.ts";

/** `undefined`: nothing is staged. */
export function stagingPolicyOf(field: Static<typeof StagingField> | undefined): StagingPolicy | undefined {
  if (field === undefined || field === false) return undefined;
  if (field === true) return STAGING_DEFAULT;
  const { expires_after_ms, max_staged, approve_up_to } = field;
  return {
    expires_after_us: expires_after_ms === undefined ? STAGING_DEFAULT.expires_after_us : expires_after_ms * 1_000,
    max_staged: max_staged ?? STAGING_DEFAULT.max_staged,
    ...(approve_up_to === undefined || parseMoney(approve_up_to) === undefined ? {} : { approve_up_to }),
  };
}

export const DecisionInput = Type.Object(
  {
    command_id: CommandIdField,
    run_id: Type.String({ minLength: 1, maxLength: 64 }),
    idempotency_key: Type.String({ pattern: "^[0-9]{1,16}$", description: "The staged intent's own key." }),
    reason: ReasonField,
  },
  CLOSED,
);

export type Decision = "approve" | "reject";

/** The row as it is once `by` has said it; or why nobody may say it any more. */
export function judgeDecision(
  asked: Pick<Static<typeof DecisionInput>, "run_id" | "idempotency_key">,
  facts: {
    readonly staged: StagedRow | undefined;
    readonly instance: InstanceRow | undefined;
    readonly decision: Decision;
    readonly now: number;
  },
): Result<StagedRow, Failure> {
  const { run_id, idempotency_key } = asked;
  const { staged, instance, decision, now } = facts;
  if (staged === undefined) return err(failure("RUMI-BOT-060", { run_id, idempotency_key }));
  if (staged.state !== "staged")
    return err(
      failure(
        "RUMI-BOT-061",
        { idempotency_key, state: staged.state, by: staged.decided_by ?? "the runtime" },
        staged.reason_code === null ? {} : { reasonCode: staged.reason_code },
      ),
    );
  if (staged.decision !== null)
    return err(failure("RUMI-BOT-061", { idempotency_key, state: staged.decision, by: staged.decided_by ?? "" }));
  if (now >= staged.expires_at)
    return err(failure("RUMI-BOT-062", { idempotency_key }, { reasonCode: "M.STAGING.EXPIRED" }));
  const life = instance !== undefined && instance.run_id === run_id ? instance : undefined;
  const isThere = life !== undefined && life.desired !== "stopped";
  const refused = (reasonCode: string): Result<never, Failure> =>
    err(failure("RUMI-BOT-063", { run_id, idempotency_key }, { reasonCode }));
  if (!isThere || (decision === "approve" && life.desired !== "running")) return refused("M.STAGING.NOT_RUNNING");
  if (decision === "approve" && life.epoch !== staged.epoch) return refused("M.STAGING.EPOCH");
  return ok(staged);
}
