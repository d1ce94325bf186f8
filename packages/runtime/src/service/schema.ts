/**
 * The part of JSON Schema in which a service's questions and answers are described. Free text cannot be said in it:
 * a string is one of listed words, or it is nothing (M-13.2).
 *
 * Known: object (closed: `properties`, `required`), array (`items`, `maxItems`), number and integer (`minimum`, `maximum`),
 * boolean, string with `enum`. Anything else is refused when the contract is read, not when an answer comes.
 */
import type { Json } from "@rumi/kernel";

export type ServiceSchema =
  | { readonly type: "number" | "integer"; readonly minimum?: number; readonly maximum?: number }
  | { readonly type: "boolean" }
  | { readonly type: "string"; readonly enum: readonly string[] }
  | { readonly type: "array"; readonly items: ServiceSchema; readonly maxItems: number }
  | {
      readonly type: "object";
      readonly properties: Readonly<Record<string, ServiceSchema>>;
      readonly required: readonly string[];
      readonly additionalProperties: false;
    };

export const SCHEMA_LIMITS = { depth: 8, words: 256, word_characters: 64, items: 1_024, properties: 128 } as const;

type Plain = Readonly<Record<string, unknown>>;
const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const KEYS: Readonly<Record<string, readonly string[]>> = {
  number: ["type", "minimum", "maximum"],
  integer: ["type", "minimum", "maximum"],
  boolean: ["type"],
  string: ["type", "enum"],
  array: ["type", "items", "maxItems"],
  object: ["type", "properties", "required", "additionalProperties"],
};

/** Empty, or what is wrong with a schema, and where. */
export function schemaProblem(schema: unknown, path = "schema", depth = 0): string {
  if (!isPlain(schema)) return `${path} is no object`;
  if (depth > SCHEMA_LIMITS.depth) return `${path} is too deep`;
  const keys = KEYS[String(schema["type"])];
  if (keys === undefined) return `${path}.type is none of ${Object.keys(KEYS).join(", ")}`;
  const unknown = Object.keys(schema).find((key) => !keys.includes(key));
  if (unknown !== undefined) return `${path}.${unknown} is not known`;
  switch (schema["type"]) {
    case "string": {
      const words = schema["enum"];
      const good =
        Array.isArray(words) &&
        words.length > 0 &&
        words.length <= SCHEMA_LIMITS.words &&
        words.every((word) => typeof word === "string" && word.length <= SCHEMA_LIMITS.word_characters);
      return good ? "" : `${path} is free text: a string lists its words in enum`;
    }
    case "array": {
      const most = schema["maxItems"];
      if (!Number.isSafeInteger(most) || Number(most) < 0 || Number(most) > SCHEMA_LIMITS.items)
        return `${path}.maxItems is missing or too large`;
      return schemaProblem(schema["items"], `${path}.items`, depth + 1);
    }
    case "object": {
      const { properties, required, additionalProperties } = schema;
      if (additionalProperties !== false) return `${path}.additionalProperties is not false`;
      if (!isPlain(properties) || Object.keys(properties).length > SCHEMA_LIMITS.properties)
        return `${path}.properties is missing or too large`;
      if (!Array.isArray(required) || !required.every((name) => Object.hasOwn(properties, String(name))))
        return `${path}.required names what is no property`;
      for (const [name, of] of Object.entries(properties)) {
        const problem = schemaProblem(of, `${path}.${name}`, depth + 1);
        if (problem !== "") return problem;
      }
      return "";
    }
    default:
      return "";
  }
}

/** Empty, or where a value is not what its schema says. No coercion. */
export function valueProblem(schema: ServiceSchema, value: Json | undefined, path: string): string {
  switch (schema.type) {
    case "boolean":
      return typeof value === "boolean" ? "" : `${path} is neither true nor false`;
    case "number":
    case "integer": {
      const whole = schema.type === "number" || Number.isSafeInteger(value);
      if (typeof value !== "number" || !Number.isFinite(value) || !whole) return `${path} is no ${schema.type}`;
      const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
      return value >= minimum && value <= maximum ? "" : `${path} is out of its range`;
    }
    case "string":
      return typeof value === "string" && schema.enum.includes(value) ? "" : `${path} is none of its words`;
    case "array": {
      if (!Array.isArray(value) || value.length > schema.maxItems) return `${path} is no list of its length`;
      for (const [index, item] of value.entries()) {
        const problem = valueProblem(schema.items, item, `${path}[${index}]`);
        if (problem !== "") return problem;
      }
      return "";
    }
    case "object": {
      if (!isPlain(value)) return `${path} is no object`;
      const unknown = Object.keys(value).find((name) => !Object.hasOwn(schema.properties, name));
      if (unknown !== undefined) return `${path}.${unknown.slice(0, 64)} is not known`;
      for (const [name, of] of Object.entries(schema.properties)) {
        if (!Object.hasOwn(value, name)) {
          if (schema.required.includes(name)) return `${path}.${name} is missing`;
          continue;
        }
        const problem = valueProblem(of, value[name], `${path}.${name}`);
        if (problem !== "") return problem;
      }
      return "";
    }
  }
}
