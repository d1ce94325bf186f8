/** What a stranger gets from `npm pack`: everything that a running program reads beside its bundles. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

it("[M-0.1] the package carries the SDKs of every language with their tools and templates", () => {
  const listed = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 64 * 1024 * 1024,
    }),
  ) as readonly { readonly files: readonly { readonly path: string }[] }[];
  const files = new Set(listed[0]?.files.map((file) => file.path));
  for (const path of [
    "sdk/rust/build.mjs",
    "sdk/rust/src/lib.rs",
    "sdk/rust/src/native.rs",
    "sdk/python/rumi_sdk/_runner.py",
    "sdk/typescript/bundle.mjs",
    "sdk/typescript/package.json",
    "sdk/typescript/src/index.ts",
    "sdk/typescript/src/generated/input.ts",
    "sdk/templates/common/README.md",
    "sdk/templates/rust/src/lib.rs",
    "sdk/templates/rust-native/src/main.rs",
    "sdk/templates/python/strategy.py",
    "sdk/templates/typescript/src/strategy.ts",
    "packs/default/strategies/ema_cross_typescript/strategy.js",
    "docs/first-strategy-typescript.md",
  ])
    expect([path, files.has(path)]).toEqual([path, true]);
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  // What bundles do not hold: the store's native binding, the engine for scripts, the bundler of `rumi strategy build`.
  for (const name of [
    "@photostructure/sqlite",
    "@jitl/quickjs-wasmfile-release-sync",
    "@cedar-policy/cedar-wasm",
    "esbuild",
  ])
    expect(dependencies).toHaveProperty([name]);
});
