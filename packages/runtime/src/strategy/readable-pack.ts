/**
 * A pack where the user of a container can read it. The home is its owner's alone; a container that is run for root has
 * another user (nobody), and an engine has no namespaces of ours that would make the two the same.
 *
 * Invariant: nothing but the copy gets other rights, whatever a link in the pack points at (readable-pack.test.ts).
 */
import { chmodSync, cpSync, lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { JailMechanism } from "@rumi/sandbox";

export type ReadablePack = { readonly pack_dir: string; readonly script: string; readonly remove: () => void };

/** The pack itself, or a copy for as long as the strategy lives. */
export function readablePack(pack_dir: string, script: string, mechanism: JailMechanism): ReadablePack {
  if (mechanism !== "docker" || process.getuid?.() !== 0) return { pack_dir, script, remove: () => undefined };
  const copy = readableCopy(pack_dir);
  return {
    pack_dir: copy,
    script: join(copy, relative(pack_dir, script)),
    remove: () => rmSync(copy, { recursive: true, force: true }),
  };
}

/** A folder of its own, for everybody to read and for nobody else to write. */
export function readableCopy(pack_dir: string): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), "rumi-pack-")));
  cpSync(pack_dir, copy, { recursive: true });
  chmodSync(copy, 0o755);
  for (const entry of readdirSync(copy, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue; // its rights are those of what it points at, and that is not ours
    const path = join(entry.parentPath, entry.name);
    // Whether a file can be executed is part of what was approved.
    const isProgram = !entry.isDirectory() && (lstatSync(path).mode & 0o100) !== 0;
    chmodSync(path, entry.isDirectory() ? 0o755 : isProgram ? 0o555 : 0o444);
  }
  return copy;
}
