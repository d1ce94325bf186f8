/** Looks at a folder as a pack: its tree, its digest and its manifest as they lie there now. Reads only. */
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { readPlain } from "./files.ts";
import type { PackLimits } from "./limits.ts";
import { MANIFEST_FILE, parseManifest, type PackManifest } from "./manifest.ts";
import type { SeenPack } from "./model.ts";
import { readTree, type PackTree } from "./tree.ts";

export type Sight = { readonly seen: SeenPack; readonly tree: PackTree; readonly folder: string };

export async function lookAtPack(folder: string, limits: PackLimits): Promise<Result<Sight, Failure>> {
  const tree = await readTree(folder, limits);
  if (!tree.ok) return tree;
  const manifest = await readManifest(tree.value, limits, () => readPlain(join(folder, MANIFEST_FILE)));
  return manifest.ok ? ok({ seen: seenOf(tree.value, manifest.value), tree: tree.value, folder }) : manifest;
}

/** The manifest among the files of `tree`, wherever its bytes come from. */
export async function readManifest(
  tree: PackTree,
  limits: PackLimits,
  bytesOf: () => Promise<Uint8Array | undefined> | Uint8Array | undefined,
): Promise<Result<PackManifest, Failure>> {
  const refused = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-PACK-002", { path: MANIFEST_FILE, field: "(file)", problem }));
  const entry = tree.entries.find((one) => one.path === MANIFEST_FILE);
  if (entry === undefined) return refused("it is missing");
  if (entry.bytes > limits.manifest_bytes)
    return err(failure("RUMI-PACK-008", { limit: limits.manifest_bytes, unit: "bytes in its manifest" }));
  const bytes = await bytesOf();
  return bytes === undefined
    ? refused("it cannot be read")
    : parseManifest(new TextDecoder().decode(bytes), tree.entries);
}

export function seenOf(tree: PackTree, manifest: PackManifest): SeenPack {
  return {
    digest: tree.digest,
    manifest,
    files: tree.entries.length,
    bytes: tree.entries.reduce((sum, entry) => sum + entry.bytes, 0),
  };
}
