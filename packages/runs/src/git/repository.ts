/**
 * What a run needs of its repository: a fresh worktree, what it left as a commit, what that changed, a clean checkout.
 *
 * `refs/rumi/runs/<id>` keeps the snapshot; the run's own branch `rumi/run-<id>` is the run's. Evidence never touches either
 * tree or index that people work in.
 *
 * Invariants (repository.test.ts)
 * - The snapshot holds every file and link of the tree: untracked, ignored, in repositories inside it, with any name.
 * - The same tree gives the same tree id, whatever attributes and filters the repository's configuration names.
 */
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { GitProblem, line, parts, type GitRun } from "./git.ts";
import { pathForGlobs, pathText } from "./path-text.ts";
import { absolute, filesBelow, lookThrough, makeReadable, removeAll } from "./tree-walk.ts";
import { createTurns } from "./turns.ts";

export type Repository = {
  /** Where its working tree is, or the bare repository itself. */
  readonly root: string;
  /** What all its worktrees share. */
  readonly common_dir: string;
  readonly object_format: "sha1" | "sha256";
};
export type Worktree = {
  readonly path: string;
  /** The worktree's own git directory, inside the common one. */
  readonly git_dir: string;
  readonly branch: string;
  readonly base_sha: string;
};
export type Changed = { readonly text: string; readonly glob_text: string };
export type Snapshot = {
  readonly head_sha: string;
  readonly snapshot_sha: string;
  readonly worktree_dirty: boolean;
  readonly nested: readonly { readonly path: Changed; readonly kind: "nested_repository" | "submodule_content" }[];
  readonly special: readonly Changed[];
};
export type DiffStat = { readonly added: number; readonly removed: number; readonly files: number };
export type Difference = { readonly changed: readonly Changed[]; readonly diff_stat: DiffStat };

export const snapshotRef = (run_id: number): string => `refs/rumi/runs/${run_id}`;
export const runBranch = (run_id: number): string => `rumi/run-${run_id}`;

/** Rejects with a `GitProblem` where `path` is in no repository. */
export async function openRepository(git: GitRun, path: string): Promise<Repository> {
  const answer = line(
    await git(["rev-parse", "--path-format=absolute", "--git-common-dir", "--show-object-format"], { cwd: path }),
  );
  const [common_dir = "", format] = answer.split("\n");
  const bare = line(await git(["rev-parse", "--is-bare-repository"], { cwd: path })) === "true";
  const root = bare
    ? common_dir
    : line(await git(["rev-parse", "--path-format=absolute", "--show-toplevel"], { cwd: path }));
  return { root: resolve(root), common_dir, object_format: format === "sha256" ? "sha256" : "sha1" };
}

/** The commit that a name stands for. */
export async function commitOf(git: GitRun, repo: Repository, name: string): Promise<string> {
  return line(
    await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`], { cwd: repo.common_dir }),
  );
}

/** A file of a commit; undefined where there is none. */
export async function fileAt(git: GitRun, repo: Repository, sha: string, path: string): Promise<Buffer | undefined> {
  const listed = parts(await git(["ls-tree", "-z", sha, "--", path], { cwd: repo.common_dir }));
  const id = /^\d+ blob ([0-9a-f]+)\t/.exec(listed[0]?.toString("utf8") ?? "")?.[1];
  return id === undefined ? undefined : git(["cat-file", "blob", id], { cwd: repo.common_dir });
}

/** What an earlier try left under the same name goes first, so that a start that was interrupted can be made again. */
export async function addWorktree(
  git: GitRun,
  repo: Repository,
  at: { readonly run_id: number; readonly path: string; readonly base_sha: string; readonly evidence: string },
): Promise<Worktree> {
  const branch = runBranch(at.run_id);
  await removeWorktree(git, repo, at.path);
  await git(["worktree", "add", "--quiet", "-B", branch, at.path, at.base_sha], { cwd: repo.common_dir });
  const worktree = { path: at.path, git_dir: gitDirOf(at.path), branch, base_sha: at.base_sha };
  await prepareEvidence(git, repo, worktree, at.evidence);
  return worktree;
}

/** A checkout of a commit and nothing else, on no branch, of the evidence's git directory: no filter of the repository runs. */
export async function cleanCheckout(git: GitRun, evidence: string, path: string, sha: string): Promise<void> {
  await removeAll(path);
  await git(["worktree", "prune", "--expire=now"], { cwd: evidence });
  await git(["worktree", "add", "--quiet", "--detach", path, sha], { cwd: evidence });
}

/** `git_dir`: goes too, also where the run has locked it. */
export async function removeWorktree(git: GitRun, repo: Repository, path: string, git_dir?: string): Promise<void> {
  await removeAll(path);
  if (git_dir !== undefined && dirname(git_dir) === join(repo.common_dir, "worktrees"))
    rmSync(git_dir, { recursive: true, force: true });
  await git(["worktree", "prune", "--expire=now"], { cwd: repo.common_dir });
}

function gitDirOf(path: string): string {
  const [, found] = /^gitdir: (.+)\n?$/.exec(readFileSync(join(path, ".git"), "utf8")) ?? [];
  if (found === undefined) throw new Error(`${path} is no worktree`);
  return found;
}

async function prepareEvidence(
  git: GitRun,
  repo: Repository,
  { git_dir, base_sha }: Worktree,
  evidence: string,
): Promise<void> {
  rmSync(evidence, { recursive: true, force: true });
  mkdirSync(evidence, { recursive: true, mode: 0o700 });
  await git(["init", "--quiet", "--bare", "--template=", `--object-format=${repo.object_format}`, evidence]);
  writeFileSync(join(evidence, "objects/info/alternates"), `${join(repo.common_dir, "objects")}\n`);
  copyFileSync(join(git_dir, "index"), join(evidence, "index")); // spares reading again what nobody touched
  await git(["update-ref", "refs/rumi/base", base_sha], { env: evidenceEnv(repo, evidence) }); // what is known when more is fetched
}

/** Git over the repository's objects with a configuration that is ours alone. */
export const evidenceEnv = (repo: Repository, evidence: string): Readonly<Record<string, string>> => ({
  GIT_DIR: evidence,
  GIT_OBJECT_DIRECTORY: join(repo.common_dir, "objects"),
  GIT_AUTHOR_NAME: "rumi",
  GIT_AUTHOR_EMAIL: "runs@rumi.invalid",
  GIT_COMMITTER_NAME: "rumi",
  GIT_COMMITTER_EMAIL: "runs@rumi.invalid",
  GIT_LITERAL_PATHSPECS: "0",
});

/** Keeps everything the run left as a commit; made again it gives the same. `at_seconds`: Unix time of the run's end. */
export async function takeSnapshot(
  git: GitRun,
  repo: Repository,
  worktree: Worktree,
  of: {
    readonly run_id: number;
    readonly evidence: string;
    readonly at_seconds: number;
    /** The branch's tip, where it was taken out of a box. */
    readonly head_sha?: string;
  },
): Promise<Snapshot> {
  const env = {
    ...evidenceEnv(repo, of.evidence),
    GIT_WORK_TREE: worktree.path,
    GIT_AUTHOR_DATE: `${of.at_seconds} +0000`,
    GIT_COMMITTER_DATE: `${of.at_seconds} +0000`,
  };
  const head_sha = of.head_sha ?? (await headOf(git, repo, worktree));
  await uncover(git, worktree.path, env);
  const found = await lookThrough(worktree.path);
  const outermost = found.nested.filter((path) => !found.nested.some((other) => isBelow(path, other)));
  const specs = Buffer.concat([
    Buffer.from(":/\0"),
    ...[...outermost, ...found.deep].map((path) =>
      Buffer.concat([Buffer.from(":(exclude,top,literal)"), path, Buffer.from([0])]),
    ),
  ]);
  const add = () =>
    git(["add", "--all", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"], {
      cwd: worktree.path,
      env,
      input: specs,
    });
  await add().catch(async (problem: unknown) => {
    if (!(problem instanceof GitProblem)) throw problem;
    await makeReadable(worktree.path); // the run may have taken its own files' permissions away
    await add();
  });
  const nested = await addNested(git, { worktree, env, outermost });
  const tree = line(await git(["write-tree"], { cwd: worktree.path, env }));
  const headTree = line(await git(["rev-parse", `${head_sha}^{tree}`], { env }));
  const worktree_dirty = tree !== headTree;
  const snapshot_sha = worktree_dirty
    ? line(await git(["commit-tree", tree, "-p", head_sha, "-m", `What run ${of.run_id} left uncommitted`], { env }))
    : head_sha;
  await git(["update-ref", "--no-deref", snapshotRef(of.run_id), snapshot_sha], { cwd: repo.common_dir });
  return { head_sha, snapshot_sha, worktree_dirty, nested, special: [...found.special, ...found.deep].map(changedOf) };
}

/** What a sparse checkout leaves out counts as unchanged only while nothing lies there. */
async function uncover(git: GitRun, tree: string, env: Readonly<Record<string, string>>): Promise<void> {
  const turns = createTurns();
  const present: Buffer[] = [];
  for (const entry of parts(await git(["ls-files", "-z", "-t"], { cwd: tree, env }))) {
    if (entry[0] !== 0x53) continue;
    const path = entry.subarray(2);
    if (lstatSync(absolute(tree, path), { throwIfNoEntry: false }) !== undefined) present.push(path);
    await turns.next();
  }
  if (present.length === 0) return;
  const input = Buffer.concat(present.flatMap((path) => [path, Buffer.from([0])]));
  await git(["update-index", "--no-skip-worktree", "-z", "--stdin"], { cwd: tree, env, input });
}

/** The branch's tip at the end, as the worktree's HEAD says it; where the run left none, where it began. */
async function headOf(git: GitRun, repo: Repository, { git_dir, branch, base_sha }: Worktree): Promise<string> {
  for (const [dir, name] of [
    [git_dir, "HEAD"],
    [repo.common_dir, `refs/heads/${branch}`],
  ] as const)
    try {
      return line(await git(["--git-dir", dir, "rev-parse", "--verify", "--quiet", `${name}^{commit}`]));
    } catch (problem) {
      if (!(problem instanceof GitProblem)) throw problem;
    }
  return base_sha;
}

type Nesting = {
  readonly worktree: Worktree;
  readonly env: Readonly<Record<string, string>>;
  readonly outermost: readonly Buffer[];
};

/** How the index says that an entry is a link to a commit. */
const SUBMODULE = Buffer.from("160000 ");

/** Files of repositories inside the tree become files of the snapshot; a submodule stays a link to its commit. */
async function addNested(git: GitRun, { worktree, env, outermost }: Nesting): Promise<Snapshot["nested"]> {
  const known = new Set<string>();
  for (const entry of parts(await git(["ls-files", "-z", "--stage"], { cwd: worktree.path, env })))
    if (entry.subarray(0, SUBMODULE.length).equals(SUBMODULE))
      known.add(entry.subarray(entry.indexOf(9) + 1).toString("latin1"));
  const told: { path: Changed; kind: "nested_repository" | "submodule_content" }[] = [];
  const lines: Buffer[] = [];
  for (const folder of outermost) {
    const isSubmodule = known.has(folder.toString("latin1"));
    told.push({ path: changedOf(folder), kind: isSubmodule ? "submodule_content" : "nested_repository" });
    if (isSubmodule) {
      const sha = await nestedHead(git, absolute(worktree.path, folder).toString("utf8"));
      if (sha !== undefined) lines.push(indexLine("160000", sha, folder));
      continue;
    }
    const forget = [
      "rm",
      "-r",
      "--cached",
      "--force",
      "--quiet",
      "--ignore-unmatch",
      "--pathspec-from-file=-",
      "--pathspec-file-nul",
    ];
    const folderOnly = Buffer.concat([Buffer.from(":(top,literal)"), folder, Buffer.from([0])]);
    await git(forget, { cwd: worktree.path, env, input: folderOnly });
    const files = await filesBelow(worktree.path, folder);
    const shas = await hashAll(git, { worktree, env, outermost }, files);
    for (const [index, { path, mode }] of files.entries()) lines.push(indexLine(mode, shas[index] ?? "", path));
  }
  if (lines.length > 0)
    await git(["update-index", "-z", "--add", "--replace", "--index-info"], {
      cwd: worktree.path,
      env,
      input: Buffer.concat(lines),
    });
  return told;
}

const indexLine = (mode: string, sha: string, path: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${mode} ${sha}\t`), path, Buffer.from([0])]);

async function nestedHead(git: GitRun, folder: string): Promise<string | undefined> {
  try {
    return line(await git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], { cwd: folder }));
  } catch (problem) {
    if (problem instanceof GitProblem) return undefined;
    throw problem;
  }
}

async function hashAll(
  git: GitRun,
  { worktree, env }: Nesting,
  files: readonly { readonly path: Buffer; readonly mode: string }[],
): Promise<readonly string[]> {
  const shas: string[] = [];
  for (const { path, mode } of files) {
    const from = absolute(worktree.path, path);
    const input = mode === "120000" ? readlinkSync(from, { encoding: "buffer" }) : readFileSync(from);
    shas.push(line(await git(["hash-object", "-w", "--no-filters", "--stdin"], { env, input })));
  }
  return shas;
}

/** `git diff --no-renames` of two commits: names in the order of their bytes, and counts of lines; binary files count none. */
export async function difference(git: GitRun, repo: Repository, base: string, end: string): Promise<Difference> {
  const words = [
    "diff",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--ignore-submodules=none",
    "--diff-algorithm=default",
    "-z",
  ];
  const turns = createTurns();
  const names: Buffer[] = [];
  let added = 0;
  let removed = 0;
  for (const entry of parts(await git([...words, "--numstat", base, end], { cwd: repo.common_dir }))) {
    const [head = "", plus = "", minus = ""] = /^(\d+|-)\t(\d+|-)\t/.exec(entry.toString("latin1")) ?? [];
    names.push(entry.subarray(head.length));
    added += plus === "-" ? 0 : Number(plus);
    removed += minus === "-" ? 0 : Number(minus);
    await turns.next();
  }
  const changed: Changed[] = [];
  for (const name of names.toSorted((a, b) => Buffer.compare(a, b))) {
    changed.push(changedOf(name));
    await turns.next();
  }
  return { changed, diff_stat: { added, removed, files: names.length } };
}

const changedOf = (bytes: Buffer): Changed => ({ text: pathText(bytes), glob_text: pathForGlobs(bytes) });

function isBelow(path: Buffer, folder: Buffer): boolean {
  return path.length > folder.length && path.subarray(0, folder.length).equals(folder) && path[folder.length] === 0x2f;
}

/** Whether a folder may be used: it is there and is one. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
