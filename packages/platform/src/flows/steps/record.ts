/** What a step that called something leaves: its audit events, and that its target is called no more where it says so. */
import type { Micros } from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import type { Store, Write } from "@rumi/store";
import type { RecordedStep } from "../tables.ts";
import { ownerOf, targetOf, type CallStep } from "./model.ts";
import { disableTarget } from "./targets.ts";

type Recorded = Pick<RecordedStep, "error" | "duration_us">;

export function stepEvents(flow_id: string, step: CallStep, one: Recorded): readonly EventDraft[] {
  const outcome = one.error === null ? "SUCCESS" : "FAILURE";
  const target = targetOf(step);
  const place = { flow_id, step_id: step.id, phase: step.phase, owner_pack: ownerOf(step) };
  const told = { ...place, duration_ms: one.duration_us / 1_000, error: one.error };
  const event: EventDraft =
    step.type === "python_file_call"
      ? {
          action: "python_file_call.executed",
          resource_type: "flow",
          resource_id: flow_id,
          outcome,
          details: { ...told, file: step.file },
        }
      : {
          action: "step.executed",
          resource_type: "flow",
          resource_id: flow_id,
          outcome,
          details: { ...told, step_type: step.type, target },
        };
  if (one.error === null || step.on_error !== "disable_target") return [event];
  const disabled: EventDraft = {
    action: "step_target.disabled",
    resource_type: "step_target",
    resource_id: target,
    outcome: "SUCCESS",
    details: { ...place, error: one.error },
  };
  return [event, disabled];
}

export function stepWrites(
  store: Store,
  flow_id: string,
  step: CallStep,
  of: { readonly error: string | null; readonly at: Micros },
): readonly Write[] {
  if (of.error === null || step.on_error !== "disable_target") return [];
  return [disableTarget(store, { target: targetOf(step), flow_id, step_id: step.id, problem: of.error, at: of.at })];
}
