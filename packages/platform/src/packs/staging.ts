/**
 * Takes a folder, a .zip or a .rumipack into staging, and keeps staging clean.
 *
 * How to think: whoever made the archive is a stranger, and so is whoever may write to the folder. Everything is judged
 * before the first byte is written, what is written is what was judged, and a refused import leaves nothing.
 *
 * Invariants (staging.test.ts, uploads.test.ts)
 * - A path is judged where it really leads: a link in an import root leads nowhere else.
 * - The same tree always has the same staging id, so importing twice is one import.
 * - What a killed import left is taken away at the next start, and nothing else is.
 */
import { readdir, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { err, failure, ok, parsePackId, type Digest, type Failure, type Result } from "@rumi/kernel";
import { readArchive } from "./archive.ts";
import { packDigest, packEntry, printable, type PackEntry } from "./digest.ts";
import { digestFolder, exists, readPlain, removeTree, writeTree } from "./files.ts";
import type { PackLimits } from "./limits.ts";
import { lookAtPack, readManifest, seenOf } from "./look.ts";
import type { SeenPack } from "./model.ts";
import { provenanceOf, type ProvenanceKey, type VerifiedProvenance } from "./provenance.ts";
import { hardLinked, readTree } from "./tree.ts";

export type Staged = {
  readonly staging_id: string;
  readonly seen: SeenPack;
  readonly provenance: VerifiedProvenance | null;
  readonly warnings: readonly string[];
};

export type PackFolders = {
  /** `ecosystem/`: the source folders, one per pack. */
  readonly ecosystem: string;
  /** `user_data/pack_staging/`, `user_data/packs/`, `user_data/pack_backups/`. */
  readonly staging: string;
  readonly store: string;
  readonly backups: string;
  /** `user_data/pack_uploads/`: archives that are being received, or that were and are being judged. */
  readonly uploads: string;
};

export type ImportPlaces = {
  readonly folders: PackFolders;
  readonly limits: PackLimits;
  /** `any` while the API is bound to loopback; else the folders that imports may come from. */
  readonly importRoots: "any" | readonly string[];
};

/** What was judged, and where its bytes are. */
type Judged = {
  readonly seen: SeenPack;
  readonly entries: readonly PackEntry[];
  readonly dataOf: (path: string) => Promise<Uint8Array | undefined> | Uint8Array | undefined;
};

export async function stage(
  path: string,
  deps: ImportPlaces,
  keys: readonly ProvenanceKey[],
): Promise<Result<Staged, Failure>> {
  const place = await placeOf(path, deps);
  if (!place.ok) return place;
  const judged = await judge(place.value, path, deps.limits);
  return judged.ok ? keep(judged.value, deps, keys) : judged;
}

/** The same for an archive that was received, under the name that its sender gives it: nothing is believed of it either. */
export async function stageUpload(
  upload: { readonly file: string; readonly name: string },
  deps: ImportPlaces,
  keys: readonly ProvenanceKey[],
): Promise<Result<Staged, Failure>> {
  const judged = await judgeArchive(upload.file, upload.name, deps.limits);
  return judged.ok ? keep(judged.value, deps, keys) : judged;
}

async function keep(
  { seen, entries, dataOf }: Judged,
  deps: ImportPlaces,
  keys: readonly ProvenanceKey[],
): Promise<Result<Staged, Failure>> {
  const spoofed = entries.find((entry) => DECEPTIVE.test(entry.path));
  if (spoofed !== undefined)
    return err(
      failure("RUMI-PACK-009", {
        path: printable(spoofed.path),
        problem: "its name holds a character that nobody sees, and that may turn the others round",
      }),
    );
  const provenance = await provenanceOf({ entries, manifest: seen.manifest, dataOf }, keys, deps.limits);
  if (!provenance.ok) return provenance;
  const staging_id = stagingId(seen.digest);
  const target = join(deps.folders.staging, staging_id);
  const present = await readTree(target, deps.limits);
  if (!present.ok || present.value.digest !== seen.digest) {
    const written = await writeTree(target, entries, dataOf);
    if (!written.ok) return written;
  }
  const warnings = parsePackId(seen.manifest.pack_id) === undefined ? ["pack_id is not of the strict form"] : [];
  return ok({ staging_id, seen, provenance: provenance.value, warnings });
}

/** Direction marks and spaces without width: a person who reads such a name approves another. */
const DECEPTIVE = /[\p{Bidi_Control}\u200b\u2060\ufeff]/u;

/** Where the path really leads, if imports may come from there. */
async function placeOf(path: string, { importRoots }: ImportPlaces): Promise<Result<string, Failure>> {
  if (!isAbsolute(path))
    return err(
      failure("RUMI-VAL-002", { field: "path", problem: "it must be an absolute path on the machine where rumi runs" }),
    );
  const outside = err(failure("RUMI-PACK-016", { path: printable(path) }));
  // Judged as it is written first, so that an answer tells nothing about files elsewhere.
  if (importRoots !== "any" && !importRoots.some((root) => isBelow(root, path))) return outside;
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return err(failure("RUMI-VAL-006", { path: printable(path) }));
  if (importRoots === "any") return ok(real);
  const roots = await Promise.all(importRoots.map((root) => realpath(root).catch(() => resolve(root))));
  return roots.some((root) => isBelow(root, real)) ? ok(real) : outside;
}

function judge(place: string, path: string, limits: PackLimits): Promise<Result<Judged, Failure>> {
  return /\.(zip|rumipack)$/i.test(place) ? judgeArchive(place, path, limits) : judgeFolder(place, path, limits);
}

async function judgeFolder(place: string, path: string, limits: PackLimits): Promise<Result<Judged, Failure>> {
  const facts = await stat(place).catch(() => undefined);
  if (facts?.isDirectory() !== true)
    return err(
      failure("RUMI-PACK-010", {
        path: printable(path),
        problem: "it is neither a folder nor a .zip or .rumipack file",
      }),
    );
  const sight = await lookAtPack(place, limits);
  if (!sight.ok) return sight;
  const { seen, tree } = sight.value;
  const linked = await hardLinked(place, tree.entries);
  if (linked !== undefined)
    return err(
      failure("RUMI-PACK-009", { path: printable(linked), problem: "it is a hard link: it has another name" }),
    );
  return ok({ seen, entries: tree.entries, dataOf: (file) => readPlain(join(place, file)) });
}

async function judgeArchive(place: string, path: string, limits: PackLimits): Promise<Result<Judged, Failure>> {
  const facts = await stat(place).catch(() => undefined);
  if (facts?.isDirectory() === true) return judgeFolder(place, path, limits);
  if (facts !== undefined && facts.size > limits.bytes)
    return err(failure("RUMI-PACK-008", { limit: limits.bytes, unit: "bytes" }));
  const bytes = facts?.isFile() === true ? await readPlain(place) : undefined;
  if (bytes === undefined)
    return err(failure("RUMI-PACK-010", { path: printable(path), problem: "it cannot be read" }));
  const archive = readArchive(bytes, path, limits);
  if (!archive.ok) return archive;
  const files = new Map(archive.value.files.map((file) => [file.path, file.data]));
  const entries = archive.value.files.map(packEntry);
  const digest = packDigest(entries, limits);
  if (!digest.ok) return digest;
  const tree = { digest: digest.value, entries };
  const dataOf = (file: string): Uint8Array | undefined => files.get(file);
  const manifest = await readManifest(tree, limits, () => dataOf("ecosystem.json"));
  return manifest.ok ? ok({ seen: seenOf(tree, manifest.value), entries, dataOf }) : manifest;
}

/** Nothing is put into place that is not what was imported. */
export async function verifyStaged(
  staging_id: string,
  seen: SeenPack,
  { folders, limits }: ImportPlaces,
): Promise<Result<unknown, Failure>> {
  const folder = join(folders.staging, staging_id);
  if (!(await exists(folder))) return err(failure("RUMI-PACK-014", { staging_id }));
  const tree = await readTree(folder, limits);
  if (!tree.ok) return tree;
  return tree.value.digest === seen.digest
    ? ok(tree.value)
    : err(failure("RUMI-PACK-009", { path: staging_id, problem: "what was imported has been changed since" }));
}

/** Staged trees that nobody knows of, and trees that are half written, in staging and in the store. */
export async function sweepStaging(
  { staging, store }: Pick<PackFolders, "staging" | "store">,
  known: ReadonlySet<string>,
): Promise<void> {
  for (const name of await childrenOf(staging)) if (!known.has(name)) await removeTree(join(staging, name));
  for (const name of await childrenOf(store)) if (name.startsWith(".new-")) await removeTree(join(store, name));
}

async function childrenOf(folder: string): Promise<readonly string[]> {
  return (await exists(folder)) ? readdir(folder) : [];
}

function stagingId(digest: Digest): string {
  return `stg-${digestFolder(digest).slice(0, 24)}`;
}

function isBelow(root: string, path: string): boolean {
  const between = relative(resolve(root), resolve(path));
  return between !== "" && !between.startsWith("..") && !isAbsolute(between);
}
