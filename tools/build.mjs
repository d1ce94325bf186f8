/**
 * Builds what ships: the program, its worker threads, the runner and the console, into dist/.
 *
 * `node tools/build.mjs [--no-console]`. Everything of ours is bundled; only the native SQLite binding,
 * the policy engine and esbuild, which find their own files beside themselves, stay dependencies. dist/build-info.json remembers what was built, so that an unchanged tree is not built again.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceFingerprint } from "./bootstrap.mjs";
import { quickSpreads } from "./leading-spreads.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Name in dist/ → entry file. The program finds its workers beside itself by these names. */
export const ENTRIES = {
  rumi: "packages/rumi/src/main.ts",
  "writer-worker": "packages/store/src/sqlite/writer-worker.ts",
  "verify-worker": "packages/store/src/sqlite/vouch-worker.ts",
  "script-worker": "packages/platform/src/flows/steps/script-worker.ts",
  runner: "packages/rumi/src/runner-entry.ts",
  "lane-worker": "packages/runtime/src/lane/lane-worker.ts",
  admission: "packages/rumi/src/admission-entry.ts",
  "backtest-worker": "packages/rumi/src/backtest-worker.ts",
  "replay-worker": "packages/rumi/src/replay-worker.ts",
};

export async function bundle(outdir) {
  const { build } = await import("esbuild");
  const entryPoints = Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(root, path)]));
  await build({
    entryPoints,
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    chunkNames: "chunks/[hash]",
    external: ["@photostructure/sqlite", "esbuild", "@cedar-policy/cedar-wasm", "pg-native"],
    banner: {
      js: 'import { createRequire as rumiCreateRequire } from "node:module"; const require = rumiCreateRequire(import.meta.url);',
    },
    legalComments: "linked",
    logLevel: "warning",
    plugins: [quickSpreads],
  });
}

async function buildConsole(outdir) {
  const { build } = await import("vite");
  await build({
    root: join(root, "packages/console"),
    logLevel: "warn",
    build: { outDir: outdir, emptyOutDir: true },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(join(root, "packages"))) {
    process.stdout.write("This is a built package; there is nothing to build.\n");
    process.exit(0);
  }
  // Built beside the old one and put in its place whole: a failed build leaves what worked before.
  const dist = join(root, "dist");
  const fresh = join(root, `dist.${process.pid}.new`);
  const started = performance.now();
  try {
    mkdirSync(fresh, { recursive: true });
    await bundle(fresh);
    cpSync(join(root, "packages/sandbox/python"), join(fresh, "python"), { recursive: true });
    const hasConsole = existsSync(join(dist, "console"));
    if (process.argv.includes("--no-console")) {
      if (hasConsole) cpSync(join(dist, "console"), join(fresh, "console"), { recursive: true });
    } else {
      await buildConsole(join(fresh, "console"));
    }
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const info = { version, fingerprint: sourceFingerprint(root) };
    writeFileSync(join(fresh, "build-info.json"), `${JSON.stringify(info, null, 2)}\n`);
    rmSync(dist, { recursive: true, force: true });
    renameSync(fresh, dist);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  process.stdout.write(`built dist/ in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}
