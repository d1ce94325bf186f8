/**
 * What of the repository outside a run's worktree changed while it went on, for hosts that cannot hold it back: its main working
 * tree, and git's own settings and hooks. Looks at kind, size, times and inode of each file, and reads none.
 */
import { lstatSync, readdirSync, type Dirent } from "node:fs";
import { join, relative } from "node:path";
import { createTurns } from "../git/turns.ts";
import { RUN_LIMITS } from "../limits.ts";

export type Fingerprints = ReadonlyMap<string, string>;

export const keptText = (found: Fingerprints): string => JSON.stringify([...found]);
export const fromKept = (text: string): Fingerprints =>
  new Map(JSON.parse(text) as readonly (readonly [string, string])[]);

/** Of git's own folder only what can lead somebody else's git astray; objects and refs change while people work. */
const GIT_FILES = ["config", "config.worktree", "info/attributes", "info/exclude", "hooks"];

export async function fingerprints(root: string, common_dir: string): Promise<Fingerprints> {
  const turns = createTurns();
  const found = new Map<string, string>();
  const note = (path: string): void => {
    if (found.size >= RUN_LIMITS.tree_entries)
      throw new Error(`the repository holds more than ${RUN_LIMITS.tree_entries} entries`);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return; // people work there: it went meanwhile
    const { mode, size, mtimeMs, ctimeMs, ino } = stat;
    found.set(relative(root, path), `${mode} ${size} ${mtimeMs} ${ctimeMs} ${ino}`);
  };
  const walk = async (folder: string): Promise<void> => {
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (path === common_dir || entry.name === ".git") continue;
      if (entry.isDirectory()) await walk(path);
      else note(path);
      await turns.next();
    }
  };
  if (root !== common_dir) await walk(root);
  for (const name of GIT_FILES) {
    const path = join(common_dir, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) await walk(path);
    else if (stat !== undefined) note(path);
  }
  return found;
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== "ENOENT") throw problem;
    return [];
  }
}

/** Paths that came, went or changed, relative to the repository, in order. */
export function changedBetween(before: Fingerprints, after: Fingerprints): readonly string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((path) => before.get(path) !== after.get(path)).toSorted();
}
