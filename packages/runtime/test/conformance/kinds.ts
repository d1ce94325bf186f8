/** The conformance strategy, built and opened in each kind; one door for all of them. */
import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RUNTIME_KINDS, type RuntimeKind, type StrategyDescriptor } from "@rumi/abi";
import { digestOf } from "@rumi/kernel";
import { detectPython } from "@rumi/sandbox";
import { loadStrategy } from "../../src/strategy/load.ts";
import type { Strategy } from "../../src/strategy/strategy.ts";
import type { Guarding } from "../guard.ts";
import { descriptor } from "../support.ts";
import { bundleTypeScript, compileRust, SDK_FOLDER } from "../toolchains.ts";

export const KINDS = RUNTIME_KINDS;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const FILE: Readonly<Record<RuntimeKind, string>> = {
  rust_wasm: "strategy.wasm",
  rust_native: "strategy",
  python: "strategy.py",
  typescript: "strategy.js",
};

/** Builds all four into one folder. */
export async function buildAll(folder: string): Promise<void> {
  chmodSync(folder, 0o755);
  const source = here("strategy.rs");
  for (const kind of ["rust_wasm", "rust_native"] as const)
    await compileRust({ source, outfile: join(folder, FILE[kind]), kind });
  await bundleTypeScript({ entry: here("strategy.ts"), outfile: join(folder, FILE.typescript) });
  copyFileSync(here("strategy.py"), join(folder, FILE.python));
}

export function describeKind(folder: string, runtime_kind: RuntimeKind): StrategyDescriptor {
  const base = descriptor();
  return {
    ...base,
    runtime_kind,
    entrypoint: FILE[runtime_kind],
    binary_hash: digestOf(new Uint8Array(readFileSync(join(folder, FILE[runtime_kind])))),
    state_schema_version: 2,
    config_schema: {},
    resources: { ...base.resources, memory_bytes: 268_435_456, fuel_per_event: 100_000_000, event_timeout_ms: 5_000 },
  };
}

export function openKind(folder: string, kind: RuntimeKind, guard: Guarding): Strategy {
  const python = detectPython(process.env["PATH"] ?? "");
  if (!python.ok) throw new Error("the suite needs Python");
  const opened = loadStrategy({
    descriptor: describeKind(folder, kind),
    pack_dir: folder,
    isolation: "any",
    native: guard,
    python: {
      ...guard,
      home: {
        python: python.value,
        mechanism: "bubblewrap",
        sdk_dir: join(SDK_FOLDER, "python"),
        runner_dir: here("../../../sandbox/python"),
      },
    },
  });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
}
