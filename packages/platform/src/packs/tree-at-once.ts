/**
 * Reads a small tree in one go: a few files that lie in memory anyway cost a tenth of what as many waits cost
 * (bench/RESULTS.md, `python_step_warm_us`).
 *
 * It knows the good case only. Whatever is large, slow or not in order is left to readTree, which takes its time, lets others
 * have the thread and names what is wrong (tree-at-once.test.ts).
 */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { ok, type Clock, type Failure, type Result } from "@rumi/kernel";
import { packDigest, pathProblem, type PackEntry } from "./digest.ts";
import type { PackLimits } from "./limits.ts";
import { readTree, type PackTree } from "./tree.ts";

export const AT_ONCE = { files: 64, folders: 16, bytes: 262_144, ms: 3 } as const;

/** Digest and entries of a folder that is read before each use: at once where it is small. */
export async function readUsedTree(
  root: string,
  limits: PackLimits,
  clock: Pick<Clock, "monotonic">,
): Promise<Result<PackTree, Failure>> {
  const small = readTreeAtOnce(root, limits, clock);
  return small === undefined ? readTree(root, limits) : ok(small);
}

/** The tree, as readTree has it; undefined where that has to look. */
export function readTreeAtOnce(
  root: string,
  limits: PackLimits,
  clock: Pick<Clock, "monotonic">,
): PackTree | undefined {
  const until = clock.monotonic() + AT_ONCE.ms;
  const entries: PackEntry[] = [];
  const folders = [""];
  const room = { bytes: Math.min(AT_ONCE.bytes, limits.bytes) };
  try {
    for (let at = 0; at < folders.length; at += 1) {
      const folder = folders[at] ?? "";
      for (const child of readdirSync(join(root, folder), { withFileTypes: true })) {
        if (clock.monotonic() > until || entries.length >= AT_ONCE.files || folders.length > AT_ONCE.folders)
          return undefined;
        const path = folder === "" ? child.name : `${folder}/${child.name}`;
        if (pathProblem(path, limits) !== undefined) return undefined;
        if (child.isDirectory()) folders.push(path);
        else entries.push(entryOf(root, path, room));
      }
    }
  } catch {
    return undefined; // readTree says what it was
  }
  const digest = packDigest(entries, limits);
  return digest.ok ? { digest: digest.value, entries } : undefined;
}

/** Throws where it is no plain file, or larger than what is left. */
function entryOf(root: string, path: string, room: { bytes: number }): PackEntry {
  const file = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile() || facts.size > room.bytes) throw new Error("not for one go");
    // A byte more than it says: a read that fills it has not met its end.
    const data = Buffer.allocUnsafe(facts.size + 1);
    const bytes = readSync(file, data, 0, data.length, null);
    if (bytes !== facts.size) throw new Error("it changes while it is read");
    room.bytes -= bytes;
    const sha256 = createHash("sha256").update(data.subarray(0, bytes)).digest("hex");
    return { path, mode: (facts.mode & 0o100) !== 0 ? "100755" : "100644", sha256, bytes };
  } finally {
    closeSync(file);
  }
}
