/**
 * Compiles a strategy written in Rust: one source file and this SDK, to WebAssembly or to a program of its own.
 *
 * `rumi strategy build` and the repository's tests call this. Compiler: RUSTC if set, else /usr/bin/rustc, else rustc.
 * On Debian: `apt-get install rustc libstd-rust-dev-wasm32 lld`. The same bytes need the same compiler.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SDK = fileURLToPath(new URL("src/lib.rs", import.meta.url));
const TARGET = {
  rust_wasm: { target: ["--target", "wasm32-unknown-unknown"], crate: "cdylib", link: ["-C", "link-arg=-zstack-size=65536"], features: [] },
  rust_native: { target: [], crate: "bin", link: [], features: ["--cfg", 'feature="std"'] },
};

/** Writes `outfile`. Throws with the compiler's own words. `kind`: rust_wasm or rust_native. */
export function compileStrategy({ source, outfile, kind }) {
  const { target, crate, link, features } = TARGET[kind];
  const rustc = process.env.RUSTC ?? (existsSync("/usr/bin/rustc") ? "/usr/bin/rustc" : "rustc");
  const scratch = mkdtempSync(join(tmpdir(), "rumi-rust-"));
  const compile = (...options) =>
    execFileSync(
      rustc,
      [
        "--edition",
        "2021",
        ...target,
        "-C",
        "opt-level=3",
        "-C",
        "panic=abort",
        "-C",
        "codegen-units=1",
        "-C",
        "strip=symbols",
        `--remap-path-prefix=${dirname(dirname(SDK))}=sdk`,
        `--remap-path-prefix=${dirname(source)}=.`,
        ...options,
      ],
      { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" },
    );
  try {
    compile("--crate-type", "rlib", "--crate-name", "rumi_sdk", ...features, "--out-dir", scratch, SDK);
    const library = `rumi_sdk=${join(scratch, "librumi_sdk.rlib")}`;
    const lto = kind === "rust_wasm" ? ["-C", "lto=fat"] : [];
    compile(...lto, ...link, "--crate-type", crate, "--crate-name", "strategy", "--extern", library, "-o", outfile, source);
    chmodSync(outfile, kind === "rust_native" ? 0o755 : 0o644);
  } catch (error) {
    throw new Error(error.code === "ENOENT" ? `the compiler ${rustc} is not installed` : (error.stderr ?? error.message), { cause: error });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
