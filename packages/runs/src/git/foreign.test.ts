/** What a snapshot holds, by tools that are not ours: plain git over the same files with an index of its own. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemGit } from "./git.ts";
import { addWorktree, commitOf, difference, openRepository, takeSnapshot } from "./repository.ts";

const git = systemGit(process.env["PATH"] ?? "");
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rumi-foreign-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const CLEAN = { PATH: process.env["PATH"] ?? "", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
const plain = (cwd: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): string =>
  execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@example.org", ...words], {
    cwd,
    encoding: "utf8",
    env: { ...CLEAN, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
type Put = (path: string, text: string | Buffer) => void;
const putIn =
  (root: string): Put =>
  (path, text) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

/** The tree of these files as a git of no settings has it. */
function foreignTree(worktree: string, format: string, settings: readonly string[]): string {
  const other = mkdtempSync(join(folder, "other-"));
  plain(other, ["init", "--quiet", "--bare", `--object-format=${format}`]);
  const env = { GIT_DIR: other, GIT_WORK_TREE: worktree };
  plain(worktree, [...settings, "add", "--all", "--force", "."], env);
  return plain(worktree, ["write-tree"], env).trim();
}

const NAMES = [
  "caf\u00e9.txt",
  "cafe\u0301.txt",
  "💥 emoji.txt",
  'a "quoted".txt',
  "line\nbreak.txt",
  "-leading-dash",
  "--all",
  " space at both ends ",
  "*",
  ":(top)magic",
  "back\\slash",
  "tab\there",
  "#hash",
  "!bang",
];
type Case = {
  readonly name: string;
  readonly format?: "sha256";
  readonly base?: (put: Put, root: string) => void;
  readonly settings?: readonly (readonly [string, string])[];
  readonly run: (put: Put, root: string) => void;
};
const CASES: readonly Case[] = [
  {
    name: "renames, modes, links, empty files, deleted folders",
    run: (put, root) => {
      renameSync(join(root, "keep/one.txt"), join(root, "moved.txt"));
      chmodSync(join(root, "tool.sh"), 0o755);
      rmSync(join(root, "gone"), { recursive: true });
      symlinkSync("nowhere", join(root, "dangling"));
      symlinkSync("keep", join(root, "to-folder"));
      put("empty", "");
      put("keep/two.txt", "now a file with another text\n");
      rmSync(join(root, "file-to-folder"));
      put("file-to-folder/inside", "x\n");
    },
  },
  { name: "names in every script and spelling", run: (put) => NAMES.forEach((name) => put(name, `${name}\n`)) },
  { name: "names under SHA-256", format: "sha256", run: (put) => NAMES.forEach((name) => put(`d/${name}`, "x")) },
  {
    name: "line ends, ident, export-subst and encodings by attributes",
    base: (put) =>
      put(
        ".gitattributes",
        "*.txt text=auto\n*.bat eol=crlf\n*.id ident\n*.sub export-subst\n*.u16 text working-tree-encoding=UTF-16\n*.bin binary\n",
      ),
    run: (put) => {
      put("win.txt", "a\r\nb\r\n");
      put("run.bat", "a\r\nb\r\n");
      put("x.id", "$Id: 123 $\n");
      put("x.sub", "$Format:%H$\n");
      put("x.u16", Buffer.from("\ufeffabc\n", "utf16le"));
      put("x.bin", "a\r\nb\0");
      put("mixed.txt", "a\r\nb\n");
    },
  },
  {
    name: "settings of the repository that would hide changes",
    settings: [
      ["core.fileMode", "false"],
      ["core.symlinks", "false"],
      ["core.ignoreCase", "true"],
      ["core.autocrlf", "true"],
      ["core.trustctime", "false"],
      ["core.checkStat", "minimal"],
      ["core.excludesFile", "/dev/null"],
      ["status.showUntrackedFiles", "no"],
      ["diff.ignoreSubmodules", "all"],
      ["diff.renames", "copies"],
      ["diff.noprefix", "true"],
      ["core.quotePath", "true"],
    ],
    run: (put, root) => {
      chmodSync(join(root, "tool.sh"), 0o755);
      symlinkSync("keep", join(root, "link"));
      put("KEEP.TXT", "other case\n");
      put("crlf", "a\r\n");
    },
  },
];

it.each(CASES)("[P-6] $name: the tree, the changed files and their lines are plain git's own", async (one) => {
  const root = join(folder, "repo");
  mkdirSync(root);
  plain(root, ["init", "--quiet", "--initial-branch=main", `--object-format=${one.format ?? "sha1"}`]);
  const put = putIn(root);
  for (const path of ["keep/one.txt", "keep/two.txt", "gone/deep/a", "gone/b", "file-to-folder", "keep.txt"])
    put(path, `${path}\n`.repeat(5));
  put("tool.sh", "#!/bin/sh\n");
  one.base?.(put, root);
  plain(root, ["add", "."]);
  plain(root, ["commit", "--quiet", "-m", "base"]);
  for (const [name, value] of one.settings ?? []) plain(root, ["config", name, value]);
  const repo = await openRepository(git, root);
  const base_sha = await commitOf(git, repo, "HEAD");
  const evidence = join(folder, "evidence");
  const worktree = await addWorktree(git, repo, { run_id: 1, path: join(folder, "tree"), base_sha, evidence });
  one.run(putIn(worktree.path), worktree.path);
  const { snapshot_sha } = await takeSnapshot(git, repo, worktree, { run_id: 1, evidence, at_seconds: 1_700_000_000 });

  rmSync(join(worktree.path, ".git"));
  const said = await difference(git, repo, base_sha, snapshot_sha);
  const clean = join(folder, "clean"); // asks without the repository's settings
  plain(folder, ["clone", "--quiet", "--bare", "--no-local", root, clean]);
  plain(clean, ["fetch", "--quiet", root, "refs/rumi/runs/1"]);
  expect(plain(clean, ["rev-parse", `${snapshot_sha}^{tree}`]).trim()).toBe(
    foreignTree(worktree.path, one.format ?? "sha1", []),
  );
  const words = ["diff", "--no-renames", "-z", base_sha, snapshot_sha];
  const names = plain(clean, [...words.slice(0, 2), "--name-only", ...words.slice(2)])
    .split("\0")
    .slice(0, -1);
  const bytes = (text: string): Buffer => Buffer.from(text);
  expect(said.changed.map(({ text }) => text)).toEqual(names.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b))));
  const counts = plain(clean, [...words.slice(0, 2), "--numstat", ...words.slice(2)])
    .split("\0")
    .slice(0, -1);
  const sum = (at: number): number => counts.reduce((all, line) => all + (Number(line.split("\t")[at]) || 0), 0);
  expect(said.diff_stat).toEqual({ added: sum(0), removed: sum(1), files: names.length });
});

it("[P-6] a sparse checkout: what lies outside of it is unchanged until the run writes there, and then it is seen", async () => {
  const root = join(folder, "repo");
  mkdirSync(root);
  plain(root, ["init", "--quiet", "--initial-branch=main"]);
  const put = putIn(root);
  for (const path of ["in/a", "out/b", "out/c", "top"]) put(path, `${path}\n`);
  plain(root, ["add", "."]);
  plain(root, ["commit", "--quiet", "-m", "base"]);
  plain(root, ["sparse-checkout", "set", "--cone", "in"]);
  const repo = await openRepository(git, root);
  const base_sha = await commitOf(git, repo, "HEAD");
  const of = (run_id: number) => ({ run_id, evidence: join(folder, `evidence-${run_id}`) });
  const begin = (run_id: number) =>
    addWorktree(git, repo, { ...of(run_id), path: join(folder, `tree-${run_id}`), base_sha });
  const end = async (run_id: number, worktree: Awaited<ReturnType<typeof begin>>) => {
    const { snapshot_sha } = await takeSnapshot(git, repo, worktree, { ...of(run_id), at_seconds: 1_700_000_000 });
    return (await difference(git, repo, base_sha, snapshot_sha)).changed.map(({ text }) => text);
  };
  expect(await end(1, await begin(1))).toEqual([]);
  const worktree = await begin(2);
  putIn(worktree.path)("in/a", "changed\n");
  putIn(worktree.path)("out/b", "written behind its back\n");
  expect(await end(2, worktree)).toEqual(["in/a", "out/b"]);
});

it("[P-6] a partial clone: what it does not have is not fetched, and what the run left is seen", async () => {
  const source = join(folder, "source");
  mkdirSync(source);
  plain(source, ["init", "--quiet", "--initial-branch=main"]);
  putIn(source)("a", "old\n");
  plain(source, ["add", "."]);
  plain(source, ["commit", "--quiet", "-m", "old"]);
  putIn(source)("a", "new\n");
  plain(source, ["commit", "--quiet", "-am", "new"]);
  plain(source, ["config", "uploadpack.allowFilter", "true"]);
  const root = join(folder, "repo");
  plain(folder, ["clone", "--quiet", "--filter=blob:none", `file://${source}`, root]);
  const repo = await openRepository(git, root);
  const base_sha = await commitOf(git, repo, "HEAD");
  const evidence = join(folder, "evidence");
  const worktree = await addWorktree(git, repo, { run_id: 1, path: join(folder, "tree"), base_sha, evidence });
  putIn(worktree.path)("a", "newer\n");
  const { snapshot_sha } = await takeSnapshot(git, repo, worktree, { run_id: 1, evidence, at_seconds: 1_700_000_000 });
  expect(await difference(git, repo, base_sha, snapshot_sha)).toMatchObject({
    changed: [{ text: "a" }],
    diff_stat: { added: 1, removed: 1, files: 1 },
  });
});
