/**
 * Joins path parameters, query string and body into the one object that a schema judges.
 *
 * A query string has no types; a value is read as a number or boolean only where the schema says so and
 * only in its exact decimal form. That is decoding, not conversion: a JSON body is never decoded so.
 */
import { type Failure, type Result, err, failure, ok } from "@rumi/kernel";
import type { TObject } from "@sinclair/typebox";

export type RawInput = {
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** The parsed body; `undefined` where there was none. */
  readonly body: unknown;
};

export const NO_INPUT: RawInput = { params: {}, query: {}, body: undefined };

/** Body and path of a state change; a query string there is refused, as nothing would read it. */
export function commandInput(raw: RawInput, schema: TObject): Result<Record<string, unknown>, Failure> {
  const [stray] = Object.keys(raw.query);
  if (stray !== undefined) return err(failure("RUMI-VAL-008", { field: `?${stray}` }));
  const body = raw.body ?? {};
  if (typeof body !== "object" || Array.isArray(body))
    return err(failure("RUMI-VAL-009", { field: "$", expected: "object" }));
  if (Object.hasOwn(body, "__proto__"))
    return err(failure("RUMI-VAL-002", { field: "$", problem: "the key __proto__ is not allowed" }));
  return withParams(copied(body) as Record<string, unknown>, raw.params, schema);
}

/** A copy for the validator to fill defaults into; of parsed JSON, so it has objects, lists and plain values only. */
function copied(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === "__proto__")
      Object.defineProperty(copy, name, {
        value: copied(member),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else copy[name] = copied(member);
  }
  return copy;
}

/** Path and query string of a read; a body there is refused. */
export function queryInput(raw: RawInput, schema: TObject): Result<Record<string, unknown>, Failure> {
  if (raw.body !== undefined) return err(failure("RUMI-VAL-008", { field: "$" }));
  const input = queryFields(raw.query, schema);
  return input.ok ? withParams(input.value, raw.params, schema) : input;
}

/** The one field of an upload that no caller sends: what was received of its body. */
export const RECEIVED = "received";

/** What a command reads as its body where the body was a file: the query string, joined by what was received. */
export function uploadInput(
  raw: Pick<RawInput, "params" | "query">,
  schema: TObject,
): Result<(received: Readonly<Record<string, unknown>>) => RawInput, Failure> {
  if (Object.hasOwn(raw.query, RECEIVED)) return err(failure("RUMI-VAL-008", { field: `?${RECEIVED}` }));
  const fields = queryFields(raw.query, schema);
  if (!fields.ok) return fields;
  return ok((received) => ({ params: raw.params, query: {}, body: { ...fields.value, [RECEIVED]: received } }));
}

function queryFields(query: RawInput["query"], schema: TObject): Result<Record<string, unknown>, Failure> {
  const input: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(query)) {
    const decoded = decode(value, schema.properties[name]);
    if (name === "__proto__") return err(failure("RUMI-VAL-008", { field: "?__proto__" }));
    input[name] = decoded;
  }
  return ok(input);
}

function withParams(
  input: Record<string, unknown>,
  params: RawInput["params"],
  schema: TObject,
): Result<Record<string, unknown>, Failure> {
  for (const [name, text] of Object.entries(params)) {
    const value = decode(text, schema.properties[name]);
    if (Object.hasOwn(input, name) && input[name] !== value) {
      return err(failure("RUMI-VAL-002", { field: `$.${name}`, problem: "it differs from the path" }));
    }
    input[name] = value;
  }
  return ok(input);
}

function decode(value: string | readonly string[], schema: unknown): unknown {
  const type = (schema as { readonly type?: unknown } | undefined)?.type;
  if (typeof value !== "string")
    return type === "array" ? value.map((item) => decode(item, (schema as { items?: unknown }).items)) : value;
  switch (type) {
    case "integer":
      return /^-?(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
    case "number":
      return /^-?(0|[1-9]\d{0,15})(\.\d{1,15})?$/.test(value) ? Number(value) : value;
    case "boolean":
      return value === "true" ? true : value === "false" ? false : value;
    case "array":
      return [decode(value, (schema as { items?: unknown }).items)];
    default:
      return value;
  }
}
