/**
 * Checks the package graph with dependency-cruiser, and proves with canaries that the tool sees.
 *
 * A checker that silently parses nothing passes everything; so for each package one illegal import is written
 * into a temporary file, and the check fails unless every one of them is reported.
 */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { spawnSync } from "node:child_process";
import { root } from "./bootstrap.mjs";
import { PACKAGE_GRAPH } from "./package-graph.mjs";

const CANARY = "boundary-canary.ts";

function cruise() {
  const result = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs"),
      "--config",
      join(root, "tools/dependency-cruiser.cjs"),
      "--output-type",
      "json",
      "packages",
    ],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 256 * 1024 * 1024,
      env: { ...process.env, RUMI_PACKAGE_GRAPH: JSON.stringify(PACKAGE_GRAPH) },
    },
  );
  if (result.stdout === "") throw new Error(`dependency-cruiser said nothing: ${result.stderr}`);
  return JSON.parse(result.stdout);
}

/** The console speaks the API contract only: no import of ours, none that leaves its own folder. */
function consoleViolations() {
  const folder = join(root, "packages/console/src");
  const found = [];
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(name) || /\.test\.tsx?$/.test(name)) continue;
    for (const [, target = ""] of readFileSync(join(folder, name), "utf8").matchAll(
      /(?:from|import)\s*\(?\s*"([^"]+)"/g,
    )) {
      const leaves = relative(folder, join(folder, dirname(name), target)).startsWith("..");
      if (target.startsWith("@rumi/") || target.startsWith("node:") || (target.startsWith(".") && leaves)) {
        found.push({
          rule: { name: "console-speaks-the-contract-only" },
          from: `packages/console/src/${name}`,
          to: target,
        });
      }
    }
  }
  return found;
}

/** For each package a file that imports something it must not: the first package its row does not allow. */
function plantCanaries() {
  const names = Object.keys(PACKAGE_GRAPH);
  return names.map((name) => {
    const forbidden =
      names.find((other) => other !== name && !PACKAGE_GRAPH[name].includes(other) && other !== "console") ?? null;
    const path = join(root, "packages", name, "src", CANARY);
    // Who may import everybody may still not reach past anybody's front door.
    const target = forbidden === null ? "../../kernel/src/hash.ts" : `../../${forbidden}/src/index.ts`;
    writeFileSync(path, `import * as canary from "${target}";\nexport const seen = canary;\n`);
    return { name, path };
  });
}

const report = cruise();
const violations = [...report.summary.violations, ...consoleViolations()].filter(
  (found) => !found.from.endsWith(CANARY),
);
for (const found of violations) process.stdout.write(`${found.rule.name}: ${found.from} → ${found.to}\n`);

const sources = readdirSync(join(root, "packages"), { recursive: true, encoding: "utf8" }).filter(
  (path) => /\/src\/.*\.tsx?$/.test(path) && !path.includes("node_modules") && !path.startsWith("console/"),
).length;
const canaries = plantCanaries();
let missed;
try {
  const caught = new Set(
    [...cruise().summary.violations, ...consoleViolations()]
      .filter((found) => found.from.endsWith(CANARY))
      .map((found) => found.from.split("/")[1]),
  );
  missed = canaries.filter(({ name }) => !caught.has(name)).map(({ name }) => name);
} finally {
  for (const { path } of canaries) if (existsSync(path)) rmSync(path);
}
const blind = report.summary.totalCruised < sources;
if (missed.length > 0) process.stdout.write(`the boundary check is blind in: ${missed.join(", ")}\n`);
if (blind) process.stdout.write(`only ${report.summary.totalCruised} of ${sources} modules were seen\n`);
const good = violations.length === 0 && missed.length === 0 && !blind;
process.stdout.write(
  good
    ? `boundaries: ${report.summary.totalCruised} modules, no violation, ${canaries.length} canaries caught\n`
    : "boundaries: failed\n",
);
process.exit(good ? 0 : 1);
