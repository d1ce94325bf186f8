/**
 * What is measured is what ships: bundled code, in a throw-away folder. The loader that runs TypeScript from source
 * rewrites functions on the way and slows hot loops, so it only runs the part of the bench that waits.
 *
 * The folder lies under node_modules, so that the bundles find SQLite as the shipped ones do.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

export type Bundles = {
  /** `node suites.js NAME [ARGUMENTS]` prints what one suite measured. */
  readonly suites: string;
  readonly http_load: string;
  readonly http_reads: string;
  readonly http_flows: string;
  /** The program with its workers, laid out as in the distributed package. */
  readonly program: string;
  readonly writer_worker: string;
  readonly verify_worker: string;
  readonly runner: string;
  readonly remove: () => void;
};

export async function makeBundles(): Promise<Bundles> {
  const cache = join(ROOT, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "rumi-bench-"));
  const dist = join(folder, "dist");
  const { bundle } = await tool<{ readonly bundle: (outdir: string) => Promise<void> }>("build.mjs");
  const { quickSpreads } = await tool<{ readonly quickSpreads: Plugin }>("leading-spreads.mjs");
  await bundle(dist);
  cpSync(join(ROOT, "packages/sandbox/python"), join(dist, "python"), { recursive: true });
  for (const name of ["sdk", "packs", "package.json"]) symlinkSync(join(ROOT, name), join(folder, name));
  await build({
    entryPoints: Object.fromEntries(
      ["suites", "http-load", "http-reads", "http-flows"].map((name) => [name, join(ROOT, `bench/${name}.ts`)]),
    ),
    outdir: folder,
    bundle: true,
    splitting: false,
    format: "esm",
    platform: "node",
    target: "node20.19",
    external: ["@photostructure/sqlite", "pg-native"],
    logLevel: "warning",
    plugins: [quickSpreads],
    banner: {
      js: 'import { createRequire as rumiCreateRequire } from "node:module"; const require = rumiCreateRequire(import.meta.url);',
    },
  });
  return {
    suites: join(folder, "suites.js"),
    http_load: join(folder, "http-load.js"),
    http_reads: join(folder, "http-reads.js"),
    http_flows: join(folder, "http-flows.js"),
    program: join(dist, "rumi.js"),
    writer_worker: join(dist, "writer-worker.js"),
    verify_worker: join(dist, "verify-worker.js"),
    runner: join(dist, "runner.js"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function tool<T>(name: string): Promise<T> {
  return (await import(new URL(`../tools/${name}`, import.meta.url).href)) as T;
}
