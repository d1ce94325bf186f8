/**
 * What a boxed run may write of its repository: objects and a branch of its own, which nobody else's git ever reads.
 *
 * How to think: whoever writes to a repository's objects may put other bytes under a name, and git reads them without a word;
 * whoever writes below its branches may move another run's. So the box has a folder of its own where the repository's objects
 * are, with the real ones behind it, and a folder of its own where the runs' branches are. When the command has ended, its
 * commits are fetched out of there, as from a stranger: git computes every name anew, and what does not fit is not taken.
 *
 * Invariant: nothing that a boxed run writes is in the repository before it was fetched
 * (packages/rumi/test/runs-hostile.e2e.test.ts).
 */
import { copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { BoxedCommand } from "../process/box.ts";
import { GitProblem, line, type GitRun } from "./git.ts";
import { evidenceEnv, type Repository, type Worktree } from "./repository.ts";

export type PrivateParts = {
  /** Stands where the repository's objects are. */
  readonly objects: string;
  /** The repository's own objects are behind that, here. */
  readonly base: string;
  /** Stand where the runs' branches and their reflogs are. */
  readonly refs: string;
  readonly logs: string;
};

const SHA = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

export function privateParts(folder: string): PrivateParts {
  const at = join(folder, "private");
  return { objects: join(at, "objects"), base: join(at, "base"), refs: join(at, "refs"), logs: join(at, "logs") };
}

/** Made afresh before the command starts. */
export function preparePrivate({ common_dir }: Repository, { branch, base_sha }: Worktree, parts: PrivateParts): void {
  rmSync(dirname(parts.objects), { recursive: true, force: true });
  for (const folder of [join(parts.objects, "info"), join(parts.objects, "pack"), parts.base, parts.refs, parts.logs])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const behind = [parts.base, ...alternatesOf(join(common_dir, "objects"))];
  writeFileSync(join(parts.objects, "info/alternates"), behind.map((path) => `${path}\n`).join(""));
  writeFileSync(join(parts.refs, basename(branch)), `${base_sha}\n`);
  const log = join(common_dir, "logs/refs/heads", branch);
  if (existsSync(log)) copyFileSync(log, join(parts.logs, basename(branch)));
}

/** Where a repository has further objects, as far as git itself would look. */
function alternatesOf(objects: string, depth = 5): readonly string[] {
  const file = join(objects, "info/alternates");
  if (depth === 0 || !existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((path) => path !== "" && !path.startsWith("#"))
    .flatMap((path) => {
      const at = isAbsolute(path) ? path : resolve(objects, path);
      return [at, ...alternatesOf(at, depth - 1)];
    });
}

/** Laid over each other in this order. */
export function privateMounts(
  { root, common_dir }: Repository,
  { git_dir, branch }: Worktree,
  parts: PrivateParts,
): BoxedCommand["mounts"] {
  const objects = join(common_dir, "objects");
  const refs = join(common_dir, "refs/heads", dirname(branch));
  const logs = join(common_dir, "logs/refs/heads", dirname(branch));
  for (const folder of [refs, logs]) mkdirSync(folder, { recursive: true });
  const read = (path: string, from = path) => ({ path, from, access: "read" }) as const;
  const write = (path: string, from = path) => ({ path, from, access: "write" }) as const;
  return [
    read(root),
    read(common_dir),
    ...alternatesOf(objects)
      .filter((path) => existsSync(path))
      .map((path) => read(path)),
    read(parts.base, objects),
    write(objects, parts.objects),
    read(join(objects, "info"), join(parts.objects, "info")),
    write(refs, parts.refs),
    write(logs, parts.logs),
    write(git_dir),
    ...["commondir", "gitdir"].map((name) => read(join(git_dir, name))),
  ];
}

/** What the run's HEAD and its branch name, as its own files say it; undefined where they name nothing that can be a commit. */
export function privateHeads(
  { git_dir, branch }: Worktree,
  parts: PrivateParts,
): { readonly head: string | undefined; readonly tip: string | undefined } {
  const tip = shaIn(join(parts.refs, basename(branch)));
  const head = textOf(join(git_dir, "HEAD"));
  return { head: head === `ref: refs/heads/${branch}` ? tip : SHA.test(head ?? "") ? head : undefined, tip };
}

const shaIn = (path: string): string | undefined => {
  const text = textOf(path);
  return text !== undefined && SHA.test(text) ? text : undefined;
};

/** A small plain file's text. A run may have put anything there. */
function textOf(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size < 1_024 ? readFileSync(path, "utf8").trim() : undefined;
}

/** Takes a commit, with all that it needs, into the repository; false where it is not whole or not what its names say. */
export async function fetchPrivate(
  git: GitRun,
  repo: Repository,
  of: { readonly parts: PrivateParts; readonly evidence: string; readonly sha: string },
): Promise<boolean> {
  const stranger = join(dirname(of.parts.objects), "stranger.git");
  rmSync(stranger, { recursive: true, force: true });
  await git(["init", "--quiet", "--bare", "--template=", `--object-format=${repo.object_format}`, stranger]);
  const objects = join(repo.common_dir, "objects");
  writeFileSync(join(stranger, "objects/info/alternates"), `${of.parts.objects}\n${objects}\n`);
  const words = ["--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules", "--quiet"];
  const allow = ["-c", "protocol.file.allow=always", "-c", "fetch.writeCommitGraph=false"];
  const upload = "git -c uploadpack.allowAnySHA1InWant=true upload-pack";
  try {
    await git([...allow, "fetch", ...words, `--upload-pack=${upload}`, stranger, of.sha], {
      env: evidenceEnv(repo, of.evidence),
    });
    return line(await git(["cat-file", "-t", of.sha], { cwd: repo.common_dir })) === "commit";
  } catch (problem) {
    if (problem instanceof GitProblem) return false;
    throw problem;
  } finally {
    rmSync(stranger, { recursive: true, force: true });
  }
}

/** The run's commits come into the repository, and its branch to where it left it; the commit that its HEAD names, or the last that could be had. */
export async function takeCommits(
  git: GitRun,
  repo: Repository,
  worktree: Worktree,
  of: { readonly parts: PrivateParts; readonly evidence: string },
): Promise<string> {
  const { head, tip } = privateHeads(worktree, of.parts);
  const take = async (sha: string | undefined): Promise<boolean> =>
    sha !== undefined && (sha === worktree.base_sha || (await fetchPrivate(git, repo, { ...of, sha })));
  const hasTip = await take(tip);
  if (hasTip && tip !== undefined)
    await git(["update-ref", `refs/heads/${worktree.branch}`, tip], { cwd: repo.common_dir });
  if (head !== undefined && head !== tip && (await take(head))) return head;
  return hasTip && tip !== undefined ? tip : worktree.base_sha;
}
