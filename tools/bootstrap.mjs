/**
 * What must be true before any command runs on a fresh clone: a new enough Node, dependencies, a current build.
 *
 * Plain JavaScript without dependencies, because it runs before there are any.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const MINIMUM_NODE = [20, 19];

/** Ends the process with a message for a person when Node is too old. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const enough = major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1]);
  if (enough) return;
  process.stderr.write(`Rumi needs Node ${MINIMUM_NODE.join(".")} or newer; this is ${process.versions.node}.\n`);
  process.exit(2);
}

function resolves(name) {
  try {
    createRequire(join(root, "package.json")).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function run(what, command, args) {
  process.stderr.write(`${what} …\n`);
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}\n`);
  process.stderr.write(`${what} failed (${command} ${args.join(" ")}).\n`);
  process.exit(1);
}

/** Installs dependencies where they are missing: the development set in a clone, the run-time set in a package. */
export function ensureDependencies() {
  const isClone = existsSync(join(root, "packages"));
  const needed = isClone ? ["@photostructure/sqlite", "esbuild", "vite", "vitest"] : ["@photostructure/sqlite"];
  if (needed.every(resolves)) return;
  const isLocked = existsSync(join(root, "package-lock.json"));
  const args = isLocked ? ["ci"] : ["install", "--omit=dev", "--no-package-lock"];
  run("Installing dependencies", "npm", [...args, "--no-audit", "--no-fund"]);
}

/** A digest over everything that ends up in dist/. */
export function sourceFingerprint(from) {
  const hash = createHash("sha256");
  const walk = (path, name) => {
    const stat = statSync(path);
    if (stat.isDirectory()) {
      if (["node_modules", "dist", "target", "__pycache__"].includes(name)) return;
      for (const entry of readdirSync(path).sort()) walk(join(path, entry), entry);
    } else if (!name.includes(".test.")) {
      hash
        .update(`${path.slice(from.length)}\0`)
        .update(readFileSync(path))
        .update("\0");
    }
  };
  walk(join(from, "packages"), "packages");
  walk(join(from, "tools/build.mjs"), "build.mjs");
  walk(join(from, "package.json"), "package.json");
  return hash.digest("hex");
}

/** Builds dist/ when it is missing or older than its sources. */
export function ensureBuild() {
  if (!existsSync(join(root, "packages"))) return;
  const infoPath = join(root, "dist/build-info.json");
  if (existsSync(infoPath) && existsSync(join(root, "dist/rumi.js"))) {
    const info = JSON.parse(readFileSync(infoPath, "utf8"));
    if (info.fingerprint === sourceFingerprint(root)) return;
  }
  run("Building", process.execPath, [join(root, "tools/build.mjs")]);
}

export function prepare() {
  requireNode();
  ensureDependencies();
  ensureBuild();
}
