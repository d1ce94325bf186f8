/**
 * Looks through a run's tree for what git would pass over or trip on: repositories inside it, and files that are neither
 * file nor folder nor link. Reads names and kinds only; paths are bytes.
 */
import { chmodSync, lstatSync, readdirSync, renameSync, rmSync, type Dirent } from "node:fs";
import { RUN_LIMITS } from "../limits.ts";

export type Found = {
  /** Folders that hold a `.git`, the tree's own root not among them. */
  readonly nested: readonly Buffer[];
  /** Sockets, pipes, devices. */
  readonly special: readonly Buffer[];
  /** Folders too deep to be named in one go: nobody looked below them. */
  readonly deep: readonly Buffer[];
};

const SLASH = Buffer.from("/");
const DOT_GIT = Buffer.from(".git");

/** Throws where the tree holds more than `RUN_LIMITS.tree_entries` or cannot be read. */
export function lookThrough(root: string): Found {
  const nested: Buffer[] = [];
  const special: Buffer[] = [];
  const deep: Buffer[] = [];
  let entries = 0;
  const waiting: Buffer[] = [Buffer.alloc(0)];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const entry of entriesOf(absolute(root, folder))) {
      entries += 1;
      if (entries > RUN_LIMITS.tree_entries)
        throw new Error(`the tree holds more than ${RUN_LIMITS.tree_entries} entries`);
      const path = folder.length === 0 ? entry.name : Buffer.concat([folder, SLASH, entry.name]);
      const isGit = entry.name.equals(DOT_GIT);
      if (isGit && folder.length > 0) nested.push(folder);
      if (isGit) continue;
      if (entry.isDirectory()) (isTooLong(root, path) ? deep : waiting).push(path);
      else if (!entry.isFile() && !entry.isSymbolicLink()) special.push(path);
    }
  }
  return { nested, special, deep };
}

/** A name has at most 255 bytes, so that everything directly in a folder that is not too long can still be named. */
const isTooLong = (root: string, path: Buffer): boolean =>
  Buffer.byteLength(root) + path.length > RUN_LIMITS.path_bytes - 257;

/** Removes a tree, however deep it is: what cannot be named from above is moved up first. */
export function removeAll(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== "ENAMETOOLONG") throw problem;
    const { deep } = lookThrough(path);
    for (const [index, folder] of deep.entries()) {
      const beside = `${path}.deep-${index}`;
      renameSync(absolute(path, folder), beside);
      removeAll(beside);
    }
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

function entriesOf(folder: Buffer): readonly Dirent<Buffer>[] {
  const read = () => readdirSync(folder, { withFileTypes: true, encoding: "buffer" });
  try {
    return read();
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== "EACCES") throw problem;
    chmodSync(folder, 0o700);
    return read();
  }
}

/** Gives their owner the right to read every file of the tree; whether a file is executable stays as it is. */
export function makeReadable(root: string): void {
  const waiting: Buffer[] = [Buffer.alloc(0)];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop())
    for (const entry of entriesOf(absolute(root, folder))) {
      const path = folder.length === 0 ? entry.name : Buffer.concat([folder, SLASH, entry.name]);
      if (entry.isDirectory()) {
        if (!isTooLong(root, path)) waiting.push(path);
      } else if (entry.isFile()) {
        const { mode } = lstatSync(absolute(root, path));
        if ((mode & 0o400) === 0) chmodSync(absolute(root, path), (mode & 0o777) | 0o400);
      }
    }
}

/** Files and links below a folder, its repositories' own `.git` left out; paths from `root`. */
export function filesBelow(root: string, folder: Buffer): readonly { readonly path: Buffer; readonly mode: string }[] {
  const found: { path: Buffer; mode: string }[] = [];
  const waiting = [folder];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop())
    for (const entry of entriesOf(absolute(root, at))) {
      if (entry.name.equals(DOT_GIT)) continue;
      const path = Buffer.concat([at, SLASH, entry.name]);
      if (entry.isDirectory()) {
        if (!isTooLong(root, path)) waiting.push(path);
      } else if (entry.isSymbolicLink()) found.push({ path, mode: "120000" });
      else if (entry.isFile())
        found.push({ path, mode: (lstatSync(absolute(root, path)).mode & 0o100) === 0 ? "100644" : "100755" });
    }
  return found;
}

export const absolute = (root: string, path: Buffer): Buffer =>
  path.length === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(root), SLASH, path]);
