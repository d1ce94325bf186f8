import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ERROR_CATALOGUE } from "../packages/kernel/src/index.ts";
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

  it("every test that a source names as its proof is there: in its own package, in packages/rumi/test, in tools, or by its whole path", () => {
    const below = (folder: string): readonly string[] =>
      existsSync(join(root, folder))
        ? readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`)
        : [];
    const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path);
    const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
    const files = packages
      .flatMap((folder) => [...below(`${folder}/src`), ...below(`${folder}/test`)])
      .filter((path) => /\.tsx?$/.test(path));
    const tests = [...files, ...below("tools")].filter(isTest);
    const isThere = (name: string, source: string): boolean => {
      const own = source.split("/").slice(0, 2).join("/");
      const wanted = new RegExp(`(^|/)${name.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`);
      return tests.some(
        (path) =>
          wanted.test(path) &&
          (name.startsWith("packages/") ||
            [own, "packages/rumi/test", "tools"].some((folder) => path.startsWith(`${folder}/`))),
      );
    };
    const missing: string[] = [];
    let named = 0;
    for (const source of files.filter((path) => !isTest(path)))
      for (const [name] of read(source).matchAll(/[\w./*-]+\.test\.tsx?/g)) {
        named += 1;
        if (!isThere(name, source)) missing.push(`${source} → ${name}`);
      }
    expect(missing).toEqual([]);
    expect(named).toBeGreaterThan(100);
  });

  it("every npm script that the README names exists", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...read("README.md").matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1] ?? "");
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    expect(named).toContain("demo");
  });

  /** Of parts that are to come: a pack's connectivity, what a runner is asked with an answer awaited. */
  const WAITING = ["BOT-017", "BOT-025", "BOT-032", "CMD-007", "NET-002", "PACK-004"].concat(
    ["VAL-004", "VAL-005"], // links and entry points of units
  );
  it("[R-25.1] every error code is made somewhere: one that nothing makes is retired", () => {
    const sources = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" }).filter(
      (path) =>
        /\.tsx?$/.test(path) &&
        !/node_modules|\.test\.ts|^kernel.src.errors|control.src.runbooks/.test(path) &&
        /[\\/]src[\\/]/.test(path),
    );
    const text = sources.map((path) => read(`packages/${path}`)).join("\n");
    const unused = Object.keys(ERROR_CATALOGUE).filter((code) => !text.includes(code));
    expect(unused.filter((code) => !WAITING.includes(code.slice("RUMI-".length)))).toEqual([]);
  });
});
