/**
 * Strict validation: nothing is converted, nothing removed, nothing dropped; documented defaults are
 * filled in and echoed. Every refusal names the JSON path.
 *
 * Invariant: an input that was not exactly acceptable never reaches `decide` (validator.test.ts).
 */
import { type Failure, ID_PATTERNS, type Result, err, failure, microsFromIso, ok } from "@rumi/kernel";
import type { TSchema } from "@sinclair/typebox";
import { Ajv, type ErrorObject } from "ajv";

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

/** Compiles once; throws for a schema that is itself wrong, which is a broken declaration. */
export function compileValidator(schema: TSchema): Validator {
  const check = ajv.compile(schema as object);
  return (value) => {
    if (check(value)) return ok(value as Readonly<Record<string, unknown>>);
    const [first] = check.errors ?? [];
    return err(
      first === undefined ? failure("RUMI-VAL-002", { field: "$", problem: "not acceptable" }) : toFailure(first),
    );
  };
}

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
