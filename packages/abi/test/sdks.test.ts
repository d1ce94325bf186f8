/** The other two languages check the same golden vectors with their own tools. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { it } from "vitest";
import { located, requires, temporaryFolder } from "../../../tools/test-support.ts";

const ROOT = join(import.meta.dirname, "../../..");

it.runIf(requires("python3"))("[M-15.2] Python agrees with the golden vectors", () => {
  execFileSync(located("python3") ?? "", ["-B", "-m", "unittest", "discover", "-s", "sdk/python/tests"], {
    cwd: ROOT,
    stdio: "pipe",
  });
});

it.runIf(requires("rust-wasm"))(
  "[M-15.2] Rust agrees with the golden vectors",
  () => {
    const folder = temporaryFolder();
    try {
      execFileSync("/usr/bin/cargo", ["test", "--offline", "--quiet", "--manifest-path", "sdk/rust/Cargo.toml"], {
        cwd: ROOT,
        stdio: "pipe",
        env: { ...process.env, RUSTC: "/usr/bin/rustc", RUSTDOC: "/usr/bin/rustdoc", CARGO_TARGET_DIR: folder.path },
      });
    } finally {
      folder.remove();
    }
  },
  300_000,
);
