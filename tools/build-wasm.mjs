/**
 * Builds the strategies written in Rust to WebAssembly, byte for byte the same on every machine; bundles those in TypeScript.
 *
 *   node tools/build-wasm.mjs            writes the files of packs/default and packs/hostile, and all binary hashes
 *   node tools/build-wasm.mjs --scripts  writes only what is bundled, and the hashes; part of `npm run gen`
 *   node tools/build-wasm.mjs --out DIR  writes them to DIR instead, for the test that compares
 *
 * Compiler: RUSTC if set, else /usr/bin/rustc. On Debian: `apt-get install rustc libstd-rust-dev-wasm32 lld`.
 * With rustup: `rustup target add wasm32-unknown-unknown && RUSTC="$(rustup which rustc)" node tools/build-wasm.mjs`.
 * Same bytes need the same compiler: the committed files were made by Debian 12's rustc 1.63.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const RUSTC = process.env.RUSTC ?? "/usr/bin/rustc";

const MODULES = [
  {
    source: "packs/default/strategies/ema_cross/src/lib.rs",
    wasm: "packs/default/strategies/ema_cross/ema_cross.wasm",
    features: [],
  },
  ...["trap", "spin", "spin_in_init", "memory_hog", "intent_flood", "log_flood", "free_text"].map((attack) => ({
    source: "packs/hostile/strategies/wasm/lib.rs",
    wasm: `packs/hostile/strategies/wasm/${attack}.wasm`,
    features: [attack],
  })),
  ...["malformed", "missing_metadata"].map((attack) => ({
    source: "packs/hostile/strategies/wasm/raw.rs",
    wasm: `packs/hostile/strategies/wasm/${attack}.wasm`,
    features: [attack],
  })),
];

/** A module that no compiler of ours would make: it wants a function from outside (`env.socket`) and has nothing else. */
const BY_HAND = {
  wasm: "packs/hostile/strategies/wasm/imports.wasm",
  hex: "0061736d01000000010401600000020e0103656e7606736f636b65740000",
};

const SHARED = [
  "--edition",
  "2021",
  "--target",
  "wasm32-unknown-unknown",
  "-C",
  "opt-level=3",
  "-C",
  "panic=abort",
  "-C",
  "codegen-units=1",
  "-C",
  "strip=symbols",
  `--remap-path-prefix=${ROOT}=.`,
];

/** Compiles every module; returns [path from the root, path written]. */
export function buildAll(out) {
  const scratch = mkdtempSync(join(tmpdir(), "rumi-wasm-"));
  try {
    execFileSync(
      RUSTC,
      [...SHARED, "--crate-type", "rlib", "--crate-name", "rumi_sdk", "--out-dir", scratch, "sdk/rust/src/lib.rs"],
      { cwd: ROOT, stdio: "inherit" },
    );
    const targetOf = (wasm) => (out === undefined ? join(ROOT, wasm) : join(resolve(out), basename(wasm)));
    const built = MODULES.map(({ source, wasm, features }) => {
      const target = targetOf(wasm);
      mkdirSync(dirname(target), { recursive: true });
      const flags = features.flatMap((feature) => ["--cfg", `attack="${feature}"`]);
      execFileSync(
        RUSTC,
        [
          ...SHARED,
          "-C",
          "lto=fat",
          "-C",
          "link-arg=-zstack-size=65536",
          ...flags,
          "--crate-type",
          "cdylib",
          "--crate-name",
          "strategy",
          "--extern",
          `rumi_sdk=${join(scratch, "librumi_sdk.rlib")}`,
          "-o",
          target,
          source,
        ],
        { cwd: ROOT, stdio: "inherit" },
      );
      chmodSync(target, 0o644);
      return [wasm, target];
    });
    writeFileSync(targetOf(BY_HAND.wasm), Buffer.from(BY_HAND.hex, "hex"), { mode: 0o644 });
    return [...built, [BY_HAND.wasm, targetOf(BY_HAND.wasm)]];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The strategies written in TypeScript, by the tool that `rumi strategy build` uses. */
async function bundleAll() {
  const { bundleStrategy } = await import("../sdk/typescript/bundle.mjs");
  const folder = join(ROOT, "packs/default/strategies/ema_cross_typescript");
  await bundleStrategy({ entry: join(folder, "src/strategy.ts"), outfile: join(folder, "strategy.js") });
}

/** Writes the digest of every entrypoint into its descriptor. */
function refreshHashes(pack) {
  const path = join(ROOT, pack, "ecosystem.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  for (const strategy of manifest.strategies) {
    strategy.binary_hash = `sha256:${createHash("sha256")
      .update(readFileSync(join(ROOT, pack, strategy.entrypoint)))
      .digest("hex")}`;
  }
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf("--out");
  if (!process.argv.includes("--scripts"))
    for (const [wasm] of buildAll(at === -1 ? undefined : process.argv[at + 1])) process.stdout.write(`${wasm}\n`);
  if (at === -1) {
    await bundleAll();
    for (const pack of ["packs/default", "packs/hostile"]) refreshHashes(pack);
  }
}
