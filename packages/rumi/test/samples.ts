/** A valid input of any declared operation, made from its schema alone: the least that it takes. */
import type { TSchema } from "@sinclair/typebox";

/** Strings to try where a schema wants a form; the first that fits is taken. */
const WORDS: readonly string[] = [
  "sample",
  "01900000-0000-7000-8000-000000000001",
  "user:01900000-0000-7000-8000-000000000001",
  "SIM",
  "XRPETH.SIM",
  `sha256:${"0".repeat(64)}`,
  "0".repeat(64),
  "1.0.0",
  "1",
  "/nowhere/at/all",
  "nobody=here",
  "bots.create",
  "http://127.0.0.1:9",
  "2026-02-24T12:00:00.000000Z",
  "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBEqvjDivn+R9nbIBx/KzZjQx7hnd\ngm9U4IQg+UTmhJWQTVs7nFMFtCBNJvRIv5WL2pmwCIZiC3PNjOi5OTTWoA==\n-----END PUBLIC KEY-----\n",
];

export function sampleOf(schema: TSchema): unknown {
  if (schema["const"] !== undefined) return schema["const"] as unknown;
  if (schema["default"] !== undefined) return schema["default"] as unknown;
  const choices = (schema["anyOf"] ?? schema["oneOf"] ?? schema["allOf"]) as readonly TSchema[] | undefined;
  if (choices?.[0] !== undefined) return sampleOf(choices[0]);
  const listed = schema["enum"] as readonly unknown[] | undefined;
  if (listed !== undefined) return listed[0];
  switch (schema["type"] as unknown) {
    case "object": {
      const properties = (schema["properties"] ?? {}) as Readonly<Record<string, TSchema>>;
      const required = (schema["required"] ?? []) as readonly string[];
      const optional = Object.keys(properties).filter((name) => !required.includes(name));
      // Of what may be chosen the last: a scope that is about nobody, rather than one that is about all.
      const wanted = Math.max(0, Number(schema["minProperties"] ?? 0) - required.length);
      const more = optional.slice(optional.length - wanted);
      return Object.fromEntries(
        [...required, ...more].map((name) => [
          name,
          sampleOf(properties[name] ?? ({ type: "string" } as unknown as TSchema)),
        ]),
      );
    }
    case "array":
      return Array.from({ length: Number(schema["minItems"] ?? 0) }, () => sampleOf(schema["items"] as TSchema));
    case "integer":
    case "number":
      return Math.max(Number(schema["minimum"] ?? 1), 1);
    case "boolean":
      return true;
    case "string":
      return wordFor(schema);
    default:
      return {};
  }
}

function wordFor(schema: TSchema): string {
  const form = schema["pattern"] === undefined ? undefined : new RegExp(String(schema["pattern"]), "u");
  const [least, most] = [Number(schema["minLength"] ?? 0), Number(schema["maxLength"] ?? Infinity)];
  const fits = (word: string): boolean =>
    (form === undefined || form.test(word)) && word.length >= least && word.length <= most;
  const isUuid = schema["format"] === "uuid";
  const found = WORDS.find((word) => fits(word) && (!isUuid || word.length === 36));
  if (found === undefined) throw new Error(`no sample word has the form ${JSON.stringify(schema)}`);
  return found;
}
