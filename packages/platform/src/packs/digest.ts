/**
 * The pack digest, v1 (frozen: docs/formats/pack-digest.md): what an approval pins.
 *
 * SHA-256 over one line per file, `<mode> <sha256 hex> <path>\n`, the lines sorted by their bytes. It
 * depends on nothing else: not on the archive, its order, its times or its owner.
 *
 * Invariants
 * - Folder, zip and any order of entries give the same digest (digest.test.ts, golden vectors).
 * - Two files whose names differ only in case are refused, so the digest means one tree on every disk.
 */
import { digestOf, err, failure, ok, sha256Hex, type Digest, type Failure, type Result } from "@rumi/kernel";
import type { PackLimits } from "./limits.ts";

export type FileMode = "100644" | "100755";

/** One file of a pack: its path below the pack's root, with `/` between the parts. */
export type PackEntry = {
  readonly path: string;
  readonly mode: FileMode;
  readonly sha256: string;
  readonly bytes: number;
};

/** A file with its bytes, on the way from an archive to the disk. */
export type PackFile = { readonly path: string; readonly mode: FileMode; readonly data: Uint8Array };

export function packEntry(file: PackFile): PackEntry {
  return { path: file.path, mode: file.mode, sha256: sha256Hex(file.data), bytes: file.data.length };
}

/** Digest of a whole tree, or why these entries are no pack. */
export function packDigest(entries: readonly PackEntry[], limits: PackLimits): Result<Digest, Failure> {
  if (entries.length > limits.files) return err(failure("RUMI-PACK-008", { limit: limits.files, unit: "files" }));
  let total = 0;
  const seen = new Set<string>();
  const lines: Buffer[] = [];
  for (const entry of entries) {
    const problem = pathProblem(entry.path, limits);
    if (problem !== undefined) return err(failure("RUMI-PACK-009", { path: printable(entry.path), problem }));
    const folded = entry.path.toLowerCase();
    if (seen.has(folded))
      return err(
        failure("RUMI-PACK-009", { path: entry.path, problem: "another file has the same name apart from case" }),
      );
    seen.add(folded);
    total += entry.bytes;
    lines.push(Buffer.from(`${entry.mode} ${entry.sha256} ${entry.path}\n`, "utf8"));
  }
  if (total > limits.bytes) return err(failure("RUMI-PACK-008", { limit: limits.bytes, unit: "bytes" }));
  lines.sort((a, b) => Buffer.compare(a, b));
  return ok(digestOf(Buffer.concat(lines)));
}

const RESERVED = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Why a path may not be in a pack, or undefined when it may. */
export function pathProblem(path: string, limits: PackLimits): string | undefined {
  if (path === "") return "it has no name";
  if (!path.isWellFormed() || path.includes("\ufffd")) return "its name is not UTF-8";
  if (Buffer.byteLength(path) > limits.path_bytes) return `its name is longer than ${limits.path_bytes} bytes`;
  if (path.startsWith("/")) return "its name is absolute";
  if (/[\p{Cc}\\:*?"<>|]/u.test(path)) return "its name holds a character that some systems cannot write";
  if (path.normalize("NFC") !== path) return "its name is not in Unicode form NFC";
  const parts = path.split("/");
  if (parts.length > limits.path_depth) return `it lies deeper than ${limits.path_depth} folders`;
  for (const part of parts) {
    if (part === "" || part === "." || part === "..") return "its path leads outside or is not plain";
    if (part.endsWith(".") || part.endsWith(" ")) return "a part of its name ends with a dot or a space";
    if (RESERVED.test(part)) return "a part of its name is reserved on some systems";
  }
  return undefined;
}

/** A name that is safe to print in an answer or a log. */
export function printable(path: string): string {
  return JSON.stringify(path.toWellFormed().slice(0, 200)).slice(1, -1);
}
