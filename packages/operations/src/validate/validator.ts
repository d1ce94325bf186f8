/**
 * Strict validation: nothing is converted, nothing removed, nothing dropped; documented defaults are
 * filled in and echoed. Every refusal names the JSON path.
 *
 * Invariant: an input that was not exactly acceptable never reaches `decide` (validate.test.ts, refusals.test.ts).
 */
import { type Failure, ID_PATTERNS, type Result, err, failure, microsFromIso, ok } from "@rumi/kernel";
import type { TSchema } from "@sinclair/typebox";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";

export type Validator = (value: unknown) => Result<Readonly<Record<string, unknown>>, Failure>;

const ajv = new Ajv({
  strict: true,
  strictTypes: false,
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: true,
  allErrors: false,
  ownProperties: true,
  unicodeRegExp: true,
  formats: {
    uuid: new RegExp(ID_PATTERNS.uuid),
    "date-time": (text: string) => microsFromIso(text) !== undefined,
  },
});

/** By the schema's text: a process with many control planes (tests, the simulator) compiles each schema once. */
const compiled = new Map<string, ValidateFunction>();

/** Compiles once; throws for a schema that is itself wrong, which is a broken declaration. */
export function compileValidator(schema: TSchema): Validator {
  const text = JSON.stringify(schema);
  const check = compiled.get(text) ?? ajv.compile(schema as object);
  compiled.set(text, check);
  return (value) => {
    if (check(value)) return ok(value as Readonly<Record<string, unknown>>);
    return err(told(check.errors ?? []));
  };
}

/** Compiles at its first use: for who reads many declarations and validates by few. A wrong schema throws only then. */
export function validatorOnUse(schema: TSchema): Validator {
  let validate: Validator | undefined;
  return (value) => (validate ??= compileValidator(schema))(value);
}

/**
 * Of a union every branch says why not, and the union last. Told is the branch that the value was meant for: one that
 * names something inside of it, else all the values that may stand there, else all the types.
 */
function told(errors: readonly ErrorObject[]): Failure {
  const [first] = errors;
  if (first === undefined) return failure("RUMI-VAL-002", { field: "$", problem: "not acceptable" });
  const union = errors.findLast(({ keyword }) => keyword === "anyOf");
  if (union === undefined) return toFailure(first);
  const branches = errors.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/`));
  if (branches.some(({ keyword }) => keyword === "anyOf")) return told(branches);
  const isType = ({ instancePath, keyword }: ErrorObject): boolean =>
    instancePath === union.instancePath && keyword === "type";
  const meant = branches.find((error) => !isType(error) && error.keyword !== "const");
  return meant === undefined ? choice(branches.filter(isType), branches, union) : toFailure(meant);
}

function choice(wrongTypes: readonly ErrorObject[], branches: readonly ErrorObject[], union: ErrorObject): Failure {
  const choices = branches.filter(({ keyword }) => keyword === "const");
  const types = [...new Set(wrongTypes.map(({ params }) => String(paramsOf(params)["type"])))];
  const { instancePath } = choices[0] ?? union;
  const field = jsonPath(instancePath);
  // Each value of the choice was refused for its type already.
  if (choices.length === 0 || choices.length <= wrongTypes.length - (types.length - 1))
    return failure("RUMI-VAL-009", { field, expected: types.join(" or ") });
  const values = choices
    .filter((one) => one.instancePath === instancePath)
    .map(({ params }) => JSON.stringify(paramsOf(params)["allowedValue"]));
  const named = instancePath === union.instancePath ? [...values, ...types] : values;
  return failure("RUMI-VAL-002", { field, problem: `it must be ${named.join(" or ")}` });
}

const paramsOf = (params: unknown): Readonly<Record<string, unknown>> => params as Readonly<Record<string, unknown>>;

/** `/target/bot_id` → `$.target.bot_id`, `/rules/0` → `$.rules[0]`. */
function jsonPath(pointer: string, last?: string): string {
  const parts = pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (last !== undefined) parts.push(last);
  return parts.reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : `${path}.${part}`), "$");
}

function toFailure(error: ErrorObject): Failure {
  const params = error.params as Readonly<Record<string, unknown>>;
  const field = jsonPath(error.instancePath);
  switch (error.keyword) {
    case "required":
      return failure("RUMI-VAL-001", {
        field: jsonPath(error.instancePath, String(params["missingProperty"])),
      });
    case "additionalProperties":
      return failure("RUMI-VAL-008", {
        field: jsonPath(error.instancePath, String(params["additionalProperty"])),
      });
    case "type":
      return failure("RUMI-VAL-009", { field, expected: String(params["type"]) });
    case "minLength":
      if (params["limit"] === 1) return failure("RUMI-VAL-001", { field });
      return failure("RUMI-VAL-002", { field, problem: error.message ?? error.keyword });
    case "maxLength":
    case "maxItems":
    case "maxProperties":
      return failure("RUMI-VAL-012", { field, problem: error.message ?? error.keyword });
    case "enum":
      return failure("RUMI-VAL-002", {
        field,
        problem: `it must be one of ${(params["allowedValues"] as unknown[]).join(", ")}`,
      });
    case "const":
      return failure("RUMI-VAL-002", {
        field,
        problem: `it must be ${JSON.stringify(params["allowedValue"])}`,
      });
    default:
      return failure("RUMI-VAL-002", { field, problem: error.message ?? error.keyword });
  }
}
