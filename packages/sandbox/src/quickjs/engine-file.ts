/**
 * Finds the JavaScript engine for TypeScript strategies: QuickJS as one Wasm file of a kept, pinned package.
 *
 * Only that file is used, none of the package's code. Its digest is part of the determinism contract: another build of
 * the engine spends other fuel, so it is refused like a strategy with another hash.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { err, type Failure, failure, ok, type Result, sha256Hex } from "@rumi/kernel";

const PACKAGE_FILE = "@jitl/quickjs-wasmfile-release-sync/wasm";
/** Of version 0.32.0. */
export const ENGINE_SHA256 = "105c3bed22d457e43e3d1c3c1c6959fda62a8fe06f0fc8a985303c3a2be72232";

/** The engine's bytes. RUMI-STR-066, M.SANDBOX.ENGINE, when the file is absent or another one. */
export function readEngineFile(): Result<Uint8Array, Failure> {
  const unusable = (problem: string, cause?: unknown): Result<never, Failure> =>
    err(
      failure(
        "RUMI-STR-066",
        { problem },
        { reasonCode: "M.SANDBOX.ENGINE", ...(cause === undefined ? {} : { cause }) },
      ),
    );
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(createRequire(import.meta.url).resolve(PACKAGE_FILE)));
  } catch (cause) {
    return unusable("its file cannot be read", cause);
  }
  return sha256Hex(bytes) === ENGINE_SHA256 ? ok(bytes) : unusable("its file is not the one this version was made for");
}
