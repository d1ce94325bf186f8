/**
 * Reads a folder as a pack: plain files only, without following anything.
 *
 * Invariants: links, devices, sockets and pipes are refused; limits stop the walk early (tree.test.ts).
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { err, failure, ok, type Digest, type Failure, type Result } from "@rumi/kernel";
import { packDigest, pathProblem, printable, type PackEntry } from "./digest.ts";
import type { PackLimits } from "./limits.ts";

export type PackTree = { readonly digest: Digest; readonly entries: readonly PackEntry[] };

const CHUNK_BYTES = 1_048_576;
/** Files of one tree that are read at the same time. */
const FILES_AT_ONCE = 4;
/** What a whole tree may still hold. */
type Room = { left: number; readonly most: number };

/** Digest and entries of the folder `root`; `RUMI-PACK-019` when it is not there. */
export async function readTree(root: string, limits: PackLimits): Promise<Result<PackTree, Failure>> {
  const paths = await listFiles(root, limits);
  if (!paths.ok) return paths;
  const hashed = await hashFiles(root, paths.value, limits.bytes);
  if (!hashed.ok) return hashed;
  const entries = hashed.value;
  const digest = packDigest(entries, limits);
  return digest.ok ? ok({ digest: digest.value, entries }) : digest;
}

/** The first of these files that has another name somewhere, so that it can be changed from there. */
export async function hardLinked(root: string, entries: readonly PackEntry[]): Promise<string | undefined> {
  for (const { path } of entries) {
    const facts = await lstat(join(root, path)).catch(() => undefined);
    if (facts !== undefined && facts.nlink > 1) return path;
  }
  return undefined;
}

async function listFiles(root: string, limits: PackLimits): Promise<Result<readonly string[], Failure>> {
  const found: string[] = [];
  const folders: string[] = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let children;
    try {
      children = await readdir(join(root, folder), { withFileTypes: true });
    } catch (cause) {
      return err(
        failure(
          "RUMI-PACK-019",
          { pack_id: printable(root.split("/").at(-1) ?? root), path: printable(join(root, folder)) },
          { cause },
        ),
      );
    }
    for (const child of children) {
      const path = folder === "" ? child.name : `${folder}/${child.name}`;
      const problem = pathProblem(path, limits) ?? kindProblem(child);
      if (problem !== undefined) return err(failure("RUMI-PACK-009", { path: printable(path), problem }));
      if (child.isDirectory()) folders.push(path);
      else found.push(path);
      if (found.length > limits.files || folders.length > limits.files) {
        return err(failure("RUMI-PACK-008", { limit: limits.files, unit: "files" }));
      }
    }
  }
  return ok(found);
}

function kindProblem(child: {
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
}): string | undefined {
  if (child.isSymbolicLink()) return "it is a symbolic link";
  return child.isDirectory() || child.isFile() ? undefined : "it is neither a file nor a folder";
}

/** A few files side by side, in the order of their paths; `most` bytes in all. */
async function hashFiles(
  root: string,
  paths: readonly string[],
  most: number,
): Promise<Result<readonly PackEntry[], Failure>> {
  const found: Result<PackEntry, Failure>[] = [];
  const room: Room = { left: most, most };
  let next = 0;
  let isRefused = false;
  const walk = async (): Promise<void> => {
    for (let at = next++; at < paths.length && !isRefused; at = next++) {
      const entry = await hashFile(root, paths[at] ?? "", room);
      found[at] = entry;
      isRefused ||= !entry.ok;
    }
  };
  await Promise.all(Array.from({ length: Math.min(FILES_AT_ONCE, paths.length) }, walk));
  const entries: PackEntry[] = [];
  for (const entry of found) {
    if (entry === undefined) continue;
    if (!entry.ok) return entry;
    entries.push(entry.value);
  }
  return ok(entries);
}

async function hashFile(root: string, path: string, room: Room): Promise<Result<PackEntry, Failure>> {
  let file: FileHandle;
  try {
    file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    return err(failure("RUMI-PACK-009", { path, problem: "it cannot be opened as a plain file" }, { cause }));
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile()) return err(failure("RUMI-PACK-009", { path, problem: "it is not a plain file" }));
    const hash = createHash("sha256");
    // A byte more than it says: a read that is not filled has met its end.
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, facts.size + 1));
    let bytes = 0;
    for (let filled = true; filled;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      filled = bytesRead === chunk.length;
      bytes += bytesRead;
      room.left -= bytesRead;
      if (room.left < 0) return err(failure("RUMI-PACK-008", { limit: room.most, unit: "bytes" }));
      hash.update(chunk.subarray(0, bytesRead));
    }
    return ok({ path, mode: (facts.mode & 0o100) !== 0 ? "100755" : "100644", sha256: hash.digest("hex"), bytes });
  } finally {
    await file.close();
  }
}
