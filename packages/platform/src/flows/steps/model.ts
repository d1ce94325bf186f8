/** The kinds of steps as a flow's file says them, read. Pure. */
import type { Json } from "@rumi/kernel";
import type { Condition } from "../expression.ts";

export type Common = {
  readonly id: string;
  readonly phase: string;
  readonly priority: number;
  readonly when: Condition | null;
  readonly output: string | null;
  readonly depends_on: readonly string[];
  /**
   * `abort` ends the run; `continue` goes on without the step's output; `disable_target` goes on too, and what the step
   * called is not called again until somebody enables it.
   */
  readonly on_error: "abort" | "continue" | "disable_target";
};
export type SetStep = Common & { readonly type: "set"; readonly input: Json };
export type IfStep = Common & {
  readonly type: "if";
  readonly condition: Condition;
  readonly then: Json;
  readonly otherwise: Json;
};
export type FlowStep = Common & { readonly type: "flow"; readonly flow_id: string; readonly inputs: Json };

type Called = Common & { readonly input: Json; readonly timeout_seconds: number };
/** Whose it is and as whom it acts: the pack itself or a child of it. */
type Owned = { readonly owner_pack: string; readonly principal_id: string };
export type BlockStep = Called & Owned & { readonly type: "python_file_call"; readonly file: string };
/** JavaScript or TypeScript. */
export type ScriptStep = Called & Owned & { readonly type: "script"; readonly file: string };
/** One of `functions` of the pack's manifest. */
export type FunctionStep = Called & Owned & { readonly type: "function"; readonly function: string };
/** What the program itself answers; only in flows that came with no pack. */
export type KernelStep = Called & { readonly type: "handler"; readonly kernel: string };
export type CapabilityStep = Called & Owned & { readonly type: "handler"; readonly permission_id: string };
/** Steps that call something outside the flow: what came of them is written down. */
export type CallStep = BlockStep | ScriptStep | FunctionStep | KernelStep | CapabilityStep;
/** Waits for a person. */
export type ApprovalStep = Common & {
  readonly type: "approval";
  readonly question: Json;
  readonly details: Json;
  readonly expires_seconds: number;
  /** Not whoever asked for the run. */
  readonly second_person: boolean;
};
export type Step = SetStep | IfStep | FlowStep | CallStep | ApprovalStep;

/** What a step leads to outside itself; null where it only computes or asks a person. */
export function calledBy(step: Step): string | null {
  if (step.type === "flow") return `flow:${step.flow_id}`;
  return step.type === "set" || step.type === "if" || step.type === "approval" ? null : targetOf(step);
}

/** What a step calls, as it is disabled and enabled. */
export function targetOf(step: CallStep): string {
  switch (step.type) {
    case "python_file_call":
    case "script":
      return `file:${step.owner_pack}:${step.file}`;
    case "function":
      return `function:${step.owner_pack}:${step.function}`;
    case "handler":
      return "kernel" in step ? `kernel:${step.kernel}` : `capability:${step.principal_id}:${step.permission_id}`;
  }
}

export function ownerOf(step: Step): string | null {
  return "owner_pack" in step ? step.owner_pack : null;
}
