import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { generatedPages } from "./generated-pages.ts";
import { PACKAGE_GRAPH } from "./package-graph.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const markdown = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path}`),
];

describe("documents", () => {
  for (const [path, text] of Object.entries(generatedPages())) {
    it(`[R-25.1] ${path} is what 'npm run gen' makes`, () => expect(read(path)).toBe(text));
  }

  it("name only files that exist", () => {
    const missing: string[] = [];
    for (const page of markdown) {
      const folder = page.includes("/") ? page.slice(0, page.lastIndexOf("/")) : ".";
      for (const [, target = ""] of read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (!/^[a-z]+:/.test(target) && !existsSync(join(root, folder, target))) missing.push(`${page} → ${target}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it("ARCHITECTURE.md names files that exist and shows the package graph as enforced", () => {
    const text = read("ARCHITECTURE.md");
    const paths = [...text.matchAll(/`((?:packages|tools|docs)\/[^`\s]+)`/g)].map((match) => match[1] ?? "");
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    for (const name of Object.keys(PACKAGE_GRAPH)) expect(text).toContain(`\`${name}\``);
  });

  it("every npm script that the README names exists", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...read("README.md").matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1] ?? "");
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    expect(named).toContain("demo");
  });
});
