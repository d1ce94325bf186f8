/**
 * Reads a .zip or .rumipack (zip) as a pack: what the kernel's reader lists, as far as a pack may hold it.
 *
 * Invariants (staging.test.ts, digest.test.ts): paths that leave the folder, links, devices, encrypted entries, lies about
 * size or checksum, more than one top directory and bombs are refused before anything touches the disk.
 */
import {
  err,
  failure,
  isEncryptedEntry,
  ok,
  unzipEntry,
  zipEntries,
  type Failure,
  type Result,
  type ZipEntry,
} from "@rumi/kernel";
import { zipSync, type Zippable } from "fflate";
import { pathProblem, printable, type FileMode, type PackFile } from "./digest.ts";
import type { PackLimits } from "./limits.ts";

/** What stands before an entry's packed bytes at the least. */
const LOCAL_HEADER_BYTES = 30;
/** A zip knows no earlier one. */
const NO_TIME = new Date(1980, 0, 1);

/** The files below the archive's one top directory, named `top`. */
export function readArchive(
  archive: Uint8Array,
  path: string,
  limits: PackLimits,
): Result<{ readonly top: string; readonly files: readonly PackFile[] }, Failure> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const refuse = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-PACK-010", { path: printable(path), problem }));
  const directory = zipEntries(bytes, limits.files * 2); // folders count as entries of their own
  if (directory === "too many") return err(failure("RUMI-PACK-008", { limit: limits.files, unit: "files" }));
  if (directory === undefined) return refuse("it is not a zip archive, or it is cut off");

  const shared = overlapping(directory);
  if (shared !== undefined) return refuse(`${printable(shared)}: it shares its bytes with another entry`);

  const tops = new Set<string>();
  const files: PackFile[] = [];
  const folders = new Set<string>();
  let total = 0;
  for (const entry of directory) {
    const kind = entryKind(entry);
    if (kind.problem !== undefined)
      return err(failure("RUMI-PACK-009", { path: printable(entry.name), problem: kind.problem }));
    const name = kind.folder ? entry.name.replace(/\/$/, "") : entry.name;
    const problem = pathProblem(name, {
      ...limits,
      path_depth: limits.path_depth + 1,
      path_bytes: limits.path_bytes * 2,
    });
    if (problem !== undefined) return err(failure("RUMI-PACK-009", { path: printable(entry.name), problem }));
    const slash = name.indexOf("/");
    tops.add(slash === -1 ? (kind.folder ? name : "") : name.slice(0, slash));
    if (kind.folder) {
      folders.add(name);
      continue;
    }
    for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1)) folders.add(name.slice(0, at));
    total += entry.size;
    if (total > limits.bytes) return err(failure("RUMI-PACK-008", { limit: limits.bytes, unit: "bytes" }));
    const data = unzipEntry(bytes, entry);
    if (typeof data === "string") return refuse(`${printable(entry.name)}: ${data}`);
    files.push({ path: name.slice(slash + 1), mode: kind.mode, data });
  }
  const [top] = tops;
  if (tops.size !== 1 || top === undefined || top === "")
    return err(failure("RUMI-PACK-011", { path: printable(path), count: tops.has("") ? 0 : tops.size }));
  const both = files.find(({ path }) => folders.has(`${top}/${path}`));
  if (both !== undefined)
    return err(failure("RUMI-PACK-009", { path: printable(both.path), problem: "a folder has the same name" }));
  return ok({ top, files });
}

/** The name of an entry whose packed bytes are partly another's: one small piece that unpacks many times over. */
function overlapping(entries: readonly ZipEntry[]): string | undefined {
  let end = 0;
  for (const { name, local, packed } of entries.toSorted((a, b) => a.local - b.local)) {
    if (local < end) return name;
    end = local + LOCAL_HEADER_BYTES + packed;
  }
  return undefined;
}

function entryKind(entry: ZipEntry): {
  readonly folder: boolean;
  readonly mode: FileMode;
  readonly problem?: string;
} {
  const type = entry.unix & 0o170000;
  const folder = entry.name.endsWith("/");
  const mode: FileMode = (entry.unix & 0o100) !== 0 ? "100755" : "100644";
  if (type === 0o120000) return { folder, mode, problem: "it is a symbolic link" };
  if (type !== 0 && type !== 0o100000 && type !== 0o040000)
    return { folder, mode, problem: "it is neither a file nor a folder" };
  if ((type === 0o040000) !== folder && type !== 0) return { folder, mode, problem: "its name and its kind disagree" };
  if (isEncryptedEntry(entry)) return { folder, mode, problem: "it is encrypted" };
  return { folder, mode };
}

/** The same files give the same bytes: no times, names in order, one top folder. */
export function writeArchive(top: string, files: readonly PackFile[]): Uint8Array {
  const tree: Zippable = {};
  for (const { path, mode, data } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
    tree[`${top}/${path}`] = [data, { mtime: NO_TIME, os: 3, attrs: Number.parseInt(mode, 8) * 65_536, level: 6 }];
  return zipSync(tree);
}
