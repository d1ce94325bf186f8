import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRecord, JSON_DEPTH_MAX, readJson } from "./json.ts";

const problem = (text: string): unknown => {
  const read = readJson(text);
  return read.ok ? "fine" : read.error;
};

describe("[L-51.1] strict JSON", () => {
  it("[L-51.1] reads what JSON.parse reads, to the same value", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 2, "\t"), (text, indent) => {
        const value: unknown = JSON.parse(text);
        const read = readJson(JSON.stringify(value, null, indent));
        expect(read.ok && JSON.stringify(read.value.value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it("[L-51.1] refuses whatever JSON.parse refuses", () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 2 }),
        fc.nat(),
        fc.constantFrom("", ",", '"', "}", "0", "\\", "\u0000"),
        (text, at, by) => {
          const place = at % (text.length + 1);
          const broken = text.slice(0, place) + by + text.slice(place + 1);
          let parses = true;
          try {
            JSON.parse(broken);
          } catch {
            parses = false;
          }
          if (!parses) expect(readJson(broken).ok).toBe(false);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("[L-51.1] names the line of what is wrong, whatever ends the lines", () => {
    expect(problem('{\n  "a": 1,\n  "a": 2\n}')).toEqual({ line: 3, problem: 'the key "a" stands there twice' });
    expect(problem('\ufeff{\r\n "a": tru }')).toEqual({ line: 2, problem: "it is no JSON" });
    expect(problem('{"a": 1} x')).toEqual({ line: 1, problem: "there is text after the value" });
    expect(problem('["\\u00zz"]')).toEqual({ line: 1, problem: "a string holds what no string may hold" });
    expect(problem('"\n"')).toEqual({ line: 1, problem: "a string holds what no string may hold" });
    expect(problem('"\\"')).toEqual({ line: 1, problem: "a string does not end" });
    expect(problem('{"a":')).toEqual({ line: 1, problem: "it ends too early" });
    expect(problem("")).toEqual({ line: 1, problem: "it ends too early" });
  });

  it("[L-51.1] as deep as is allowed and no deeper", () => {
    const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(problem(deep(JSON_DEPTH_MAX))).toBe("fine");
    expect(problem(deep(JSON_DEPTH_MAX + 1))).toMatchObject({ problem: `it is nested deeper than ${JSON_DEPTH_MAX}` });
    expect(problem('{"a":'.repeat(100_000))).toMatchObject({ problem: `it is nested deeper than ${JSON_DEPTH_MAX}` });
  });

  it("[L-51.1] names that every object inherits are keys like any other, and objects know their line", () => {
    const read = readJson('{"__proto__": {"x": 1},\n "constructor": {"y": 2}}');
    if (!read.ok || !isRecord(read.value.value)) throw new Error("not read");
    expect(Object.keys(read.value.value)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(read.value.value)).toBe(Object.prototype);
    expect(problem('{"__proto__": 1, "__proto__": 2}')).toMatchObject({
      problem: expect.stringContaining("twice") as string,
    });
    const inner = read.value.value["constructor"];
    expect(isRecord(inner) && read.value.lineOf(inner)).toBe(2);
  });
});
