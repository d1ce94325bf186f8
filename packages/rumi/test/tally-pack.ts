/** One strategy in each of the four kinds (fixture/tally.*), as packs whose versions differ in what they make of saved state. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { RuntimeKind } from "@rumi/abi";
import { digestOf } from "@rumi/kernel";
import { descriptor } from "../../runtime/test/support.ts";
import { bundleTypeScript, compileRust } from "../../runtime/test/toolchains.ts";
import type { Program } from "./program.ts";
import { botRequest, installPack, ok } from "./rig.ts";

const FILES: Readonly<Record<RuntimeKind, { readonly source: string; readonly entrypoint: string }>> = {
  rust_wasm: { source: "tally.rs", entrypoint: "tally.wasm" },
  rust_native: { source: "tally.rs", entrypoint: "tally" },
  python: { source: "tally.py", entrypoint: "tally.py" },
  typescript: { source: "tally.ts", entrypoint: "tally.js" },
};

export type TallyVersion = {
  readonly kind: RuntimeKind;
  readonly version: string;
  readonly state: 1 | 2;
  /** What its migration hook does: nothing, everything, or refuse a state that has seen a configuration. */
  readonly hook: "none" | "sound" | "picky";
};

export const tallyId = (kind: RuntimeKind): string => `tally_${kind}`;

/** Builds one version below `folder`; the pack's own folder. */
export async function buildTally(folder: string, of: TallyVersion): Promise<string> {
  const { kind, version, state, hook } = of;
  const pack_id = tallyId(kind);
  const path = join(folder, `${pack_id}-${version}`);
  mkdirSync(path, { recursive: true });
  const { source: name, entrypoint } = FILES[kind];
  const text = readFileSync(join(import.meta.dirname, "fixture", name), "utf8");
  const source = join(folder, `${pack_id}-${version}${extname(name)}`);
  const replaced = text
    .replace(/(VERSION(?:: \w+)? = )1/, `$1${state}`)
    .replace("../../../../sdk/typescript/src/index.ts", "rumi-sdk")
    .replace(/(HOOK(?:: &?\w+)? = )"none"/, `$1"${hook}"`);
  writeFileSync(source, replaced);
  const outfile = join(path, entrypoint);
  if (kind === "rust_wasm" || kind === "rust_native") await compileRust({ source, outfile, kind });
  else if (kind === "typescript") await bundleTypeScript({ entry: source, outfile });
  else copyFileSync(source, outfile);
  if (kind !== "rust_native") chmodSync(outfile, 0o644);
  const base = descriptor();
  const strategy = {
    ...base,
    strategy_id: pack_id,
    strategy_version: version,
    runtime_kind: kind,
    entrypoint,
    state_schema_version: state,
    // Every trade is heard there: what is counted is what was taken.
    capabilities: { ...base.capabilities, lane: "compute", subscribe: ["trade"] },
    resources: { ...base.resources, event_timeout_ms: 2_000, memory_bytes: 268_435_456, fuel_per_event: 20_000_000 },
    config_schema: { note: { type: "string", required: false, default: "" } },
    binary_hash: digestOf(new Uint8Array(readFileSync(outfile))),
  };
  const pack = { pack_id, pack_identity: `tests:${pack_id}`, version, license: "Apache-2.0" };
  writeFileSync(
    join(path, "ecosystem.json"),
    JSON.stringify({ ...pack, vocabulary: { types: ["strategy"] }, strategies: [strategy] }),
  );
  return path;
}

/** Answers the approved digest; the pack's former version is no longer the approved one. */
export const installTally = (program: Program, kind: RuntimeKind, path: string): Promise<string> =>
  installPack(program, path, tallyId(kind));

export async function createTally(
  program: Program,
  bot_id: string,
  of: { readonly kind: RuntimeKind; readonly digest: string; readonly venue?: string },
): Promise<void> {
  const { kind, digest, venue = "SIM" } = of;
  const pack_id = tallyId(kind);
  const strategy = { pack_id, strategy_id: pack_id, strategy_version: "1.0.0", digest };
  await ok(program, "POST", "/api/bots", botRequest(bot_id, strategy, { venue }));
}
