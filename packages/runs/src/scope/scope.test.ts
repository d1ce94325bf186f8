import { describe, expect, it } from "vitest";
import { parseScope, violationOf, type ParsedScope, type Scope } from "./scope.ts";

const scopeOf = (wish: Parameters<typeof parseScope>[0], excludedByOthers: readonly string[] = []): ParsedScope => {
  const parsed = parseScope(wish, excludedByOthers);
  if (!parsed.ok) throw new Error(`${parsed.error.pattern}: ${parsed.error.problem}`);
  return parsed.value;
};

describe("[P-3] whether a path violates a scope", () => {
  const scope = scopeOf({ read: ["**"], write: ["src/**", "docs/*.md"], exclude: ["src/frozen/**", "**/*.key"] }, [
    "src/theirs/**",
  ]);
  it.each([
    ["src/a.ts", undefined],
    ["docs/a.md", undefined],
    ["src/frozen/a.ts", "excluded"],
    ["src/a.key", "excluded"],
    ["src/theirs/a.ts", "excluded"],
    ["README", "read_only"],
    ["docs/more/a.md", "read_only"],
    [".git/config", "excluded"],
    ["src/inner/.git/hooks/post-checkout", "excluded"],
  ])("%s: %s", (path, reason) => {
    expect(violationOf(scope, path)).toBe(reason);
  });

  it("what no pattern names is outside; reading alone allows nothing", () => {
    const narrow = scopeOf({ read: ["lib/**"], write: ["src/**"] });
    expect(["lib/a", "other/a", "src/a"].map((path) => violationOf(narrow, path))).toEqual([
      "read_only",
      "outside_write",
      undefined,
    ]);
  });

  it("of every way in which the three lists may take a path, only `write` without `exclude` is none", () => {
    for (let taken = 0; taken < 8; taken += 1) {
      const [read, write, exclude] = [1, 2, 4].map((bit) => ((taken & bit) === 0 ? "elsewhere" : "here"));
      const wish: Scope = { read: [read ?? ""], write: [write ?? ""], exclude: [exclude ?? ""] };
      const isWithin = violationOf(scopeOf(wish), "here") === undefined;
      expect([wish, isWithin]).toEqual([wish, write === "here" && exclude !== "here"]);
    }
  });

  it("a scope that could change nothing, and a pattern that is none, are no scope", () => {
    expect(parseScope({ write: [] }, [])).toMatchObject({ ok: false });
    for (const name of ["read", "write", "exclude"] as const)
      expect(parseScope({ write: ["a"], [name]: ["../a"] }, [])).toMatchObject({
        ok: false,
        error: { pattern: "../a" },
      });
  });
});
