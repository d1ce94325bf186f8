/** What somebody typed for a flow's inputs as the values that it asks for, or what is wrong with each. Pure. */
import type { FlowInput } from "../../answers/flows.ts";
import type { Word } from "../../i18n.ts";

export type Typed = Readonly<Record<string, string>>;
export type Read = {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly problems: Readonly<Record<string, Word>>;
};

/** Nothing typed is nothing given: then the default holds, if there is one. */
export function readInputs(declared: Readonly<Record<string, FlowInput>>, typed: Typed): Read {
  const inputs: Record<string, unknown> = {};
  const problems: Record<string, Word> = {};
  for (const [name, input] of Object.entries(declared)) {
    const text = typed[name] ?? "";
    if (text === "") {
      if (input.required) problems[name] = "input_required";
      continue;
    }
    const value = valueOf(input.type, text);
    if (value === undefined) problems[name] = PROBLEM[input.type];
    else inputs[name] = value;
  }
  return { inputs, problems };
}

const PROBLEM: Readonly<Record<FlowInput["type"], Word>> = {
  string: "input_required",
  number: "input_number",
  integer: "input_integer",
  boolean: "input_boolean",
  object: "input_object",
  array: "input_array",
  any: "input_json",
};

function valueOf(type: FlowInput["type"], text: string): unknown {
  switch (type) {
    case "string":
      return text;
    case "number":
      return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim()) ? Number(text) : undefined;
    case "integer":
      return /^-?\d+$/.test(text.trim()) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "object":
    case "array":
    case "any":
      return fitting(type, text);
  }
}

function fitting(type: "object" | "array" | "any", text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // said beside the field
  }
  const isList = Array.isArray(value);
  if (type === "array") return isList ? value : undefined;
  if (type === "object") return typeof value === "object" && value !== null && !isList ? value : undefined;
  return value;
}
