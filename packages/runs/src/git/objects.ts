/**
 * Git's objects read without believing the repository: the name of each is computed from its bytes again, since whoever may
 * write to a repository's objects may put other bytes under a name.
 *
 * Invariant (objects.test.ts): an object whose bytes do not give its name is never returned.
 */
import { createHash } from "node:crypto";
import { RUN_LIMITS } from "../limits.ts";
import type { GitRun } from "./git.ts";
import type { Repository } from "./repository.ts";

export class ForgedObject extends Error {}

type Kind = "commit" | "tree" | "blob";
export type TreeEntry = { readonly mode: string; readonly path: Buffer; readonly id: string };

export function objectId(format: Repository["object_format"], kind: Kind, data: Uint8Array): string {
  return createHash(format).update(`${kind} ${data.length}\0`).update(data).digest("hex");
}

/** The bytes of these objects; throws a `ForgedObject` where one is not there, is of another kind, or is not what its name says. */
export async function readObjects(
  git: GitRun,
  { common_dir, object_format }: Pick<Repository, "common_dir" | "object_format">,
  kind: Kind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  if (ids.length === 0) return found;
  const answer = await git(["cat-file", "--batch"], { cwd: common_dir, input: ids.map((id) => `${id}\n`).join("") });
  let at = 0;
  for (const id of ids) {
    const end = answer.indexOf(10, at);
    const [name, type, size = ""] = answer.subarray(at, end).toString("latin1").split(" ");
    if (end < 0 || name !== id || type !== kind || !/^\d+$/.test(size))
      throw new ForgedObject(`there is no ${kind} ${id}`);
    const data = answer.subarray(end + 1, end + 1 + Number(size));
    at = end + 1 + Number(size) + 1;
    if (objectId(object_format, kind, data) !== id) throw new ForgedObject(`the bytes of the ${kind} ${id} are others`);
    found.set(id, data);
  }
  return found;
}

/** The tree that a commit names. */
export async function treeOf(git: GitRun, repo: Repository, commit: string): Promise<string> {
  const data = (await readObjects(git, repo, "commit", [commit])).get(commit);
  const tree = /^tree ([0-9a-f]+)\n/.exec(data?.toString("latin1") ?? "")?.[1];
  if (tree === undefined) throw new ForgedObject(`the commit ${commit} names no tree`);
  return tree;
}

export async function entriesOf(git: GitRun, repo: Repository, tree: string): Promise<readonly TreeEntry[]> {
  const data = (await readObjects(git, repo, "tree", [tree])).get(tree) ?? Buffer.alloc(0);
  return parseTree(data, repo.object_format);
}

/** Every file, link and submodule below a tree, folder by folder; throws where there are more than `most`. */
export async function filesOf(
  git: GitRun,
  repo: Repository,
  tree: string,
  most: number = RUN_LIMITS.tree_entries,
): Promise<readonly TreeEntry[] | "too many"> {
  const files: TreeEntry[] = [];
  let seen = 0;
  let level: readonly { readonly path: Buffer; readonly id: string }[] = [{ path: Buffer.alloc(0), id: tree }];
  while (level.length > 0) {
    const data = await readObjects(git, repo, "tree", [...new Set(level.map(({ id }) => id))]);
    const next: { readonly path: Buffer; readonly id: string }[] = [];
    for (const folder of level)
      for (const entry of parseTree(data.get(folder.id) ?? Buffer.alloc(0), repo.object_format)) {
        seen += 1;
        if (seen > most) return "too many";
        const path = folder.path.length === 0 ? entry.path : Buffer.concat([folder.path, Buffer.from("/"), entry.path]);
        if (entry.mode === "40000") next.push({ path, id: entry.id });
        else files.push({ ...entry, path });
      }
    level = next;
  }
  return files;
}

function parseTree(data: Buffer, format: Repository["object_format"]): readonly TreeEntry[] {
  const idBytes = format === "sha256" ? 32 : 20;
  const entries: TreeEntry[] = [];
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const end = data.indexOf(0, space);
    if (space < 0 || end < 0 || end + idBytes >= data.length + 1) throw new ForgedObject("a tree is cut off");
    const id = data.subarray(end + 1, end + 1 + idBytes).toString("hex");
    entries.push({ mode: data.subarray(at, space).toString("latin1"), path: data.subarray(space + 1, end), id });
    at = end + 1 + idBytes;
  }
  return entries;
}
