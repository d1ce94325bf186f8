import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { Type } from "@sinclair/typebox";
import { PIPELINE_LIMITS } from "../limits.ts";
import { parseStrictJson } from "./strict-json.ts";
import { compileValidator } from "./validator.ts";

const code = (text: string): string => {
  const parsed = parseStrictJson(text);
  return parsed.ok ? "ok" : parsed.error.code;
};

describe("strict JSON", () => {
  const rows: readonly (readonly [string, string])[] = [
    ['{"a":1,"b":{"a":2}}', "ok"],
    ['{"a":"{\\"a\\":1,\\"a\\":2}"}', "ok"],
    ['["a","a"]', "ok"],
    ['{"a":["a","a"],"b":1}', "ok"],
    ["", "RUMI-VAL-010"],
    ["{", "RUMI-VAL-010"],
    ["{'a':1}", "RUMI-VAL-010"],
    ['{"a":1,"a":2}', "RUMI-VAL-002"],
    ['{"x":[{"a":1,"\\u0061":2}]}', "RUMI-VAL-002"],
    ['{"__proto__":1}', "RUMI-VAL-002"],
    ['{"\\u005f_proto__":1}', "RUMI-VAL-002"],
    [`${"[".repeat(PIPELINE_LIMITS.json_depth)}${"]".repeat(PIPELINE_LIMITS.json_depth)}`, "ok"],
    [`${"[".repeat(PIPELINE_LIMITS.json_depth + 1)}${"]".repeat(PIPELINE_LIMITS.json_depth + 1)}`, "RUMI-VAL-012"],
    [`[${"1,".repeat(PIPELINE_LIMITS.json_nodes)}1]`, "ok"],
    [`[${"1,".repeat(PIPELINE_LIMITS.json_nodes + 1)}1]`, "RUMI-VAL-012"],
  ];
  for (const [text, expected] of rows)
    it(`${text.slice(0, 40)} is ${expected}`, () => expect(code(text)).toBe(expected));
  it("reads every value that JSON writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        if (text.includes("__proto__")) return;
        expect(parseStrictJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
  });
  it("an error never quotes the body", () => {
    const parsed = parseStrictJson('{"value": planted-secret}');
    expect(JSON.stringify(parsed)).not.toContain("planted");
  });
});

describe("validation", () => {
  const validate = compileValidator(
    Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 5, pattern: "^[a-z]*$" }),
        count: Type.Integer({ default: 3 }),
        flag: Type.Optional(Type.Boolean()),
        list: Type.Optional(Type.Array(Type.Integer(), { maxItems: 2 })),
        inner: Type.Optional(
          Type.Object({ at: Type.String({ format: "date-time" }) }, { additionalProperties: false }),
        ),
        mode: Type.Optional(Type.Union([Type.Literal("a"), Type.Literal("b")])),
      },
      { additionalProperties: false },
    ),
  );
  const rows: readonly (readonly [unknown, string, string])[] = [
    [{}, "RUMI-VAL-001", "$.name"],
    [{ name: "" }, "RUMI-VAL-001", "$.name"],
    [{ name: "toolong" }, "RUMI-VAL-012", "$.name"],
    [{ name: "A" }, "RUMI-VAL-002", "$.name"],
    [{ name: 1 }, "RUMI-VAL-009", "$.name"],
    [{ name: "a", count: "3" }, "RUMI-VAL-009", "$.count"],
    [{ name: "a", count: 1.5 }, "RUMI-VAL-009", "$.count"],
    [{ name: "a", flag: "false" }, "RUMI-VAL-009", "$.flag"],
    [{ name: "a", flag: null }, "RUMI-VAL-009", "$.flag"],
    [{ name: "a", Name: "a" }, "RUMI-VAL-008", "$.Name"],
    [{ name: "a", list: [1, "2"] }, "RUMI-VAL-009", "$.list[1]"],
    [{ name: "a", list: [1, 2, 3] }, "RUMI-VAL-012", "$.list"],
    [{ name: "a", inner: { at: "2026-13-01T00:00:00Z" } }, "RUMI-VAL-002", "$.inner.at"],
    [{ name: "a", inner: { at: "2026-01-01T00:00:00Z", x: 1 } }, "RUMI-VAL-008", "$.inner.x"],
    [{ name: "a", mode: "c" }, "RUMI-VAL-002", "$.mode"],
  ];
  for (const [input, expected, field] of rows) {
    it(`${JSON.stringify(input)} is ${expected} at ${field}`, () =>
      expect(validate(input)).toMatchObject({
        ok: false,
        error: { code: expected, params: { field } },
      }));
  }
  it("fills documented defaults and changes nothing else", () =>
    expect(validate({ name: "a" })).toEqual({ ok: true, value: { name: "a", count: 3 } }));
});

describe("a union", () => {
  const CLOSED = { additionalProperties: false } as const;
  const mode = Type.Union([Type.Literal("a"), Type.Literal("b")]);
  const policy = Type.Object({ most: Type.Optional(Type.Integer({ minimum: 1 })), mode: Type.Optional(mode) }, CLOSED);
  const pace = Type.Union([
    Type.Object({ kind: Type.Literal("max") }, CLOSED),
    Type.Object({ kind: Type.Literal("multiple"), factor: Type.Number() }, CLOSED),
  ]);
  const shape = {
    mode,
    flag: Type.Union([Type.Boolean(), policy]),
    pace,
    auto: Type.Union([Type.Boolean(), ...mode.anyOf]),
  };
  const validate = compileValidator(Type.Partial(Type.Object(shape, CLOSED)));
  const rows: readonly (readonly [unknown, string, object])[] = [
    [{ mode: "c" }, "RUMI-VAL-002", { field: "$.mode", problem: 'it must be "a" or "b"' }],
    [{ mode: 1 }, "RUMI-VAL-009", { field: "$.mode", expected: "string" }],
    [{ flag: "true" }, "RUMI-VAL-009", { field: "$.flag", expected: "boolean or object" }],
    [{ flag: { most: 0 } }, "RUMI-VAL-002", { field: "$.flag.most", problem: "must be >= 1" }],
    [{ flag: { most: "1" } }, "RUMI-VAL-009", { field: "$.flag.most", expected: "integer" }],
    [{ flag: { other: 1 } }, "RUMI-VAL-008", { field: "$.flag.other" }],
    [{ flag: { mode: "c" } }, "RUMI-VAL-002", { field: "$.flag.mode", problem: 'it must be "a" or "b"' }],
    [{ pace: { kind: "multiple" } }, "RUMI-VAL-001", { field: "$.pace.factor" }],
    [{ auto: "c" }, "RUMI-VAL-002", { field: "$.auto", problem: 'it must be "a" or "b" or boolean' }],
  ];
  for (const [input, code, params] of rows)
    it(`tells of ${JSON.stringify(input)} what it was meant to be, and every value that may stand there`, () =>
      expect(validate(input)).toMatchObject({ ok: false, error: { code, params } }));
});
