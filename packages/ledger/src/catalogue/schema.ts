/**
 * The small language in which event kinds describe their details: closed, bounded, typed, and printable
 * as JSON Schema.
 *
 * How to think: a `Field<T>` says three things at once: the TypeScript type that code must give, the check
 * made before the event is logged, and the JSON Schema that readers see. A field's check answers with the
 * first problem in words, or undefined.
 */
import { ID_PATTERNS, type Json, type JsonObject, canonicalJson, microsFromIso } from "@rumi/kernel";

export const FIELD_LIMITS = {
  text_characters: 4_096,
  list_items: 1_000,
  facts_bytes: 65_536,
  facts_depth: 16,
} as const;

export type Field<T, Presence extends "required" | "optional" = "required"> = {
  readonly presence: Presence;
  readonly check: (value: Json) => string | undefined;
  readonly schema: JsonObject;
  /** Never present; carries the type. */
  readonly type?: T;
};
export type AnyField = Field<unknown, "required" | "optional">;
export type Fields = Readonly<Record<string, AnyField>>;

type OptionalNames<F extends Fields> = { [K in keyof F]: F[K]["presence"] extends "optional" ? K : never }[keyof F];
type TypeOf<F> = F extends Field<infer T, "required" | "optional"> ? T : never;
/** The TypeScript type of an object with these fields. */
export type Described<F extends Fields> = { readonly [K in Exclude<keyof F, OptionalNames<F>>]: TypeOf<F[K]> } & {
  readonly [K in OptionalNames<F>]?: TypeOf<F[K]>;
};

const field = <T>(schema: JsonObject, check: (value: Json) => string | undefined): Field<T> => ({
  presence: "required",
  schema,
  check,
});

export function text(characters: number = FIELD_LIMITS.text_characters): Field<string> {
  return field({ type: "string", maxLength: characters }, (value) =>
    typeof value === "string" && value.length <= characters
      ? undefined
      : `must be a string of at most ${characters} characters`,
  );
}

export function matching(pattern: string): Field<string> {
  const form = new RegExp(pattern);
  return field({ type: "string", pattern }, (value) =>
    typeof value === "string" && form.test(value) ? undefined : `must match ${pattern}`,
  );
}

export const uuid: Field<string> = matching(ID_PATTERNS.uuid);
export const digest: Field<string> = matching(ID_PATTERNS.digest);
/** RFC 3339, UTC, up to six decimals. */
export const instant: Field<string> = field({ type: "string", format: "date-time" }, (value) =>
  typeof value === "string" && microsFromIso(value) !== undefined
    ? undefined
    : "must be an instant such as 2026-02-24T12:00:00.000000Z",
);
export const flag: Field<boolean> = field({ type: "boolean" }, (value) =>
  typeof value === "boolean" ? undefined : "must be true or false",
);
/** A whole number that every reader holds exactly. */
export const whole: Field<number> = field({ type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, (value) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? undefined : "must be a whole number from 0",
);
/** Any finite number, for measurements only; prices and quantities are decimal strings. */
export const measured: Field<number> = field({ type: "number" }, (value) =>
  typeof value === "number" && Number.isFinite(value) ? undefined : "must be a number",
);
export const decimal: Field<string> = matching("^-?(0|[1-9]\\d*)(\\.\\d+)?$");

export function oneOf<const Word extends string>(...words: readonly Word[]): Field<Word> {
  const known: ReadonlySet<Json> = new Set<Json>(words);
  return field({ enum: words }, (value) => (known.has(value) ? undefined : `must be one of ${words.join(", ")}`));
}

export function nullable<T>(of: Field<T>): Field<T | null> {
  return field({ anyOf: [of.schema, { type: "null" }] }, (value) => (value === null ? undefined : of.check(value)));
}

export function optional<T>(of: Field<T>): Field<T, "optional"> {
  return { ...of, presence: "optional" };
}

export function listOf<T>(of: Field<T>, items: number = FIELD_LIMITS.list_items): Field<readonly T[]> {
  return field({ type: "array", items: of.schema, maxItems: items }, (value) => {
    if (!Array.isArray(value) || value.length > items) return `must be a list of at most ${items} items`;
    for (const [i, item] of (value as readonly Json[]).entries()) {
      const problem = of.check(item);
      if (problem !== undefined) return `[${i}] ${problem}`;
    }
    return undefined;
  });
}

/** A closed object. */
export function shape<const F extends Fields>(fields: F): Field<Described<F>> {
  return field(shapeSchema(fields), (value) => checkShape(fields, value));
}

/** An object with free names and values of one kind, e.g. counts by error code. */
export function tableOf<T>(of: Field<T>, rows: number = FIELD_LIMITS.list_items): Field<Readonly<Record<string, T>>> {
  return field({ type: "object", additionalProperties: of.schema, maxProperties: rows }, (value) => {
    if (!isObject(value) || Object.keys(value).length > rows) return `must be an object of at most ${rows} members`;
    for (const [name, member] of Object.entries(value)) {
      const problem = of.check(member);
      if (problem !== undefined) return `.${name} ${problem}`;
    }
    return undefined;
  });
}

/** Free JSON facts, bounded in size and depth; for what another contract already describes. Never secrets. */
export const facts: Field<JsonObject> = field({ type: "object" }, (value) => {
  if (!isObject(value)) return "must be an object";
  if (depthOf(value, FIELD_LIMITS.facts_depth) > FIELD_LIMITS.facts_depth)
    return `must be at most ${FIELD_LIMITS.facts_depth} levels deep`;
  return Buffer.byteLength(canonicalJson(value)) <= FIELD_LIMITS.facts_bytes
    ? undefined
    : `must have at most ${FIELD_LIMITS.facts_bytes} bytes`;
});

export function checkShape(fields: Fields, value: Json): string | undefined {
  if (!isObject(value)) return "must be an object";
  for (const name in fields) {
    const expected = fields[name];
    const given = value[name];
    if (expected === undefined || (given === undefined && expected.presence === "optional")) continue;
    if (given === undefined) return `.${name} is missing`;
    const problem = expected.check(given);
    if (problem !== undefined) return `.${name} ${problem}`;
  }
  for (const name in value) if (!Object.hasOwn(fields, name)) return `.${name} is not known`;
  return undefined;
}

export function shapeSchema(fields: Fields): JsonObject {
  const entries = Object.entries(fields);
  return {
    type: "object",
    additionalProperties: false,
    required: entries.filter(([, of]) => of.presence === "required").map(([name]) => name),
    properties: Object.fromEntries(entries.map(([name, of]) => [name, of.schema])),
  };
}

function depthOf(value: Json, most: number): number {
  if (typeof value !== "object" || value === null || most < 0) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((member: Json) => depthOf(member, most - 1)));
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
