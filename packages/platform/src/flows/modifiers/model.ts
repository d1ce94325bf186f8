/**
 * What a modifier is: its file read strictly. Pure.
 *
 * A modifier changes one flow by one step. Whatever its step says, it acts as the pack that the modifier came with, or as a
 * child of it: a claim to be another is dropped, kept for the audit log, and warned of.
 */
import { err, failure, ok, sha256Hex, type Failure, type Result } from "@rumi/kernel";
import { Value } from "@sinclair/typebox/value";
import { lineOf } from "../../grants/model.ts";
import { invalid, stepOf, type FlowOrigin } from "../model.ts";
import { MODIFIER_SCHEMA, type ModifierAction, type ModifierFile } from "../schema.ts";
import type { Step } from "../steps/model.ts";
import { readYaml } from "../yaml.ts";

export const FIRST_STEP = "__first__";
export const LAST_STEP = "__last__";

export type Modifier = {
  readonly modifier_id: string;
  readonly target_flow_id: string;
  readonly phase: string;
  readonly priority: number;
  readonly action: ModifierAction;
  /** Null for `append`. */
  readonly target_step_id: string | null;
  /** Null for `remove`. */
  readonly step: Step | null;
  readonly requires: { readonly interfaces: readonly string[]; readonly capabilities: readonly string[] };
  readonly conflicts_with: readonly string[];
  readonly compatible_with: readonly string[];
  /** Who its step said it was, where that is not who it is. */
  readonly claimed_principal: string | null;
};
export type ParsedModifier = {
  readonly modifier: Modifier;
  readonly digest: string;
  readonly warnings: readonly string[];
};
export type RefusedModifier = { readonly modifier_id: string | null; readonly failure: Failure };

const ID = /^[A-Za-z0-9_.-]{1,128}$/;

export function parseModifier(text: string, origin: FlowOrigin): Result<ParsedModifier, RefusedModifier> {
  const yaml = readYaml(text);
  if (!yaml.ok)
    return err({ modifier_id: null, failure: failure("RUMI-FLOW-008", { path: origin.path, problem: yaml.error }) });
  const { value, warnings } = yaml.value;
  const claimed = (value as { readonly modifier_id?: unknown } | null)?.modifier_id;
  const modifier_id = typeof claimed === "string" && ID.test(claimed) ? claimed : null;
  const wrong = (field: string, problem: string): Result<never, RefusedModifier> =>
    err({ modifier_id, failure: invalid(origin, field, problem) });
  const first = Value.Errors(MODIFIER_SCHEMA, value).First();
  if (first !== undefined) {
    const field = first.path === "" ? "(file)" : first.path.slice(1).replaceAll("/", ".");
    return wrong(field, first.message === "Unexpected property" ? "there is no such field" : first.message);
  }
  const file = value as ModifierFile;
  const { action } = file;
  if (action === "append" && file.target_step_id !== undefined)
    return wrong("target_step_id", "append adds to the end of the phase and has no such field");
  if (action !== "append" && file.target_step_id === undefined)
    return wrong(
      "target_step_id",
      `it is missing: the step that is meant by ${action}, or ${FIRST_STEP}, ${LAST_STEP}`,
    );
  if (action === "remove" && file.step !== undefined) return wrong("step", "remove has no such field");
  if (action !== "remove" && file.step === undefined) return wrong("step", `it is missing: what to ${action}`);
  const step = stepIn(file, origin);
  if (!step.ok) return err({ modifier_id, failure: step.error });
  const { claimed_principal } = step.value;
  const modifier: Modifier = {
    modifier_id: file.modifier_id,
    target_flow_id: file.target_flow_id,
    phase: file.phase,
    priority: file.priority ?? 100,
    action,
    target_step_id: file.target_step_id ?? null,
    step: step.value.step,
    requires: { interfaces: file.requires?.interfaces ?? [], capabilities: file.requires?.capabilities ?? [] },
    conflicts_with: file.conflicts_with ?? [],
    compatible_with: file.compatible_with ?? [],
    claimed_principal,
  };
  const told =
    claimed_principal === null
      ? []
      : [`its step says that it is ${claimed_principal}; it acts as ${origin.owner_pack ?? "its own pack"}`];
  return ok({ modifier, digest: `sha256:${sha256Hex(text)}`, warnings: [...warnings, ...told] });
}

function stepIn(
  { step: raw, phase }: ModifierFile,
  origin: FlowOrigin,
): Result<{ readonly step: Step | null; readonly claimed_principal: string | null }, Failure> {
  if (raw === undefined) return ok({ step: null, claimed_principal: null });
  if (raw.phase !== undefined && raw.phase !== phase)
    return err(invalid(origin, "step.phase", `the modifier is for the phase ${phase}`));
  const { principal_id, ...rest } = raw;
  const { owner_pack } = origin;
  const isOther = principal_id !== undefined && owner_pack !== null && !lineOf(principal_id).includes(owner_pack);
  const own = principal_id === undefined || isOther ? rest : { ...rest, principal_id };
  const step = stepOf({ ...own, phase }, { at: "step", fail_soft: true }, origin);
  return step.ok ? ok({ step: step.value, claimed_principal: isOther ? principal_id : null }) : step;
}
