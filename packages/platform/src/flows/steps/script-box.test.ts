/** Scripts in their engine, without a thread; threads and deadlines are in packages/rumi/test/steps.e2e.test.ts. */
import { describe, expect, it } from "vitest";
import type { Json } from "@rumi/kernel";
import { FLOW_LIMITS } from "../limits.ts";
import type { BlockOutcome } from "../run.ts";
import { compileScript, runScript } from "./script-box.ts";

const call = (text: string, input: Json = null, file = "blocks/x.ts", name = "run"): BlockOutcome => {
  const source = compileScript(file, text);
  if (!source.ok) throw new Error(source.error);
  return runScript(source.value, { name, input, context: { step_id: "s" } });
};
const outputOf = (outcome: BlockOutcome): Json => {
  if (outcome.kind === "failed") throw new Error(outcome.problem);
  return outcome.output;
};

describe("[R-14.1] a script", () => {
  it("TypeScript or JavaScript: gets input and context, gives its value, whatever letters there are", () => {
    const typed = `type In = { readonly n: number; readonly text: string };
export function run({ n, text }: In, context: { step_id: string }) { return { twice: n * 2, text: text + "ü…😀", step: context.step_id }; }`;
    expect(outputOf(call(typed, { n: 21, text: "日本" }))).toEqual({ twice: 42, text: "日本ü…😀", step: "s" });
    expect(outputOf(call("export const run = (x) => x + 1;", 1, "x.js"))).toBe(2);
    expect(outputOf(call("export function run() {}"))).toBeNull();
    expect(outputOf(call("export const other = () => 'o'", null, "x.js", "other"))).toBe("o");
  });
  it("has the language and nothing else", () => {
    const text = `export function run() {
      return [typeof Date, typeof fetch, typeof require, typeof process, typeof setTimeout, typeof Math.random, typeof console, typeof WebAssembly];
    }`;
    expect(outputOf(call(text))).toEqual(Array.from({ length: 8 }, () => "undefined"));
  });
  it("sees nothing of another call", () => {
    const text = "export function run() { globalThis.n = (globalThis.n ?? 0) + 1; return globalThis.n; }";
    expect([outputOf(call(text)), outputOf(call(text))]).toEqual([1, 1]);
  });
  it("a large value goes in and comes out in parts", () => {
    const value = "ä".repeat(1_500_000);
    expect(outputOf(call("export const run = (x: string) => x + x.length;", value))).toBe(`${value}1500000`);
  });
  it.each([
    ["an exception", "export function run() { throw new RangeError('as it was told'); }", "RangeError: as it was told"],
    ["no such function", "export const other = 1;", "exports no function run"],
    ["a promise", "export async function run() { return 1; }", "it gave a promise"],
    ["spinning", "export function run() { for (;;); }", "units of fuel"],
    ["an import", "import fs from 'node:fs'; export const run = () => fs;", "require"],
    [
      "growing",
      "export function run() { const all = []; for (;;) all.push(new Uint8Array(16777216).fill(1)); }",
      "memory",
    ],
    ["what is no JSON", "export function run() { const a = {}; a.a = a; return a; }", "circular"],
    ["an answer of its own", "JSON.stringify = () => 'x'; export function run() { return 1; }", ""],
    ["too large an output", `export const run = () => 'x'.repeat(${FLOW_LIMITS.block_bytes + 1});`, "larger than"],
  ])(
    "fails with %s, and says so",
    (_, text, expected) => {
      const outcome = call(text, null, "x.js");
      if (expected === "") expect(outcome).toEqual({ kind: "output", output: 1 });
      else expect(outcome).toMatchObject({ kind: "failed", problem: expect.stringContaining(expected) as string });
    },
    60_000,
  );
  it("a file that is none is refused in the compiler's words", () => {
    expect(compileScript("x.ts", "export const = 1")).toMatchObject({
      ok: false,
      error: expect.stringContaining("x.ts cannot be read") as string,
    });
  });
});
