/**
 * Looks through a run's tree for what git would pass over or trip on: repositories inside it, and files that are neither
 * file nor folder nor link. Reads names and kinds only; paths are bytes.
 *
 * Invariant (tree-walk.test.ts): however many files there are, in one folder or in many, others have the thread in between.
 */
import {
  chmodSync,
  lstatSync,
  opendirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  type Dir,
  type Dirent,
} from "node:fs";
import { RUN_LIMITS } from "../limits.ts";
import { createTurns, type Turns } from "./turns.ts";

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
/** Entries of a folder that are read in one go. */
const FOLDER_READ = 128;

/** Throws where the tree holds more than `RUN_LIMITS.tree_entries` or cannot be read. */
export async function lookThrough(root: string): Promise<Found> {
  const turns = createTurns();
  const nested: Buffer[] = [];
  const special: Buffer[] = [];
  const deep: Buffer[] = [];
  let entries = 0;
  const waiting: Buffer[] = [Buffer.alloc(0)];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for await (const entry of entriesOf(absolute(root, folder), turns)) {
      entries += 1;
      if (entries > RUN_LIMITS.tree_entries)
        throw new Error(`the tree holds more than ${RUN_LIMITS.tree_entries} entries`);
      const path = below(folder, entry.name);
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
export async function removeAll(path: string): Promise<void> {
  try {
    await empty(path);
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).syscall === undefined) throw problem; // what is left is taken now, or it is said why not
  }
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== "ENAMETOOLONG") throw problem;
    const { deep } = await lookThrough(path);
    for (const [index, folder] of deep.entries()) {
      const beside = `${path}.deep-${index}`;
      renameSync(absolute(path, folder), beside);
      await removeAll(beside);
    }
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Takes out of a folder what can be taken out; a link to one is left alone. */
async function empty(root: string): Promise<void> {
  if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const turns = createTurns();
  const waiting: Buffer[] = [Buffer.alloc(0)];
  const emptied: Buffer[] = [];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const at = absolute(root, folder);
    emptied.push(at);
    chmodSync(at, 0o700); // the run may have taken its own permissions away
    for await (const entry of entriesOf(at, turns)) {
      const path = below(folder, entry.name);
      if (!entry.isDirectory()) unlinkSync(absolute(root, path));
      else if (!isTooLong(root, path)) waiting.push(path);
    }
  }
  for (const folder of emptied.toReversed()) {
    await turns.next();
    try {
      rmdirSync(folder);
    } catch (problem) {
      if ((problem as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw problem; // something too deep is below it
    }
  }
}

async function* entriesOf(folder: Buffer, turns: Turns): AsyncGenerator<Dirent<Buffer>> {
  const dir = openFolder(folder);
  try {
    for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
      yield entry as unknown as Dirent<Buffer>;
      await turns.next();
    }
  } finally {
    dir.closeSync();
  }
}

function openFolder(folder: Buffer): Dir {
  // Its names are bytes; the type does not know that this may be asked for.
  const open = () => opendirSync(folder, { encoding: "buffer" as BufferEncoding, bufferSize: FOLDER_READ });
  try {
    return open();
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== "EACCES") throw problem;
    chmodSync(folder, 0o700);
    return open();
  }
}

/** Gives their owner the right to read every file of the tree; whether a file is executable stays as it is. */
export async function makeReadable(root: string): Promise<void> {
  const turns = createTurns();
  const waiting: Buffer[] = [Buffer.alloc(0)];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop())
    for await (const entry of entriesOf(absolute(root, folder), turns)) {
      const path = below(folder, entry.name);
      if (entry.isDirectory()) {
        if (!isTooLong(root, path)) waiting.push(path);
      } else if (entry.isFile()) {
        const { mode } = lstatSync(absolute(root, path));
        if ((mode & 0o400) === 0) chmodSync(absolute(root, path), (mode & 0o777) | 0o400);
      }
    }
}

/** Files and links below a folder, its repositories' own `.git` left out; paths from `root`. */
export async function filesBelow(
  root: string,
  folder: Buffer,
): Promise<readonly { readonly path: Buffer; readonly mode: string }[]> {
  const turns = createTurns();
  const found: { path: Buffer; mode: string }[] = [];
  const waiting = [folder];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop())
    for await (const entry of entriesOf(absolute(root, at), turns)) {
      if (entry.name.equals(DOT_GIT)) continue;
      const path = below(at, entry.name);
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

const below = (folder: Buffer, name: Buffer): Buffer =>
  folder.length === 0 ? name : Buffer.concat([folder, SLASH, name]);
