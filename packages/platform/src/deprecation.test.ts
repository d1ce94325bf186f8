import { describe, expect, it } from "vitest";
import { createDeprecations, type DeprecationLevel } from "./deprecation.ts";

describe("something deprecated, used twice, and another thing once", () => {
  const rows: readonly [DeprecationLevel, said: readonly string[], result: string][] = [
    ["warn", ["a", "b"], "used"],
    ["log", ["a", "a", "b"], "used"],
    ["silent", [], "used"],
    ["error", [], "RUMI-SYS-014"],
  ];
  for (const [level, expected, result] of rows)
    it(`[R-21.1] RUMI_DEPRECATION_LEVEL=${level}`, () => {
      const said: string[] = [];
      const deprecations = createDeprecations(level, { warning: (line) => void said.push(line) });
      for (const thing of ["a", "a", "b"]) {
        const used = deprecations.use(thing, thing);
        expect(used.ok ? "used" : used.error.code).toBe(result);
      }
      expect(said).toEqual(expected);
    });
});
