/**
 * The files of a pack as a run left them: read from the snapshot's objects, each checked against its name, never from a folder.
 *
 * Invariant: what is not in the run's snapshot is in no pack that is built from it
 * (packages/rumi/test/pack-lineage.e2e.test.ts).
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { PACK_LIMITS, type PackFile } from "@rumi/platform";
import type { GitRun } from "../git/git.ts";
import { entriesOf, filesOf, ForgedObject, readObjects, treeOf, type TreeEntry } from "../git/objects.ts";
import { pathText } from "../git/path-text.ts";
import type { Repository } from "../git/repository.ts";

export type Contents = { readonly tree_sha: string; readonly files: readonly PackFile[] };

/** `path`: a folder of the run's tree, from its root, empty for the root itself. */
export async function contentsOf(
  git: GitRun,
  repo: Repository,
  of: { readonly run_id: number; readonly snapshot_sha: string; readonly path: string },
): Promise<Result<Contents, Failure>> {
  try {
    const tree_sha = await folderOf(git, repo, of.snapshot_sha, of.path);
    if (typeof tree_sha !== "string") return err(failure("RUMI-RUN-018", { path: of.path, ...tree_sha }));
    const listed = await filesOf(git, repo, tree_sha, PACK_LIMITS.files * 2);
    if (listed === "too many") return err(failure("RUMI-PACK-008", { limit: PACK_LIMITS.files, unit: "files" }));
    const odd = listed.find(({ mode }) => mode !== "100644" && mode !== "100755");
    if (odd !== undefined) return err(failure("RUMI-PACK-009", { path: pathText(odd.path), problem: kindOf(odd) }));
    return await bytesOf(git, repo, tree_sha, listed);
  } catch (problem) {
    if (!(problem instanceof ForgedObject)) throw problem;
    return err(failure("RUMI-RUN-017", { run_id: of.run_id, problem: problem.message }, { cause: problem }));
  }
}

/** The tree of the folder, or why it is none of the run's. */
async function folderOf(
  git: GitRun,
  repo: Repository,
  snapshot_sha: string,
  path: string,
): Promise<string | { readonly problem: string }> {
  const names = path === "" ? [] : path.split("/");
  if (names.some((name) => name === "" || name === "." || name === "..") || path.includes("\0"))
    return { problem: "it is no plain path from the root of what the run left" };
  let tree = await treeOf(git, repo, snapshot_sha);
  for (const name of names) {
    const found = (await entriesOf(git, repo, tree)).find((entry) => entry.path.equals(Buffer.from(name)));
    if (found === undefined) return { problem: "the run left no such folder" };
    if (found.mode !== "40000") return { problem: `${name} is ${kindOf(found)}, which leads out of what the run left` };
    tree = found.id;
  }
  return tree;
}

async function bytesOf(
  git: GitRun,
  repo: Repository,
  tree_sha: string,
  listed: readonly TreeEntry[],
): Promise<Result<Contents, Failure>> {
  const sizes = await git(["cat-file", "--batch-check=%(objectsize)"], {
    cwd: repo.common_dir,
    input: listed.map(({ id }) => `${id}\n`).join(""),
  });
  const total = sizes
    .toString("latin1")
    .split("\n")
    .reduce((sum, one) => sum + (Number(one) || 0), 0);
  // Each is asked for anew below, and a blob that is larger than it says is none by its name.
  if (total > PACK_LIMITS.bytes) return err(failure("RUMI-PACK-008", { limit: PACK_LIMITS.bytes, unit: "bytes" }));
  const blobs = await readObjects(git, repo, "blob", [...new Set(listed.map(({ id }) => id))]);
  return ok({
    tree_sha,
    files: listed.map(({ path, mode, id }) => ({
      path: path.toString("utf8"),
      mode: mode === "100755" ? "100755" : "100644",
      data: blobs.get(id) ?? Buffer.alloc(0),
    })),
  });
}

function kindOf({ mode }: Pick<TreeEntry, "mode">): string {
  switch (mode) {
    case "120000":
      return "a symbolic link";
    case "160000":
      return "a submodule";
    case "40000":
      return "a folder";
    default:
      return "a file";
  }
}
