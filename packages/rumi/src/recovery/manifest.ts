/**
 * What a backup's folder holds, file by file with its digest, and which log is in it.
 *
 * Invariant (recovery.test.ts): a file that is missing, added or other than the manifest says makes the backup unsound.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { err, failure, ok, type Environment, type Failure, type Result } from "@rumi/kernel";

export const MANIFEST_FILE = "manifest.json";

export type BackupFile = { readonly path: string; readonly bytes: number; readonly sha256: string };
export type Manifest = {
  readonly schema_version: 1;
  readonly backup_id: string;
  readonly made_at: string;
  readonly version: string;
  readonly home: { readonly home_id: string; readonly environment: Environment; readonly layout_version: number };
  readonly log: { readonly vkey: string; readonly checkpoint: string; readonly size: number };
  readonly files: readonly BackupFile[];
};

/** Everything below the folder but the manifest itself, by path. */
export function filesBelow(folder: string): readonly BackupFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => {
      const bytes = readFileSync(path);
      return {
        path: relative(folder, path),
        bytes: bytes.length,
        sha256: createHash("sha256").update(bytes).digest("hex"),
      };
    })
    .filter(({ path }) => path !== MANIFEST_FILE)
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export const unsound = (problem: string): Result<never, Failure> => err(failure("RUMI-STO-014", { problem }));

/** The manifest, once every file is what it says. */
export function readBackup(folder: string): Result<Manifest, Failure> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(readFileSync(join(folder, MANIFEST_FILE), "utf8")) as Manifest;
  } catch {
    return unsound(`${MANIFEST_FILE} cannot be read`);
  }
  if (manifest.schema_version !== 1 || !Array.isArray(manifest.files))
    return unsound(`${MANIFEST_FILE} is none of this version`);
  const found = new Map(filesBelow(folder).map((file) => [file.path, file]));
  for (const { path, bytes, sha256 } of manifest.files) {
    const file = found.get(path);
    if (file === undefined) return unsound(`${path} is missing`);
    if (file.bytes !== bytes || file.sha256 !== sha256) return unsound(`${path} is not what was backed up`);
    found.delete(path);
  }
  const [stranger] = found.keys();
  return stranger === undefined ? ok(manifest) : unsound(`${stranger} was not backed up`);
}
