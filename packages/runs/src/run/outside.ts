/**
 * What of the repository outside a run's worktree changed while it went on, for hosts that cannot hold it back: its main working
 * tree, and git's own settings and hooks. Looks at kind, size, times and inode of each file, and reads none.
 */
import { lstatSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { RUN_LIMITS } from "../limits.ts";

export type Fingerprints = ReadonlyMap<string, string>;

export const keptText = (found: Fingerprints): string => JSON.stringify([...found]);
export const fromKept = (text: string): Fingerprints =>
  new Map(JSON.parse(text) as readonly (readonly [string, string])[]);

/** Of git's own folder only what can lead somebody else's git astray; objects and refs change while people work. */
const GIT_FILES = ["config", "config.worktree", "info/attributes", "info/exclude", "hooks"];

export function fingerprints(root: string, common_dir: string): Fingerprints {
  const found = new Map<string, string>();
  const note = (path: string): void => {
    if (found.size >= RUN_LIMITS.tree_entries)
      throw new Error(`the repository holds more than ${RUN_LIMITS.tree_entries} entries`);
    const { mode, size, mtimeMs, ctimeMs, ino } = lstatSync(path);
    found.set(relative(root, path), `${mode} ${size} ${mtimeMs} ${ctimeMs} ${ino}`);
  };
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (path === common_dir || entry.name === ".git") continue;
      if (entry.isDirectory()) walk(path);
      else note(path);
    }
  };
  if (root !== common_dir) walk(root);
  for (const name of GIT_FILES) {
    const path = join(common_dir, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) walk(path);
    else if (stat !== undefined) note(path);
  }
  return found;
}

/** Paths that came, went or changed, relative to the repository, in order. */
export function changedBetween(before: Fingerprints, after: Fingerprints): readonly string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((path) => before.get(path) !== after.get(path)).toSorted();
}
