/** Reads the steps that call something outside their flow. Pure; see model.ts for the others. */
import { ok, type Failure, type Json, type JsonObject, type Result } from "@rumi/kernel";
import { PERMISSION_PATTERN, isBuiltinPermission } from "../../grants/permissions.ts";
import { lineOf, PRINCIPAL_PATTERN } from "../../grants/model.ts";
import { FLOW_LIMITS } from "../limits.ts";
import type { StepFile } from "../schema.ts";
import type { CallStep, Common } from "./model.ts";

export type Wrong = (field: string, problem: string) => Result<never, Failure>;
export type Reading = {
  readonly common: Common;
  readonly raw: StepFile;
  readonly input: Json;
  /** The pack that the flow came with. */
  readonly flow_pack: string | null;
  readonly wrong: Wrong;
};
type Owner = { readonly owner_pack: string; readonly principal_id: string };

const FUNCTION = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
export const SCRIPT_ENDINGS = [".js", ".mjs", ".ts"] as const;
/** Handlers of the program itself: name → operation or query that answers (the composition root carries them out). */
export const KERNEL_HANDLERS = ["lib.list_records", "lib.clear_record"] as const;

export function blockStep(reading: Reading): Result<CallStep, Failure> {
  const { common, raw, input, wrong } = reading;
  const owner = ownerIn(reading);
  if (!owner.ok) return owner;
  if (raw.file === undefined) return wrong("file", "it is missing: the Python file to call");
  if (!isInside(raw.file, [".py"])) return wrong("file", "it must be a relative path inside the pack that ends in .py");
  return ok({ ...common, ...owner.value, type: "python_file_call", input, file: raw.file, ...time(raw) });
}

export function scriptStep(reading: Reading): Result<CallStep, Failure> {
  const { common, raw, input, wrong } = reading;
  const owner = ownerIn(reading);
  if (!owner.ok) return owner;
  if (raw.runtime !== undefined) return wrong("runtime", "a step of the type script has no such field");
  if (raw.file === undefined) return wrong("file", "it is missing: the JavaScript or TypeScript file to call");
  if (!isInside(raw.file, SCRIPT_ENDINGS))
    return wrong("file", `it must be a relative path inside the pack that ends in ${SCRIPT_ENDINGS.join(", ")}`);
  return ok({ ...common, ...owner.value, type: "script", input, file: raw.file, ...time(raw) });
}

/** `input: {function, args}`. */
export function functionStep(reading: Reading): Result<CallStep, Failure> {
  const { common, raw, wrong } = reading;
  const stray = strayField(raw, ["file", "runtime"]);
  if (stray !== undefined) return wrong(stray, "a step of the type function has no such field");
  const members = membersOf(reading, ["function", "args"]);
  if (!members.ok) return members;
  const { function: name, args = null } = members.value as { readonly function?: Json; readonly args?: Json };
  if (typeof name !== "string" || !FUNCTION.test(name))
    return wrong("input.function", "it must be the name of a function of the pack's manifest, written out");
  const owner = ownerIn(reading);
  if (!owner.ok) return owner;
  return ok({ ...common, ...owner.value, type: "function", input: args, function: name, ...time(raw) });
}

/** `input: {permission_id, args}` for a capability, `input: {handler: "kernel:…", args}` for the program itself. */
export function handlerStep(reading: Reading): Result<CallStep, Failure> {
  const { common, raw, wrong, flow_pack } = reading;
  const stray = strayField(raw, ["file", "runtime"]);
  if (stray !== undefined) return wrong(stray, "a step of the type handler has no such field");
  const members = membersOf(reading, ["permission_id", "handler", "args"]);
  if (!members.ok) return members;
  const {
    permission_id,
    handler,
    args = {},
  } = members.value as { readonly permission_id?: Json; readonly handler?: Json; readonly args?: Json };
  if (!isMapping(args)) return wrong("input.args", "it must be a mapping");
  const called = { ...common, type: "handler", input: args, ...time(raw) } as const;
  if ((permission_id === undefined) === (handler === undefined))
    return wrong("input", "it must have one of permission_id and handler");
  if (handler !== undefined) {
    const kernel = KERNEL_HANDLERS.find((name) => handler === `kernel:${name}`);
    if (kernel === undefined)
      return wrong("input.handler", `it must be one of ${KERNEL_HANDLERS.map((name) => `kernel:${name}`).join(", ")}`);
    if (flow_pack !== null)
      return wrong("input.handler", "a flow that came with a pack calls no handler of the kernel");
    const owned = strayField(raw, ["owner_pack", "principal_id"]);
    if (owned !== undefined) return wrong(owned, "the kernel acts for whoever runs the flow");
    return ok({ ...called, kernel });
  }
  if (typeof permission_id !== "string" || !new RegExp(PERMISSION_PATTERN).test(permission_id))
    return wrong("input.permission_id", "it must be a permission, written out");
  // What a step gives is written down, and a secret never is.
  if (permission_id === "secrets.get" && isBuiltinPermission(permission_id))
    return wrong("input.permission_id", "a secret is asked for by a block, never by a step, whose output is kept");
  const owner = ownerIn(reading);
  return owner.ok ? ok({ ...called, ...owner.value, permission_id }) : owner;
}

/** The pack that is asked, and as whom: a pack's flow asks nobody but its own, and nobody acts as another's child. */
function ownerIn({ raw, flow_pack, wrong }: Reading): Result<Owner, Failure> {
  const owner_pack = raw.owner_pack ?? flow_pack;
  if (owner_pack === null) return wrong("owner_pack", "it is missing: the pack whose step it is");
  if (flow_pack !== null && owner_pack !== flow_pack)
    return wrong("owner_pack", `a flow of the pack ${flow_pack} calls nothing of other packs`);
  const principal_id = raw.principal_id ?? owner_pack;
  if (!new RegExp(PRINCIPAL_PATTERN).test(principal_id) || !lineOf(principal_id).includes(owner_pack))
    return wrong("principal_id", `a step acts as its own pack or as a child of it: ${owner_pack}__…`);
  return ok({ owner_pack, principal_id });
}

function membersOf({ input, wrong }: Reading, known: readonly string[]): Result<JsonObject, Failure> {
  if (!isMapping(input)) return wrong("input", `it must be {${known.join(", ")}}`);
  const stray = Object.keys(input).find((name) => !known.includes(name));
  return stray === undefined ? ok(input) : wrong("input", `it has no member ${stray}; it has ${known.join(", ")}`);
}

const isMapping = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function strayField(raw: StepFile, fields: readonly (keyof StepFile)[]): string | undefined {
  return fields.find((field) => raw[field] !== undefined);
}

function time(raw: StepFile): { readonly timeout_seconds: number } {
  return { timeout_seconds: raw.timeout_seconds ?? FLOW_LIMITS.step_timeout_seconds };
}

/** Plain names with `/` between them: nothing that leaves its folder. */
export function isInside(path: string, endings: readonly string[]): boolean {
  return (
    endings.some((ending) => path.endsWith(ending)) &&
    path.split("/").every((part) => /^[A-Za-z0-9_-][A-Za-z0-9_. -]*$/.test(part))
  );
}
