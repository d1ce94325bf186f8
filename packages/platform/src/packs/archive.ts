/**
 * Reads a .zip or .rumipack (zip) as a pack: its own reader of the central directory, because a library
 * that hides modes and links from us cannot refuse them.
 *
 * Invariants (archive.test.ts): paths that leave the folder, links, devices, encrypted entries, lies about
 * size or checksum, more than one top directory and bombs are refused before anything touches the disk.
 */
import { crc32, inflateRawSync } from "node:zlib";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { pathProblem, printable, type FileMode, type PackFile } from "./digest.ts";
import type { PackLimits } from "./limits.ts";

const END_SIGNATURE = 0x06054b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;

type CentralEntry = {
  readonly name: string;
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly unix: number;
  readonly local: number;
};

/** The files below the archive's one top directory, named `top`. */
export function readArchive(
  archive: Uint8Array,
  path: string,
  limits: PackLimits,
): Result<{ readonly top: string; readonly files: readonly PackFile[] }, Failure> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const refuse = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-PACK-010", { path: printable(path), problem }));
  const directory = centralDirectory(bytes, limits);
  if (directory === "too many") return err(failure("RUMI-PACK-008", { limit: limits.files, unit: "files" }));
  if (directory === undefined) return refuse("it is not a zip archive, or it is cut off");

  const tops = new Set<string>();
  const files: PackFile[] = [];
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
    if (kind.folder) continue;
    total += entry.size;
    if (total > limits.bytes) return err(failure("RUMI-PACK-008", { limit: limits.bytes, unit: "bytes" }));
    const data = unpack(bytes, entry);
    if (typeof data === "string") return refuse(`${printable(entry.name)}: ${data}`);
    files.push({ path: name.slice(slash + 1), mode: kind.mode, data });
  }
  const [top] = tops;
  if (tops.size !== 1 || top === undefined || top === "")
    return err(failure("RUMI-PACK-011", { path: printable(path), count: tops.has("") ? 0 : tops.size }));
  return ok({ top, files });
}

function centralDirectory(bytes: Buffer, limits: PackLimits): readonly CentralEntry[] | "too many" | undefined {
  const end = findEnd(bytes);
  if (end === undefined) return undefined;
  const count = bytes.readUInt16LE(end + 10);
  if (count > limits.files * 2) return "too many"; // folders count as entries of their own
  const entries: CentralEntry[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let i = 0; i < count; i += 1) {
    if (at + 46 > end || bytes.readUInt32LE(at) !== CENTRAL_SIGNATURE) return undefined;
    const nameLength = bytes.readUInt16LE(at + 28);
    if (at + 46 + nameLength > end) return undefined;
    entries.push({
      name: bytes.toString("utf8", at + 46, at + 46 + nameLength),
      flags: bytes.readUInt16LE(at + 8),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packed: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      unix: bytes.readUInt8(at + 5) === 3 ? bytes.readUInt16LE(at + 40) : 0,
      local: bytes.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return at === end ? entries : undefined;
}

function findEnd(bytes: Buffer): number | undefined {
  const lowest = Math.max(0, bytes.length - END_BYTES - LONGEST_COMMENT);
  for (let at = bytes.length - END_BYTES; at >= lowest; at -= 1) {
    if (bytes.readUInt32LE(at) === END_SIGNATURE && at + END_BYTES + bytes.readUInt16LE(at + 20) === bytes.length)
      return at;
  }
  return undefined;
}

function entryKind(entry: CentralEntry): {
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
  if ((entry.flags & 0x41) !== 0) return { folder, mode, problem: "it is encrypted" };
  return { folder, mode };
}

/** The entry's bytes, or what is wrong with it. */
function unpack(bytes: Buffer, entry: CentralEntry): Uint8Array | string {
  if (entry.local + 30 > bytes.length || bytes.readUInt32LE(entry.local) !== LOCAL_SIGNATURE)
    return "its local header is missing";
  const start = entry.local + 30 + bytes.readUInt16LE(entry.local + 26) + bytes.readUInt16LE(entry.local + 28);
  if (start + entry.packed > bytes.length) return "it is cut off";
  const packed = bytes.subarray(start, start + entry.packed);
  let data: Uint8Array;
  if (entry.method === 0) data = packed;
  else if (entry.method === 8) {
    try {
      data = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
    } catch {
      return "it does not unpack to the size that it claims";
    }
  } else return `its compression method ${entry.method} is not stored or deflated`;
  if (data.length !== entry.size) return "it does not unpack to the size that it claims";
  return crc32(data) >>> 0 === entry.crc ? data : "its checksum is wrong";
}
