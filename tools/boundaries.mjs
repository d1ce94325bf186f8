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

/** What the control plane uses and never is (docs/ports.md): contracts it must not implement, adapters it must not pick. */
const PORTS = {
  contracts: ["MarketFeedSource", "ExecutionVenue", "FundsLedger", "Strategy"],
  adapters:
    "VenueSimMarket VenueSimExecution createSimulatedVenue loadRecordings startVenueSim simulatedFunds declaredFunds judge loadStrategy InstanceHost LiveSide".split(
      " ",
    ),
};
const PORT_CANARIES = [
  'import { simulatedFunds } from "@rumi/venues";\nexport const seen = simulatedFunds;\n',
  'import type { FundsLedger } from "@rumi/venues";\nexport const seen: FundsLedger = { balance: () => Promise.reject(new Error()) };\n',
  'import type { ExecutionVenue } from "@rumi/venues";\nexport abstract class Seen implements ExecutionVenue {}\n',
];

function portViolations() {
  const folder = join(root, "packages/control/src");
  const found = [];
  const contracts = PORTS.contracts.join("|");
  const implemented = new RegExp(
    `implements\\s+(?:${contracts})\\b|:\\s*(?:${contracts})\\s*=(?!=|>)|satisfies\\s+(?:${contracts})\\b`,
  );
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    const text = readFileSync(join(folder, name), "utf8");
    const tell = (to) =>
      found.push({ rule: { name: "control-implements-no-port" }, from: `packages/control/src/${name}`, to });
    const own = implemented.exec(text);
    if (own !== null) tell(own[0]);
    for (const [, names = ""] of text.matchAll(/import\s*\{([^}]*)\}\s*from\s*"@rumi\/(?:venues|runtime)"/g))
      for (const one of names.split(",").map((part) => part.trim().split(/\s+as\s+/)[0] ?? ""))
        if (PORTS.adapters.includes(one)) tell(one);
  }
  return found;
}

/** Each alone: an adapter picked, a contract made by hand, a contract made by a class. */
function missedPorts() {
  const path = join(root, "packages/control/src/port-canary.ts");
  try {
    return PORT_CANARIES.filter((text) => {
      writeFileSync(path, text);
      return !portViolations().some((found) => found.from.endsWith("port-canary.ts"));
    });
  } finally {
    rmSync(path, { force: true });
  }
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
const violations = [...report.summary.violations, ...consoleViolations(), ...portViolations()].filter(
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
const unseen = missedPorts();
for (const text of unseen) process.stdout.write(`the boundary check does not see a port in: ${text}`);
const blind = report.summary.totalCruised < sources;
if (missed.length > 0) process.stdout.write(`the boundary check is blind in: ${missed.join(", ")}\n`);
if (blind) process.stdout.write(`only ${report.summary.totalCruised} of ${sources} modules were seen\n`);
const good = violations.length === 0 && missed.length === 0 && unseen.length === 0 && !blind;
process.stdout.write(
  good
    ? `boundaries: ${report.summary.totalCruised} modules, no violation, ${canaries.length + PORT_CANARIES.length} canaries caught\n`
    : "boundaries: failed\n",
);
process.exit(good ? 0 : 1);
