/** Which of the waiting inputs may be taken now: what is due comes first, and nobody approves what would only lie about. */
import { err, failure } from "@rumi/kernel";
import type { MachineInput, Waiting } from "../instance/input.ts";
import type { InstanceStatus } from "../protocol.ts";

export function takeable(
  due: readonly MachineInput[],
  waiting: readonly Waiting[],
  { phase, isHalted }: { readonly phase: InstanceStatus["phase"]; readonly isHalted: boolean },
): readonly Waiting[] {
  const mayApprove = phase === "running" && !isHalted;
  const taken = waiting.filter(({ input, done }) => {
    if (mayApprove || input.input !== "staging" || input.action !== "approve") return true;
    const word = isHalted ? "halted" : phase;
    done(err(failure("RUMI-STR-074", { phase: word }, { reasonCode: "M.STAGING.NOT_RUNNING" })));
    return false;
  });
  return [...due.map((input) => ({ input, done: () => undefined })), ...taken];
}
