/** Reads the folder that is to be published: it lies in an approved pack, and its bytes are those that were approved. */
import { isAbsolute, join, normalize, relative } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { Reader, Store } from "@rumi/store";
import { printable } from "../packs/digest.ts";
import { readPlain } from "../packs/files.ts";
import type { PackLibrary } from "../packs/library.ts";
import type { PackLimits } from "../packs/limits.ts";
import { readPacks } from "../packs/tables.ts";
import { readTree, type PackTree } from "../packs/tree.ts";
import { parseUnit, UNIT_FILE, UNIT_LIMITS, type UnitManifest } from "./model.ts";

export type PublishDeps = {
  readonly library: Pick<PackLibrary, "verify">;
  readonly limits: PackLimits;
  /** `ecosystem/`, absolute. */
  readonly ecosystem: string;
};
export type SeenUnit = {
  readonly pack_id: string;
  readonly manifest: UnitManifest;
  readonly tree: PackTree;
  /** In the pack's verified copy. */
  readonly directory: string;
};

/** `source_dir` is `ecosystem/<pack>/<folder>`, or the same as an absolute path. Errors RUMI-VAL-003, RUMI-PACK-*, RUMI-UNIT-001. */
export async function seeUnit(
  reader: Reader,
  sql: Pick<Store, "builder">,
  source_dir: string,
  { library, limits, ecosystem }: PublishDeps,
): Promise<Result<SeenUnit, Failure>> {
  const outside = err(failure("RUMI-VAL-003", { path: printable(source_dir) }));
  const below = isAbsolute(source_dir)
    ? relative(ecosystem, normalize(source_dir))
    : relative("ecosystem", normalize(source_dir));
  const [folder = "", ...rest] = below.split("/");
  if (below === "" || folder === ".." || folder === "." || rest.length === 0) return outside;
  const pack = (await readPacks(reader, sql)).find((one) => one.source_dir === folder);
  if (pack === undefined) return err(failure("RUMI-PACK-005", { pack_id: printable(folder) }));
  const { pack_id } = pack;
  const verified = await library.verify(pack_id);
  if (!verified.ok) return verified;
  const directory = join(verified.value.directory, ...rest);
  const path = `${rest.join("/")}/${UNIT_FILE}`;
  const tree = await readTree(directory, limits);
  if (!tree.ok) return tree;
  const entry = tree.value.entries.find((one) => one.path === UNIT_FILE);
  const bytes = entry === undefined ? undefined : await readPlain(join(directory, UNIT_FILE));
  if (bytes === undefined || bytes.length > UNIT_LIMITS.manifest_bytes) {
    const problem = bytes === undefined ? "it is missing" : `it is larger than ${UNIT_LIMITS.manifest_bytes} bytes`;
    return err(failure("RUMI-UNIT-001", { path, field: "(file)", problem }));
  }
  const files = tree.value.entries.map((one) => one.path);
  const manifest = parseUnit(path, bytes.toString("utf8"), files);
  return manifest.ok ? ok({ pack_id, manifest: manifest.value, tree: tree.value, directory }) : manifest;
}
