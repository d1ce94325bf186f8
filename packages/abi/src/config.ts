/**
 * A strategy's configuration against its schema: type, range, unit, required, default (M-2.1.4).
 *
 * A value is plain, or `{"value": …, "unit": "ms"}` where the unit must be the schema's. Decimals are strings and
 * are compared exactly. The result holds every field, defaults included, in the schema's order, units stripped.
 */
import { err, type Failure, failure, type Json, type JsonObject, ok, parseDecimal, type Result } from "@rumi/kernel";
import type { ConfigField } from "./descriptor.ts";
import { boolean, closed, isPlainObject, listOf, type Offence, oneOf, text } from "./rules.ts";

export const CONFIG_STRING_CHARACTERS = 1_024;

type Problem = { readonly reason: "TYPE" | "RANGE" | "UNIT" | "REQUIRED" | "UNKNOWN"; readonly problem: string };

const bound = (value: unknown, path: string): Offence | undefined =>
  typeof value === "number"
    ? Number.isSafeInteger(value)
      ? undefined
      : { path, kind: "malformed", problem: "must be a whole number or a decimal string" }
    : decimal(value) === undefined
      ? { path, kind: "malformed", problem: "must be a whole number or a decimal string" }
      : undefined;

const shape = closed(
  {
    type: oneOf("integer", "decimal", "string", "boolean", "enum"),
    description: text("^[^\\u0000-\\u001f]{0,512}$", "must be one line of at most 512 characters"),
    minimum: bound,
    maximum: bound,
    unit: text("^[A-Za-z0-9_%/.-]{1,32}$", "must be a short word"),
    values: listOf(text("^[A-Za-z0-9_.-]{1,64}$", "must be a short word"), 1, 64),
    required: boolean,
    default: (value, path) =>
      ["string", "number", "boolean"].includes(typeof value)
        ? undefined
        : { path, kind: "malformed", problem: "must be a string, number or boolean" },
    secret: boolean,
  },
  ["description", "minimum", "maximum", "unit", "values", "default", "secret"],
);

/** A rule for one entry of `config_schema`; also refuses bounds, values or a default that contradict the type. */
export function checkConfigField(value: unknown, path: string): Offence | undefined {
  const offence = shape(value, path);
  if (offence !== undefined) return offence;
  const field = value as ConfigField;
  const wrong = (name: string, problem: string): Offence => ({ path: `${path}.${name}`, kind: "malformed", problem });
  const numeric = field.type === "integer" || field.type === "decimal";
  if (field.minimum !== undefined && !numeric) return wrong("minimum", "belongs to integer and decimal only");
  if (field.maximum !== undefined && !numeric) return wrong("maximum", "belongs to integer and decimal only");
  if (field.unit !== undefined && !numeric) return wrong("unit", "belongs to integer and decimal only");
  if (field.type === "enum" && field.values === undefined)
    return { path: `${path}.values`, kind: "missing", problem: "is missing" };
  if (field.type !== "enum" && field.values !== undefined) return wrong("values", "belongs to enum only");
  const [low, high] = [decimal(field.minimum), decimal(field.maximum)];
  if (low !== undefined && high !== undefined && low > high) return wrong("minimum", "is above maximum");
  if (field.default !== undefined) {
    if (field.secret === true) return wrong("default", "a secret has no default");
    const problem = checkValue(field, field.default);
    if (problem !== undefined) return wrong("default", problem.problem);
  }
  return undefined;
}

/** RUMI-STR-002 with the field's path and M.CONFIG.TYPE | RANGE | UNIT | REQUIRED | UNKNOWN. */
export function validateConfig(
  schema: Readonly<Record<string, ConfigField>>,
  config: Json,
): Result<JsonObject, Failure> {
  if (!isPlainObject(config)) return refuse("config", { reason: "TYPE", problem: "must be an object" });
  const unknown = Object.keys(config).find((name) => !Object.hasOwn(schema, name));
  if (unknown !== undefined)
    return refuse(`config.${unknown}`, { reason: "UNKNOWN", problem: "is not a field of this strategy" });
  const entries: [string, Json][] = [];
  for (const [name, field] of Object.entries(schema)) {
    const path = `config.${name}`;
    if (!Object.hasOwn(config, name)) {
      if (field.default !== undefined) entries.push([name, field.default]);
      else if (field.required) return refuse(path, { reason: "REQUIRED", problem: "is required and missing" });
      continue;
    }
    let value = config[name];
    if (isPlainObject(value)) {
      const extra = Object.keys(value).find((key) => key !== "value" && key !== "unit");
      if (extra !== undefined)
        return refuse(`${path}.${extra}`, { reason: "UNKNOWN", problem: "is not known beside value and unit" });
      if (!Object.hasOwn(value, "value"))
        return refuse(`${path}.value`, { reason: "REQUIRED", problem: "is required and missing" });
      if (value["unit"] !== field.unit || field.unit === undefined) {
        return refuse(`${path}.unit`, {
          reason: "UNIT",
          problem: field.unit === undefined ? "has no unit" : `must be in ${field.unit}`,
        });
      }
      value = value["value"];
    }
    const problem = checkValue(field, value);
    if (problem !== undefined) return refuse(path, problem);
    entries.push([name, value as Json]);
  }
  return ok(Object.fromEntries(entries));
}

function refuse(path: string, { reason, problem }: Problem): Result<JsonObject, Failure> {
  return err(failure("RUMI-STR-002", { path, problem }, { reasonCode: `M.CONFIG.${reason}`, details: { path } }));
}

function checkValue(field: ConfigField, value: unknown): Problem | undefined {
  switch (field.type) {
    case "integer":
      return Number.isSafeInteger(value)
        ? inRange(field, value)
        : { reason: "TYPE", problem: "must be a whole number" };
    case "decimal":
      return typeof value === "string" && decimal(value) !== undefined
        ? inRange(field, value)
        : { reason: "TYPE", problem: 'must be a decimal string such as "12.5"' };
    case "boolean":
      return typeof value === "boolean" ? undefined : { reason: "TYPE", problem: "must be true or false" };
    case "enum":
      if (typeof value !== "string") return { reason: "TYPE", problem: "must be a word" };
      return field.values?.includes(value) === true
        ? undefined
        : { reason: "RANGE", problem: `must be one of ${field.values?.join(", ") ?? ""}` };
    case "string":
      if (typeof value !== "string" || !value.isWellFormed()) return { reason: "TYPE", problem: "must be text" };
      return value.length <= CONFIG_STRING_CHARACTERS
        ? undefined
        : { reason: "RANGE", problem: `must have at most ${CONFIG_STRING_CHARACTERS} characters` };
  }
}

function inRange(field: ConfigField, value: unknown): Problem | undefined {
  const exact = decimal(value);
  const { low, high } = boundsOf(field);
  if (exact === undefined) return { reason: "TYPE", problem: "must be a number" };
  if (low !== undefined && exact < low)
    return { reason: "RANGE", problem: `must be at least ${String(field.minimum)}` };
  if (high !== undefined && exact > high)
    return { reason: "RANGE", problem: `must be at most ${String(field.maximum)}` };
  return undefined;
}

type Bounds = { readonly low: bigint | undefined; readonly high: bigint | undefined };
const bounds = new WeakMap<ConfigField, Bounds>();

/** Read once for each field of a schema: every command with a configuration is held against them. */
function boundsOf(field: ConfigField): Bounds {
  const known = bounds.get(field);
  if (known !== undefined) return known;
  const read = { low: decimal(field.minimum), high: decimal(field.maximum) };
  bounds.set(field, read);
  return read;
}

const SCALE = 10n ** 15n;

/** Exact value scaled by 10^15. A decimal must also fit |n| < 2^53 at its own digits, as everywhere (kernel's parseDecimal). */
function decimal(value: unknown): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) * SCALE : undefined;
  if (typeof value !== "string") return undefined;
  const match = /^(-?)(\d{1,16})(?:\.(\d{1,15}))?$/.exec(value);
  if (match === null || parseDecimal(value, match[3]?.length ?? 0) === undefined) return undefined;
  const magnitude = BigInt(`${match[2]}${(match[3] ?? "").padEnd(15, "0")}`);
  return match[1] === "-" ? -magnitude : magnitude;
}
