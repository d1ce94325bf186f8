/**
 * Acts on the disk for packs: staging, the content-addressed store, moving an import into place.
 *
 * Invariants (library.test.ts)
 * - A folder of the store is complete or absent: it is written beside, fsynced, checked, then renamed.
 * - Moving into place can be killed anywhere and repeated: old or new, never half.
 */
import { constants } from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { err, failure, ok, sha256Hex, type Digest, type Failure, type Result } from "@rumi/kernel";
import type { PackEntry } from "./digest.ts";
import type { PackLimits } from "./limits.ts";
import { readTree, type PackTree } from "./tree.ts";

export function digestFolder(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** Makes sure that `root/<digest>` holds exactly the tree that lies in `source`. */
export async function storeTree(
  source: string,
  tree: PackTree,
  root: string,
  limits: PackLimits,
): Promise<Result<string, Failure>> {
  const target = join(root, digestFolder(tree.digest));
  await mkdir(root, { recursive: true });
  const present = await readTree(target, limits);
  if (present.ok && present.value.digest === tree.digest) return ok(target);
  if (await exists(target)) await rename(target, await mkdtemp(join(root, ".damaged-"))); // kept as evidence
  const made = await mkdtemp(join(root, ".new-"));
  for (const entry of tree.entries) {
    const data = await readPlain(join(source, entry.path));
    if (data === undefined || sha256Hex(data) !== entry.sha256) {
      await removeTree(made);
      return err(failure("RUMI-PACK-009", { path: entry.path, problem: "it changed while it was read" }));
    }
    await writeDurably(join(made, entry.path), data, entry.mode === "100755" ? 0o555 : 0o444);
  }
  await sealFolders(made, tree.entries);
  const check = await readTree(made, limits);
  if (!check.ok || check.value.digest !== tree.digest) {
    await removeTree(made);
    return check.ok ? err(failure("RUMI-PACK-009", { path: source, problem: "its copy differs from it" })) : check;
  }
  await rename(made, target);
  await syncFolder(root);
  return ok(target);
}

/**
 * Writes the files of `entries` to the new folder `target`, with modes that a person can edit; nothing is there before it
 * is whole, and nothing stays behind where a file is no longer what its entry says.
 */
export async function writeTree(
  target: string,
  entries: readonly PackEntry[],
  dataOf: (path: string) => Promise<Uint8Array | undefined> | Uint8Array | undefined,
): Promise<Result<undefined, Failure>> {
  await mkdir(dirname(target), { recursive: true });
  const made = await mkdtemp(`${target}.new-`);
  for (const entry of entries) {
    const data = await dataOf(entry.path);
    if (data === undefined || sha256Hex(data) !== entry.sha256) {
      await removeTree(made);
      return err(failure("RUMI-PACK-009", { path: entry.path, problem: "it changed while it was read" }));
    }
    await writeDurably(join(made, entry.path), data, entry.mode === "100755" ? 0o755 : 0o644);
  }
  await chmod(made, 0o755);
  await removeTree(target);
  await rename(made, target);
  await syncFolder(dirname(target));
  return ok(undefined);
}

/**
 * The old folder becomes the backup, then the new one takes its name. Each step is one rename and nothing is ever removed,
 * so a run that was killed anywhere is finished by the next one.
 */
export async function moveIntoPlace(options: {
  readonly from: string;
  readonly to: string;
  readonly backup: string;
}): Promise<void> {
  const { from, to, backup } = options;
  if (!(await exists(from))) return; // done by an earlier, interrupted run
  await mkdir(dirname(to), { recursive: true });
  if (await exists(to)) {
    await mkdir(dirname(backup), { recursive: true });
    await rename(to, await unused(backup));
    await syncFolder(dirname(backup));
  }
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Takes the folder away under its name by one rename, and only then piece by piece. */
export async function discardTree(path: string, trash: string): Promise<void> {
  if (!(await exists(path))) return;
  await mkdir(trash, { recursive: true });
  const removed = join(await mkdtemp(join(trash, ".removed-")), "pack");
  await rename(path, removed);
  await syncFolder(dirname(path));
  await removeTree(dirname(removed));
}

/** `path`, or the first of `path-2`, `path-3`, … that nobody has: somebody may have put a folder back between two runs. */
async function unused(path: string): Promise<string> {
  let name = path;
  for (let n = 2; await exists(name); n += 1) name = `${path}-${n}`;
  return name;
}

/** Removes a folder although its parts are read-only. */
export async function removeTree(path: string): Promise<void> {
  if (!(await exists(path))) return;
  if ((await lstat(path)).isDirectory()) {
    await chmod(path, 0o700);
    for (const child of await readdir(path, { withFileTypes: true }))
      if (child.isDirectory()) await removeTree(join(path, child.name));
  }
  await rm(path, { recursive: true, force: true });
}

export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

export async function readPlain(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch {
    return undefined; // the caller compares hashes; an unreadable file is a difference
  }
}

/** A new file, on the disk when it returns; one that is there already is an error. */
export async function writeDurably(path: string, data: Uint8Array, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.writeFile(data);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sealFolders(root: string, entries: readonly PackEntry[]): Promise<void> {
  const folders = new Set<string>([""]);
  for (const entry of entries) {
    const parts = entry.path.split("/").slice(0, -1);
    parts.forEach((_, depth) => folders.add(parts.slice(0, depth + 1).join("/")));
  }
  for (const folder of [...folders].toSorted().toReversed()) {
    await syncFolder(join(root, folder));
    await chmod(join(root, folder), 0o555);
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
