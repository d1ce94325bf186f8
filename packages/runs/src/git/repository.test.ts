import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemGit } from "./git.ts";
import { pathText } from "./path-text.ts";
import {
  addWorktree,
  cleanCheckout,
  commitOf,
  difference,
  fileAt,
  openRepository,
  takeSnapshot,
  type Repository,
  type Worktree,
} from "./repository.ts";

const git = systemGit(process.env["PATH"] ?? "");
let folder = "";
let repo: Repository;
/** As a user would ask git, with nothing of ours. */
const plain = (cwd: string, ...words: readonly string[]): string =>
  execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@example.org", "-c", "commit.gpgSign=false", ...words], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "rumi-repository-"));
  const path = join(folder, "repo");
  mkdirSync(path);
  plain(path, "init", "--quiet", "--initial-branch=main");
  writeFileSync(join(path, "a.txt"), "one\ntwo\nthree\n");
  writeFileSync(join(path, "old name.txt"), "kept as it is\n".repeat(20));
  writeFileSync(join(path, ".gitignore"), "ignored/\n");
  writeFileSync(join(path, "tool.sh"), "#!/bin/sh\n");
  symlinkSync("a.txt", join(path, "link"));
  plain(path, "add", ".");
  plain(path, "commit", "--quiet", "-m", "base");
  repo = await openRepository(git, path);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const evidence = () => join(folder, "evidence");
async function begin(run_id = 7): Promise<Worktree> {
  const base_sha = await commitOf(git, repo, "HEAD");
  return addWorktree(git, repo, { run_id, path: join(folder, `tree-${run_id}`), base_sha, evidence: evidence() });
}
const end = (worktree: Worktree, run_id = 7) =>
  takeSnapshot(git, repo, worktree, { run_id, evidence: evidence(), at_seconds: 1_700_000_000 });
const put = (worktree: Worktree, path: string, text: string): void => {
  const at = join(worktree.path, path);
  mkdirSync(join(at, ".."), { recursive: true });
  writeFileSync(at, text);
};

describe("[P-6] what a run left", () => {
  it("is nothing where it changed nothing: the snapshot is where it began", async () => {
    const worktree = await begin();
    const snapshot = await end(worktree);
    expect(snapshot).toMatchObject({
      head_sha: worktree.base_sha,
      snapshot_sha: worktree.base_sha,
      worktree_dirty: false,
    });
    expect(await difference(git, repo, worktree.base_sha, snapshot.snapshot_sha)).toEqual({
      changed: [],
      diff_stat: { added: 0, removed: 0, files: 0 },
    });
  });

  it("is committed, uncommitted, untracked, ignored, renamed, deleted, a link, a mode, a name in any script: as git says it", async () => {
    const worktree = await begin();
    put(worktree, "a.txt", "one\nTWO\nthree\nfour\n");
    plain(worktree.path, "commit", "--quiet", "-am", "the run's own commit");
    plain(worktree.path, "mv", "old name.txt", "new name.txt");
    rmSync(join(worktree.path, "link"));
    symlinkSync("/etc/passwd", join(worktree.path, "link"));
    chmodSync(join(worktree.path, "tool.sh"), 0o755);
    put(worktree, "ignored/secret.bin", "\0\x01\x02");
    put(worktree, "日本/語 é.txt", "語\n");
    put(worktree, 'with "quotes"\n.txt', "x\n");
    writeFileSync(Buffer.concat([Buffer.from(`${worktree.path}/`), Buffer.from([0xff, 0xfe])]), "not utf-8\n");
    const snapshot = await end(worktree);
    expect(snapshot.worktree_dirty).toBe(true);
    expect(snapshot.head_sha).toBe(plain(worktree.path, "rev-parse", "HEAD").trim());
    expect(snapshot.snapshot_sha).toBe(plain(repo.root, "rev-parse", "refs/rumi/runs/7").trim());
    const { changed, diff_stat } = await difference(git, repo, worktree.base_sha, snapshot.snapshot_sha);
    expect(changed.map(({ text }) => text)).toEqual([
      "a.txt",
      "ignored/secret.bin",
      "link",
      "new name.txt",
      "old name.txt",
      "tool.sh",
      'with "quotes"\n.txt',
      "日本/語 é.txt",
      String.raw`"\377\376"`,
    ]);
    const asked = execFileSync(
      "git",
      ["diff", "--no-renames", "--name-only", "-z", worktree.base_sha, snapshot.snapshot_sha],
      { cwd: repo.root },
    );
    expect(changed.length).toBe(asked.filter((byte) => byte === 0).length);
    const stat = plain(repo.root, "diff", "--no-renames", "--shortstat", worktree.base_sha, snapshot.snapshot_sha);
    expect(stat.trim()).toBe(
      `${diff_stat.files} files changed, ${diff_stat.added} insertions(+), ${diff_stat.removed} deletions(-)`,
    );
    expect(plain(repo.root, "log", "--oneline", "main").trim().split("\n")).toHaveLength(1); // the branch people work on
    expect(plain(repo.root, "status", "--porcelain")).toBe("");
  });

  it("taken again is the same commit", async () => {
    const worktree = await begin();
    put(worktree, "new.txt", "x\n");
    const first = await end(worktree);
    expect(await end(worktree)).toEqual(first);
  });

  it("holds what repositories inside the tree hold, with or without commits, over files that were tracked", async () => {
    const worktree = await begin();
    put(worktree, "inner/file.txt", "in\n");
    plain(join(worktree.path, "inner"), "init", "--quiet");
    put(worktree, "second/x.txt", "x\n");
    plain(join(worktree.path, "second"), "init", "--quiet");
    plain(join(worktree.path, "second"), "add", ".");
    plain(join(worktree.path, "second"), "commit", "--quiet", "-m", "hidden");
    put(worktree, "second/deep/y.sh", "y\n");
    chmodSync(join(worktree.path, "second/deep/y.sh"), 0o755);
    symlinkSync("../x.txt", join(worktree.path, "second/deep/z"));
    plain(join(worktree.path, "second/deep"), "init", "--quiet");
    const snapshot = await end(worktree);
    const { changed } = await difference(git, repo, worktree.base_sha, snapshot.snapshot_sha);
    expect(changed.map(({ text }) => text)).toEqual([
      "inner/file.txt",
      "second/deep/y.sh",
      "second/deep/z",
      "second/x.txt",
    ]);
    expect(snapshot.nested.map(({ path, kind }) => `${path.text} ${kind}`).toSorted()).toEqual([
      "inner nested_repository",
      "second nested_repository",
    ]);
    expect(plain(repo.root, "ls-tree", "-r", snapshot.snapshot_sha, "second/deep")).toMatch(
      /^100755 .*y\.sh\n120000 .*z\n$/,
    );
  });

  it("keeps a submodule's link, and says that what a populated one holds is not part of it", async () => {
    const library = join(folder, "library");
    mkdirSync(library);
    plain(library, "init", "--quiet");
    writeFileSync(join(library, "l.txt"), "l\n");
    plain(library, "add", ".");
    plain(library, "commit", "--quiet", "-m", "one");
    plain(repo.root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "vendor/library");
    plain(repo.root, "commit", "--quiet", "-m", "with a submodule");
    const untouched = await begin(1);
    expect(await end(untouched, 1)).toMatchObject({ worktree_dirty: false, nested: [] });
    const worktree = await begin(2);
    plain(worktree.path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init");
    writeFileSync(join(worktree.path, "vendor/library/l.txt"), "changed\n");
    plain(join(worktree.path, "vendor/library"), "commit", "--quiet", "-am", "two");
    writeFileSync(join(worktree.path, "vendor/library/l.txt"), "and not committed\n");
    const snapshot = await end(worktree, 2);
    expect(snapshot.nested.map(({ path, kind }) => [path.text, kind])).toEqual([
      ["vendor/library", "submodule_content"],
    ]);
    const { changed } = await difference(git, repo, worktree.base_sha, snapshot.snapshot_sha);
    expect(changed.map(({ text }) => text)).toEqual(["vendor/library"]);
  });

  it("is taken although the run took its own files' permissions away", async () => {
    const worktree = await begin();
    put(worktree, "locked/away.txt", "x\n");
    chmodSync(join(worktree.path, "locked/away.txt"), 0o000);
    chmodSync(join(worktree.path, "locked"), 0o000);
    const snapshot = await end(worktree);
    const { changed } = await difference(git, repo, worktree.base_sha, snapshot.snapshot_sha);
    expect(changed.map(({ text }) => text)).toEqual(["locked/away.txt"]);
  });

  it("is everything gone where the run deleted everything, even its branch", async () => {
    const worktree = await begin();
    plain(worktree.path, "rm", "-r", "--quiet", ".");
    plain(worktree.path, "checkout", "--quiet", "--detach");
    plain(repo.root, "branch", "--quiet", "-D", worktree.branch);
    rmSync(join(worktree.path, ".git"), { force: true });
    const snapshot = await end(worktree);
    const { diff_stat } = await difference(git, repo, worktree.base_sha, snapshot.snapshot_sha);
    expect(diff_stat).toMatchObject({ added: 0, files: 5 });
  });

  it("works in a repository whose object names are SHA-256, and in a bare one", async () => {
    const bare = join(folder, "bare.git");
    plain(folder, "clone", "--quiet", "--bare", repo.root, bare);
    const strong = join(folder, "strong");
    plain(folder, "init", "--quiet", "--object-format=sha256", strong);
    writeFileSync(join(strong, "a"), "a\n");
    plain(strong, "add", ".");
    plain(strong, "commit", "--quiet", "-m", "base");
    for (const [run_id, path] of [
      [1, bare],
      [2, strong],
    ] as const) {
      repo = await openRepository(git, path);
      const worktree = await begin(run_id);
      put(worktree, "b", "b\n");
      const snapshot = await end(worktree, run_id);
      expect(
        (await difference(git, repo, worktree.base_sha, snapshot.snapshot_sha)).changed.map(({ text }) => text),
      ).toEqual(["b"]);
    }
  });
});

describe("[P-6] a hostile tree", () => {
  it("runs no program that the tree, its attributes, hooks or the repository's configuration name", async () => {
    const worktree = await begin();
    const trap = join(folder, "sprung");
    const program = `touch ${trap}`;
    for (const setting of [
      "core.fsmonitor",
      "filter.x.clean",
      "filter.x.smudge",
      "filter.x.process",
      "diff.x.textconv",
      "diff.x.command",
      "diff.external",
      "core.pager",
      "core.sshCommand",
      "core.askPass",
      "gpg.program",
    ])
      plain(repo.root, "config", setting, program);
    put(worktree, ".gitattributes", "* filter=x diff=x\n");
    put(worktree, "a.txt", "changed\n");
    for (const hook of ["post-checkout", "reference-transaction", "post-index-change", "pre-commit", "post-commit"]) {
      mkdirSync(join(repo.common_dir, "hooks"), { recursive: true });
      writeFileSync(join(repo.common_dir, "hooks", hook), `#!/bin/sh\n${program}\n`);
      chmodSync(join(repo.common_dir, "hooks", hook), 0o755);
    }
    put(worktree, "inner/x", "x");
    plain(join(worktree.path, "inner"), "init", "--quiet");
    appendFileSync(join(worktree.path, "inner/.git/config"), `[core]\n\tfsmonitor = ${program}\n`);
    const snapshot = await end(worktree);
    const { changed } = await difference(git, repo, worktree.base_sha, snapshot.snapshot_sha);
    expect(changed.map(({ text }) => text)).toEqual([".gitattributes", "a.txt", "inner/x"]);
    await cleanCheckout(git, evidence(), join(folder, "clean"), snapshot.snapshot_sha);
    expect(existsSync(trap)).toBe(false);
  });

  it("cannot lead evidence elsewhere by its .git file", async () => {
    const worktree = await begin();
    const other = join(folder, "other");
    plain(folder, "init", "--quiet", other);
    writeFileSync(join(worktree.path, ".git"), `gitdir: ${join(other, ".git")}\n`);
    put(worktree, "a.txt", "changed\n");
    const snapshot = await end(worktree);
    expect(snapshot.head_sha).toBe(worktree.base_sha);
    expect(
      (await difference(git, repo, worktree.base_sha, snapshot.snapshot_sha)).changed.map(({ text }) => text),
    ).toEqual(["a.txt"]);
  });
});

describe("[P-4] a clean checkout", () => {
  it("holds the commit and nothing that was ignored by nobody", async () => {
    const worktree = await begin();
    put(worktree, "new.txt", "x\n");
    const snapshot = await end(worktree);
    const checkout = join(folder, "clean");
    await cleanCheckout(git, evidence(), checkout, snapshot.snapshot_sha);
    writeFileSync(join(checkout, "left behind"), "");
    await cleanCheckout(git, evidence(), checkout, snapshot.snapshot_sha);
    expect(existsSync(join(checkout, "left behind"))).toBe(false);
    expect(readFileSync(join(checkout, "new.txt"), "utf8")).toBe("x\n");
    expect((await fileAt(git, repo, snapshot.snapshot_sha, "new.txt"))?.toString()).toBe("x\n");
    expect(await fileAt(git, repo, snapshot.snapshot_sha, "none.txt")).toBeUndefined();
  });
});

describe("[P-6] texts of paths", () => {
  it.each([
    [Buffer.from("plain é"), "plain é"],
    [Buffer.from('"'), String.raw`"\""`],
    [Buffer.from([0x61, 0xff, 0x0a, 0x5c]), String.raw`"a\377\n\\"`],
    [Buffer.from([0xef, 0xbb, 0xbf, 0x61]), "\ufeffa"],
  ])("%s", (bytes, text) => expect(pathText(bytes)).toBe(text));
});
