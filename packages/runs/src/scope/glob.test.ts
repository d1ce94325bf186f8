import { describe, expect, it } from "vitest";
import { GLOB_LIMITS, matches, overlapOf, parseGlob, type Glob } from "./glob.ts";

const glob = (text: string): Glob => {
  const parsed = parseGlob(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.problem}`);
  return parsed.value;
};
const globs = (texts: readonly string[]) => texts.map(glob);

describe("[P-3] globs of a scope", () => {
  it.each<readonly [string, readonly string[], readonly string[]]>([
    ["src/*.ts", ["src/a.ts", "src/.ts", "src/é.ts"], ["src/a/b.ts", "a.ts", "src/a.tsx", "SRC/a.ts"]],
    ["src/**", ["src/a", "src/a/b/c"], ["src", "srcs/a", "a/src/b"]],
    ["src/", ["src/a", "src/a/b/c"], ["src", "srcs/a"]],
    ["**", ["a", "a/b"], []],
    ["**/*.md", ["a.md", "x/a.md", "x/y/.md"], ["a.mdx", "md"]],
    ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb", "a/b/c"]],
    ["a/**/b/**", ["a/b/c", "a/x/b/c/d"], ["a/b", "a/c"]],
    ["a**b", ["ab", "axxb"], ["a/b"]],
    ["?.txt", ["a.txt", "é.txt", "💥.txt"], ["ab.txt", "/.txt", ".txt"]],
    ["[a-c]/x", ["a/x", "c/x"], ["d/x", "-/x"]],
    ["[!a-c]x", ["dx", "éx"], ["ax", "/x"]],
    ["[]]x", ["]x"], ["ax"]],
    ["[+-0]", ["+", ",", "-", ".", "0"], ["/", "1"]],
    [String.raw`\*\?\[`, ["*?["], ["ab["]],
    ["日本/語.txt", ["日本/語.txt"], ["日本/語"]],
  ])("%s", (text, taken, left) => {
    const one = glob(text);
    expect(taken.filter((path) => !matches(one, path))).toEqual([]);
    expect(left.filter((path) => matches(one, path))).toEqual([]);
  });

  it.each([
    ["", "empty"],
    ["/etc/passwd", "begins with a slash"],
    ["../x", "the name .."],
    ["a/../b", "the name .."],
    ["a//b", "an empty name"],
    ["./a", "the name ."],
    ["a/[b", "without its ]"],
    ["[z-a]", "runs backwards"],
    ["a\\", "ends in a backslash"],
    ["a\0b", "no path can hold"],
    ["\ud800", "no path can hold"],
    ["x".repeat(GLOB_LIMITS.characters + 1), `longer than ${GLOB_LIMITS.characters}`],
  ])("%j is refused", (text, problem) => {
    const parsed = parseGlob(text);
    expect(!parsed.ok && parsed.error.problem).toContain(problem);
  });

  it("takes a pattern that makes backtracking matchers hang in its stride", () => {
    const began = performance.now();
    expect(matches(glob(`${"*a".repeat(100)}b`), "a".repeat(4_000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe("[P-1] whether two scopes share a path", () => {
  it.each<readonly [readonly string[], readonly string[], readonly string[], string | null]>([
    [["src/**"], ["docs/**"], [], null],
    [["src/**"], ["src/a.ts"], [], "src/a.ts"],
    [["src/*.ts"], ["src/*.js"], [], null],
    [["src/*"], ["src/*/x"], [], null],
    [["**/*.md"], ["docs/**"], [], "docs/.md"],
    [["a*c"], ["*b*"], [], "abc"],
    [["[a-m]*"], ["[n-z]*"], [], null],
    [["[a-m]*"], ["[m-z]*"], [], "m"],
    [["src/**"], ["src/gen/**"], ["src/gen/**"], null],
    [["src/**"], ["src/gen/**"], ["src/gen/*.ts"], "src/gen/a"],
    [["**"], ["**"], ["*", "*/**"], null],
    [["**"], ["**"], ["*"], "a/a"],
    [["x?y"], ["x/y"], [], null],
  ])("%j and %j without %j: %s", (write, other, exclude, path) => {
    const found = overlapOf({ write: globs(write), exclude: globs(exclude) }, { write: globs(other), exclude: [] });
    expect(found).toEqual(path === null ? { kind: "none" } : { kind: "path", path });
  });

  it("agrees with trying every short path", () => {
    const letters = ["a", "b", "/"];
    const paths = letters
      .flatMap((x) => [
        x,
        ...letters.flatMap((y) => [
          x + y,
          ...letters.flatMap((z) => [x + y + z, ...letters.map((w) => x + y + z + w)]),
        ]),
      ])
      .filter((path) => !path.split("/").includes(""));
    const patterns = ["a", "a/b", "*", "**", "a/*", "*/b", "a/**", "**/b", "?", "[ab]/a", "a*", "**/a/**", "b?", "*a*"];
    for (const one of patterns)
      for (const two of patterns)
        for (const out of ["b/b/b/b", "*", "a/**"]) {
          const [a, b, c] = [glob(one), glob(two), glob(out)];
          const shared = paths.filter((path) => matches(a, path) && matches(b, path) && !matches(c, path));
          const found = overlapOf({ write: [a], exclude: [c] }, { write: [b], exclude: [] });
          if (shared.length > 0) expect([one, two, out, found.kind]).toEqual([one, two, out, "path"]);
          if (found.kind === "path")
            expect([matches(a, found.path), matches(b, found.path), matches(c, found.path)]).toEqual([
              true,
              true,
              false,
            ]);
        }
  });

  it("says that it does not know rather than that there is none where the patterns are too intricate", () => {
    const intricate = Array.from({ length: 12 }, (_, i) => `*${"?".repeat(i)}a${"?".repeat(14 - i)}`);
    const found = overlapOf(
      { write: globs(["**/zz*b"]), exclude: globs(intricate.map((text) => `**/${text}*`)) },
      { write: globs(["**/zz*"]), exclude: [] },
    );
    expect(found.kind).not.toBe("none");
  });
});

it("[P-3] forgets steps that it remembers beyond its limit, and matches as before", () => {
  const one = glob("**/x[!z]?.txt");
  for (let at = 0; at < GLOB_LIMITS.known_steps * 2; at += 1)
    matches(one, String.fromCodePoint(0x4e00 + (at % 20_000), 0x100 + at));
  expect([matches(one, "a/xab.txt"), matches(one, "a/xzb.txt")]).toEqual([true, false]);
});
