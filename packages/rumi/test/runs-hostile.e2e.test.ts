/** Runs whose command wants harm, against the built program in its box: what it did is found, and nothing else has changed. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { ok, type Data } from "./rig.ts";

vi.setConfig({ testTimeout: 180_000 });

/** Not in /tmp, which a box hides anyway. */
const home = mkdtempSync("/var/tmp/rumi-hostile-runs-");
const work = mkdtempSync("/var/tmp/rumi-hostile-repo-");
const repo = join(work, "repo");
let program: Program;

const git = (...words: readonly string[]): string =>
  execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@example.org", ...words], {
    cwd: repo,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
/** What the run's shell finds ready. */
const TOOLS =
  'git() { command git -c user.name=r -c user.email=r@x "$@"; }; o=$(git rev-parse --path-format=absolute --git-path objects); at() { echo "$o/$(echo $1 | cut -c1-2)/$(echo $1 | cut -c3-)"; };';

beforeAll(async () => {
  mkdirSync(join(repo, "src"), { recursive: true });
  writeFileSync(join(repo, "src/a.txt"), "one\n");
  writeFileSync(join(repo, "README"), "read me\n");
  execFileSync("git", ["init", "--quiet", "--initial-branch=main", repo]);
  git("add", ".");
  git("commit", "--quiet", "-m", "base");
  program = await startProgram({ home });
});
afterAll(async () => {
  await program?.stop();
  for (const path of [home, work]) execFileSync("rm", ["-rf", path]);
});

const begin = async (command: string, check = "true", over: Data = {}): Promise<number> => {
  const required_checks = [{ check_key: "c", label: "c", kind: "test", command: check, required: true }];
  const scope = { write: ["src/**"] };
  const wish = {
    repo,
    prompt: "",
    scope,
    dod: { required_checks },
    command: ["/bin/sh", "-c", TOOLS + command],
    ...over,
  };
  return Number((await ok(program, "POST", "/api/runs", wish))["run_id"]);
};
const settled = (run_id: number): Promise<Data> =>
  eventually(async () => {
    const run = await ok(program, "GET", `/api/runs/${run_id}`);
    return ["proved", "broken"].includes(String(run["phase"])) && run;
  });
const logOf = async (run_id: number): Promise<string> => {
  const headers = { authorization: `Bearer ${program.token}` };
  return (await fetch(new URL(`/api/runs/${run_id}/log`, program.url), { headers })).text();
};
const bundleOf = async (run_id: number): Promise<Data> => (await program.call("GET", `/api/runs/${run_id}/proof`)).body;
const violations = (run: Data): readonly string[] =>
  (run["violations"] as readonly Data[]).map(({ path, reason }) => `${String(reason)} ${String(path)}`);

/** Nothing of the repository is other than before, but for a run's branch and its snapshot. */
function expectRepositorySound(): void {
  expect(git("fsck", "--full", "--strict", "--no-dangling").trim()).toBe("");
  expect(git("status", "--porcelain")).toBe("");
  expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
  expect(existsSync(join(repo, ".git/objects/info/alternates"))).toBe(false);
  expect(existsSync(join(repo, ".git/objects/info/commit-graph"))).toBe(false);
}

describe.runIf(requires("bubblewrap"))("[P-6] a run that wants its repository to lie", () => {
  it("puts other bytes under the name of what it leaves: the snapshot and its checks hold what it left", async () => {
    const run_id = await begin(
      "id=$(printf 'good\\n' | git hash-object --stdin); printf 'evil\\n' > $HOME/e; e=$(git hash-object -w $HOME/e); mkdir -p $(dirname $(at $id)); cp $(at $e) $(at $id); git cat-file blob $id; printf 'good\\n' > src/good.txt; r=$(git rev-parse HEAD:README); mkdir -p $(dirname $(at $r)); cp $(at $e) $(at $r); echo /var/tmp > $o/info/alternates; echo x > $o/info/commit-graph; git cat-file blob $r",
      "grep -qx good src/good.txt && grep -q 'read me' README",
    );
    const run = await settled(run_id);
    expect(await logOf(run_id)).toMatch(/evil/); // its own git was deceived
    expect([run["phase"], run["dod_status"]]).toEqual(["proved", "passed"]);
    expect((await bundleOf(run_id))["changed_files"]).toEqual(["src/good.txt"]);
    expect(git("cat-file", "blob", `refs/rumi/runs/${run_id}:src/good.txt`)).toBe("good\n");
    expect(git("cat-file", "blob", "main:README")).toBe("read me\n");
    expectRepositorySound();
  });

  it("commits, and then puts other bytes under the names of what it committed: its commit is not taken, what it left is", async () => {
    const run_id = await begin(
      "echo mine > src/mine.txt; git add .; git commit -qm mine; b=$(git rev-parse HEAD:src/mine.txt); echo forged > $HOME/f; f=$(git hash-object -w $HOME/f); chmod u+w $(at $b); cp $(at $f) $(at $b)",
    );
    expect(await settled(run_id)).toMatchObject({ phase: "proved" });
    const bundle = await bundleOf(run_id);
    expect(bundle).toMatchObject({ head_sha: git("rev-parse", "main").trim(), changed_files: ["src/mine.txt"] });
    expect(git("cat-file", "blob", `refs/rumi/runs/${run_id}:src/mine.txt`)).toBe("mine\n");
    expectRepositorySound();
  });

  it("commits honestly: its commits, their reflog's branch and its HEAD are in the repository afterwards", async () => {
    const run_id = await begin(
      "for i in 1 2 3; do echo $i >> src/a.txt; git commit -qam $i; done; git log --oneline | wc -l",
    );
    await settled(run_id);
    expect(git("log", "--format=%s", `rumi/run-${run_id}`).trim().split("\n")).toEqual(["3", "2", "1", "base"]);
    expect(await bundleOf(run_id)).toMatchObject({
      head_sha: git("rev-parse", `rumi/run-${run_id}`).trim(),
      worktree_dirty: false,
      diff_stat: { added: 3, removed: 0, files: 1 },
    });
    expectRepositorySound();
  });

  it("moves another run's branch, locks its worktree, leaves its HEAD anywhere: none of it is seen outside", async () => {
    const other = await begin("echo other > docs.txt; git add .; git commit -qm other; sleep 4", "true", {
      scope: { write: ["docs.txt"] },
    });
    const run_id = await begin(
      `sleep 2; git update-ref refs/heads/rumi/run-${other} HEAD~0 || true; rm -f "$(git rev-parse --git-common-dir)/refs/heads/rumi/run-${other}"; d=$(git rev-parse --git-dir); touch $d/locked; echo 'ref: refs/heads/main' > $d/HEAD; echo x >> src/a.txt`,
    );
    const [mine, its] = [await settled(run_id), await settled(other)];
    expect([mine["phase"], its["phase"]]).toEqual(["proved", "proved"]);
    expect(git("log", "-1", "--format=%s", `rumi/run-${other}`).trim()).toBe("other");
    expect(await bundleOf(other)).toMatchObject({ head_sha: git("rev-parse", `rumi/run-${other}`).trim() });
    expectRepositorySound();
  });

  it("replaces .git by a repository of its own with hooks, a file system monitor and filters: none of them runs", async () => {
    const trap = join(work, "sprung");
    const run_id = await begin(
      `rm .git; command git init -q .; command git config core.fsmonitor 'touch ${trap}'; command git config filter.x.clean 'touch ${trap}'; echo '* filter=x' > .gitattributes; for h in post-checkout reference-transaction post-index-change; do printf '#!/bin/sh\\ntouch ${trap}\\n' > .git/hooks/$h; chmod 755 .git/hooks/$h; done; echo /var/tmp > .git/objects/info/alternates; echo x >> src/a.txt`,
    );
    const run = await settled(run_id);
    expect(run).toMatchObject({ phase: "proved" });
    expect(violations(run)).toEqual(["outside_write .gitattributes"]);
    expect(existsSync(trap)).toBe(false);
    expectRepositorySound();
  });
});

describe.runIf(requires("bubblewrap"))("[P-3] a run that wants to outlive or to overwhelm", () => {
  it("leaves daemons in sessions of their own, kills its parent, ignores everything: nothing of it lives on", async () => {
    const run_id = await begin(
      "trap '' TERM HUP INT; for i in 1 2 3; do (setsid sh -c 'trap \"\" TERM; sleep 4242' > /dev/null 2>&1 &) ; done; kill -9 $PPID; kill -9 1; echo still here; exit 0",
    );
    expect(await settled(run_id)).toMatchObject({ phase: "proved", exit_code: 0 });
    expect(await logOf(run_id)).toContain("still here");
    expect(processesNaming("sleep 4242")).toEqual([]);
    expect(processesNaming(`code_runs/${run_id}/`)).toEqual([]);
  });

  it("leaves pipes, sockets and links to everywhere: pipes and sockets are told, links are links", async () => {
    const run_id = await begin(
      `mkfifo src/pipe; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("src/sock")'; ln -s /etc/passwd src/link; ln -s / src/root; ln ${repo}/README src/hard; mknod src/null c 1 3; true`,
    );
    const run = await settled(run_id);
    expect(violations(run).toSorted()).toEqual(["special_file src/pipe", "special_file src/sock"]);
    expect((await bundleOf(run_id))["changed_files"]).toEqual(["src/link", "src/root"]);
  });

  it("says more than is kept, without an end of line, with escapes: the log has its limit, and says what it left out", async () => {
    const run_id = await begin(
      "printf '\\033]0;owned\\007\\033[2J'; head -c 150000000 /dev/zero | tr '\\0' x; echo; echo last",
    );
    expect(await settled(run_id)).toMatchObject({ phase: "proved", exit_code: 0 });
    const text = await logOf(run_id);
    expect(Buffer.byteLength(text)).toBeLessThan(67_108_864 + 65_536);
    expect(text).toMatch(/\d+ bytes of output beyond the limit of 67108864 were not kept/);
    expect(text).not.toContain("\u001b"); // JSON has it escaped
  });

  it("makes folders deeper than a path can be: they are told, what lies beside them is kept, nothing stays behind", async () => {
    const run_id = await begin(
      'echo x >> src/a.txt; python3 -c \'import os\nos.chdir("src")\nfor i in range(3000):\n  os.mkdir("deep-folder"); os.chdir("deep-folder")\nopen("bottom", "w").write("x")\'',
    );
    const run = await settled(run_id);
    expect(run["problem"]).toBe(null);
    expect(violations(run)).toEqual([expect.stringMatching(/^special_file src\/deep-folder\//) as string]);
    expect((await bundleOf(run_id))["changed_files"]).toEqual(["src/a.txt"]);
    expect(readdirSync(join(home, "user_data/code_runs", String(run_id))).toSorted()).not.toContain("tree");
    expectRepositorySound();
  });

  it("leaves twenty thousand files: each is in the snapshot", async () => {
    const run_id = await begin("mkdir src/many; cd src/many; seq 1 20000 | xargs touch");
    expect(await settled(run_id)).toMatchObject({ phase: "proved" });
    expect(await bundleOf(run_id)).toMatchObject({ diff_stat: { added: 0, removed: 0, files: 20_000 } });
  });
});
