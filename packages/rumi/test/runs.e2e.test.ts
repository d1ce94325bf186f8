/** Runs with their evidence over HTTP and the command line, against the built program, with real git and a real box. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RUN_LIMITS } from "@rumi/runs";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cliIn, eventually, processesNaming, startProgram, type Program } from "./program.ts";

/** Not in /tmp, which a box hides anyway. */
const home = { path: mkdtempSync("/var/tmp/rumi-runs-") };
const work = temporaryFolder();
let program: Program;
const sockets = mkdtempSync("/var/tmp/rumi-sockets-");
const environment = {
  RUMI_EGRESS_SOCK_DIR: join(sockets, "egress"),
  RUMI_CAPABILITY_SOCK_DIR: join(sockets, "capability"),
};
const repo = join(work.path, "repo");
const git = (...words: readonly string[]): string =>
  execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@example.org", ...words], {
    cwd: repo,
    encoding: "utf8",
  });
const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

beforeAll(async () => {
  mkdirSync(join(repo, "src"), { recursive: true });
  writeFileSync(join(repo, "src/a.txt"), "one\n");
  writeFileSync(join(repo, "README"), "read me\n");
  execFileSync("git", ["init", "--quiet", "--initial-branch=main", repo]);
  git("add", ".");
  git("commit", "--quiet", "-m", "base");
  program = await startProgram({ home: home.path, environment });
});
afterAll(async () => {
  expect(await program.stop()).toBe(0);
  for (const path of [home.path, sockets]) rmSync(path, { recursive: true, force: true });
});

const SCOPE = { write: ["src/**"] };
const CHECK = {
  check_key: "builds",
  label: "It builds",
  kind: "build",
  command: "test -f src/a.txt && echo fine",
  required: true,
};
const wish = (command: string, over: Readonly<Record<string, unknown>> = {}) => ({
  repo,
  prompt: "Do what is asked.",
  scope: SCOPE,
  dod: { required_checks: [CHECK] },
  command: ["/bin/sh", "-c", command],
  ...over,
});
type Shown = {
  readonly run_id: number;
  readonly phase: string;
  readonly status: string;
  readonly exit_code: number | null;
  readonly problem: string | null;
  readonly dod_status: string;
  readonly snapshot_sha: string;
  readonly enforcement: Readonly<Record<string, string>>;
  readonly checks: readonly {
    readonly check_key: string;
    readonly status: string;
    readonly executed_nothing: boolean;
  }[];
  readonly violations: readonly {
    readonly violation_id: number;
    readonly path: string;
    readonly reason: string;
    readonly approved_status: string;
  }[];
  readonly revisions: readonly { readonly revision: number; readonly sha256: string }[];
  readonly proof_bundle_ref: string | null;
};
const begin = async (command: string, over: Readonly<Record<string, unknown>> = {}): Promise<number> => {
  const answer = await program.call("POST", "/api/runs", wish(command, over));
  expect([answer.status, answer.body["error"]]).toEqual([202, undefined]);
  return (answer.body["data"] as unknown as Shown).run_id;
};
const show = async (run_id: number): Promise<Shown> =>
  (await program.call("GET", `/api/runs/${run_id}`)).body["data"] as unknown as Shown;
const settled = (run_id: number): Promise<Shown> =>
  eventually(async () => {
    const run = await show(run_id);
    return ["proved", "broken"].includes(run.phase) ? run : undefined;
  });
const fetchText = async (path: string): Promise<{ status: number; type: string | null; text: string }> => {
  const answer = await fetch(new URL(path, program.url), { headers: { authorization: `Bearer ${program.token}` } });
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
};
const bundleOf = async (run_id: number, revision?: number) =>
  JSON.parse(
    (await fetchText(`/api/runs/${run_id}/proof${revision === undefined ? "" : `?revision=${revision}`}`)).text,
  ) as Record<string, unknown> & { readonly diff_stat: unknown };

describe("a run", () => {
  it("[P-1][P-2][P-6][P-8] leaves a bundle whose values are git's and sha256sum's own", async () => {
    const run_id = await begin(
      "cat > /dev/null; cat \"$RUMI_PROMPT_FILE\"; echo two >> src/a.txt; git -c user.name=r -c user.email=r@x commit -qam mine; echo left > src/'日本 語.txt'; echo oops >&2; exit 3",
    );
    const early = await fetchText(`/api/runs/${run_id}/proof`);
    const run = await settled(run_id);
    expect([early.status, (JSON.parse(early.text) as Record<string, unknown>)["error_code"]]).toEqual([
      404,
      "RUMI-RUN-007",
    ]);
    expect(run).toMatchObject({
      status: "failed",
      exit_code: 3,
      phase: "proved",
      dod_status: "passed",
      violations: [],
    });
    expect(run.proof_bundle_ref).toBe(`${run_id}/proof-1.json`);
    const served = await fetchText(`/api/runs/${run_id}/proof`);
    expect(served.type).toBe("application/json");
    const onDisk = readFileSync(join(home.path, "user_data/code_runs", run.proof_bundle_ref ?? ""));
    expect(sha256(served.text)).toBe(sha256(onDisk));
    const bundle = await bundleOf(run_id);
    const head = git("rev-parse", `rumi/run-${run_id}`).trim();
    const base = git("rev-parse", "main").trim();
    expect(bundle).toMatchObject({
      version: "1.0",
      run_id,
      prompt_hash: sha256("Do what is asked."),
      scope_snapshot: { write: ["src/**"], read: [], exclude: ["**/.git/**", ".git/**"] },
      dod_snapshot: { required_checks: [{ ...CHECK, timeout_sec: 600, working_dir: "" }] },
      changed_files: git("diff", "--no-renames", "--name-only", "-z", base, run.snapshot_sha)
        .split("\0")
        .filter((one) => one !== ""),
      head_sha: head,
      base_sha: base,
      exit_code: 3,
      scope_violations: [],
      approval_history: [],
      worktree_dirty: true,
      revision: 1,
      previous_sha256: null,
    });
    expect(git("diff", "--no-renames", "--shortstat", base, run.snapshot_sha).trim()).toBe(
      "2 files changed, 2 insertions(+)",
    );
    expect(bundle.diff_stat).toEqual({ added: 2, removed: 0, files: 2 });
    const log = await fetchText(`/api/runs/${run_id}/log`);
    expect(sha256(log.text)).toBe(bundle["log_sha256"]);
    const lines = log.text
      .trim()
      .split("\n")
      .map((one) => JSON.parse(one) as { stream: string; data: string; timestamp: string });
    expect(lines.map(({ stream, data }) => [stream, data])).toEqual(
      expect.arrayContaining([
        ["meta", "Do what is asked."],
        ["stdout", "Do what is asked."],
        ["stderr", "oops\n"],
        ["meta", "the command ended with exit code 3"],
      ]),
    );
    expect(git("status", "--porcelain")).toBe(""); // nobody's own tree was touched
    expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
  });

  it("[P-7] keeps a reference in the store and the bundle in a file, and gives no verdict", async () => {
    const run_id = await begin("true");
    await settled(run_id);
    const bundle = await bundleOf(run_id);
    const words = ["passed", "failed", "ok", "success", "verdict", "status", "dod_status", "result", "conclusion"];
    expect(Object.keys(bundle).filter((name) => words.includes(name))).toEqual([]);
    const store = execFileSync(
      "python3",
      [
        "-c",
        "import sqlite3,sys\nfor r in sqlite3.connect(sys.argv[1]).execute('select * from code_run_bundle where run_id=?',(sys.argv[2],)): print(r)",
        join(home.path, "user_data/store/rumi.sqlite"),
        String(run_id),
      ],
      { encoding: "utf8" },
    );
    expect(store).toContain(`${run_id}/proof-1.json`);
    expect(store).not.toContain("changed_files");
  });

  it("[P-3][P-10] finds what lies outside its scope; a person decides; each decision is a new revision beside the old one", async () => {
    const run_id = await begin("echo x >> README; mkdir .github; echo y > .github/ci.yml; echo z >> src/a.txt");
    const run = await settled(run_id);
    expect(run.violations.map(({ path, reason, approved_status }) => [path, reason, approved_status])).toEqual([
      [".github/ci.yml", "outside_write", "pending"],
      ["README", "outside_write", "pending"],
    ]);
    const undecided = async () => {
      const listed = (await program.call("GET", "/api/runs?limit=5")).body["data"] as unknown as {
        runs: { run_id: number; violations_pending: number }[];
      };
      return listed.runs.find((one) => one.run_id === run_id)?.violations_pending;
    };
    expect(await undecided()).toBe(2);
    const decide = (id: number, verb: string, body: unknown) =>
      program.call("POST", `/api/runs/${run_id}/violations/${id}/${verb}`, body);
    expect((await decide(1, "approve", {})).status).toBe(400);
    expect((await decide(9, "approve", { reason: "r" })).body["error_code"]).toBe("RUMI-RUN-011");
    expect((await decide(1, "reject", { reason: "nobody asked for it" })).status).toBe(200);
    expect(await undecided()).toBe(1);
    const again = await decide(1, "approve", { reason: "on second thoughts" });
    expect([again.status, again.body["error_code"]]).toEqual([409, "RUMI-RUN-012"]);
    await eventually(async () => ((await show(run_id)).revisions.length === 2 ? true : undefined));
    expect((await decide(2, "approve", { reason: "it was meant" })).status).toBe(200);
    const after = await eventually(async () => {
      const seen = await show(run_id);
      return seen.revisions.length === 3 ? seen : undefined;
    });
    expect(after.proof_bundle_ref).toBe(`${run_id}/proof-3.json`);
    const [first, second, third] = await Promise.all([1, 2, 3].map((revision) => bundleOf(run_id, revision)));
    expect(await bundleOf(run_id)).toEqual(third);
    expect(first?.["approval_history"]).toEqual([]);
    expect([second?.["previous_sha256"], third?.["previous_sha256"]]).toEqual(
      after.revisions.slice(0, 2).map((one) => one.sha256),
    );
    expect(third?.["approval_history"]).toMatchObject([
      { violation_id: 1, approved_status: "rejected", reason: "nobody asked for it" },
      { violation_id: 2, approved_status: "approved", reason: "it was meant" },
    ]);
    expect(third?.["scope_violations"]).toMatchObject([
      { approved_status: "rejected" },
      { approved_status: "approved" },
    ]);
  });

  it("[P-4] runs its checks on a clean checkout of what it left: passed, failed, pending, none; and flags one that did nothing", async () => {
    const check = (check_key: string, command: string, over = {}) => ({ ...CHECK, check_key, command, ...over });
    const run_id = await begin("echo new > src/new.txt; echo junk > ignored-by-nobody; sleep 0.1", {
      scope: { write: ["**"] },
      dod: {
        required_checks: [
          check("sees", "cat src/new.txt && git rev-parse HEAD && touch planted"),
          check("clean", "test ! -e planted && git status --porcelain | wc -l | grep -qx 0"),
          check("fails", "echo no; exit 7", { required: false }),
          check("late", "sleep 30", { timeout_sec: 1, required: false }),
          check("nothing", "true", { required: false }),
          check("elsewhere", 'test "$(basename "$PWD")" = src', { working_dir: "src" }),
        ],
      },
    });
    const during = await show(run_id);
    expect([during.dod_status, during.checks.map(({ status }) => status)]).toEqual([
      "pending",
      Array(6).fill("pending"),
    ]);
    const run = await settled(run_id);
    expect(run.dod_status).toBe("passed");
    const results = (await bundleOf(run_id))["dod_results"] as Record<string, unknown>[];
    expect(
      results.map((one) => [
        one["check_key"],
        one["status"],
        one["exit_code"],
        one["timed_out"],
        one["executed_nothing"],
      ]),
    ).toEqual([
      ["sees", "passed", 0, false, false],
      ["clean", "passed", 0, false, false],
      ["fails", "failed", 7, false, false],
      ["late", "failed", 143, true, false],
      ["nothing", "passed", 0, false, true],
      ["elsewhere", "passed", 0, false, false],
    ]);
    const log = await fetchText(`/api/runs/${run_id}/log?check_key=sees`);
    expect(log.text).toContain(run.snapshot_sha);
    expect(sha256(log.text)).toBe(results[0]?.["log_sha256"]);
    const none = await begin("true", { dod: { required_checks: [] } });
    expect((await settled(none)).dod_status).toBe("pending");
  });

  it("[P-5] happens in one order, each step an event; the API answers while it goes on", async () => {
    const run_id = await begin("echo x >> README; sleep 0.3");
    expect((await program.call("GET", `/api/runs/${run_id}`)).status).toBe(200);
    await settled(run_id);
    const found = await program.call("GET", `/api/audit/events?resource_id=${run_id}&resource_type=code_run&limit=50`);
    const { events } = found.body["data"] as unknown as { readonly events: readonly { readonly action: string }[] };
    const actions = events.map(({ action }) => action).toReversed();
    expect(actions.filter((action) => action.startsWith("run."))).toEqual([
      "run.started",
      "run.finished",
      "run.check_finished",
      "run.violations_found",
      "run.proof_generated",
    ]);
  });

  it("[P-2] of a command that is not there, or that ends by a signal, is told as a shell tells it", async () => {
    const missing = await settled(await begin("", { command: ["/no/such/command"] }));
    expect([missing.status, missing.phase]).toEqual(["failed", "proved"]);
    expect(missing.exit_code).not.toBe(0);
    expect((await settled(await begin("kill -KILL $$"))).exit_code).toBe(137);
    expect((await settled(await begin("sleep 30", { timeout_seconds: 1 }))).exit_code).toBe(143);
  });
});

describe("a run that is held", () => {
  it("[P-1] is stopped with five seconds to end in order, and leaves evidence all the same", async () => {
    const run_id = await begin(
      "trap 'echo bye; exit 9' TERM; echo half > src/half.txt; echo ready; while :; do sleep 0.1; done",
    );
    await eventually(async () =>
      (await fetchText(`/api/runs/${run_id}/log`)).text.includes("ready") ? true : undefined,
    );
    expect((await program.call("POST", `/api/runs/${run_id}/stop`, { reason: "enough" })).status).toBe(202);
    const run = await settled(run_id);
    expect([run.status, run.exit_code, run.phase]).toEqual(["cancelled", 9, "proved"]);
    expect((await fetchText(`/api/runs/${run_id}/log`)).text).toContain("bye");
    expect((await bundleOf(run_id))["changed_files"]).toEqual(["src/half.txt"]);
    const again = await program.call("POST", `/api/runs/${run_id}/stop`, {});
    expect([again.status, again.body["error_code"]]).toEqual([409, "RUMI-RUN-010"]);
    expect((await program.call("POST", "/api/runs/99999/stop", {})).body["error_code"]).toBe("RUMI-RUN-001");
  });

  it("[P-1] ends by SIGKILL where it does not want to end, with everything it started", async () => {
    const run_id = await begin(
      "trap '' TERM; sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo ready; while :; do sleep 1; done",
    );
    await eventually(async () =>
      (await fetchText(`/api/runs/${run_id}/log`)).text.includes("ready") ? true : undefined,
    );
    const began = performance.now();
    await program.call("POST", `/api/runs/${run_id}/stop`, {});
    const run = await settled(run_id);
    expect([run.status, run.exit_code]).toEqual(["cancelled", 137]);
    expect(performance.now() - began).toBeGreaterThan(4_500);
    expect(processesNaming(`code_runs/${run_id}/`)).toEqual([]);
  });

  it("[P-1] says what it says while it goes on", async () => {
    const run_id = await begin("echo first; sleep 2; echo last");
    const answer = await fetch(new URL(`/api/runs/${run_id}/stream`, program.url), {
      headers: { authorization: `Bearer ${program.token}` },
    });
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    let text = "";
    let firstAt = 0;
    for await (const piece of answer.body ?? []) {
      text += Buffer.from(piece as Uint8Array).toString();
      if (firstAt === 0 && text.includes("first")) {
        firstAt = performance.now();
        expect((await show(run_id)).status).toBe("running");
      }
    }
    expect(performance.now() - firstAt).toBeGreaterThan(1_000);
    expect(text).toMatch(/event: line\ndata: \{.*"data":"last\\n"\}\n\n[\s\S]*event: end\ndata: ended\n\n$/);
  });

  it.runIf(requires("bubblewrap"))(
    "[P-3] cannot write outside its worktree, and with deny not outside its scope",
    async () => {
      const outside = join(home.path, "outside.txt");
      for (const name of ["egress", "capability"]) {
        mkdirSync(join(sockets, name), { recursive: true });
        writeFileSync(join(sockets, name, "a-pack"), "");
      }
      const tries = `mount -o remount,rw,bind /; mount -o remount,rw,bind ${home.path}; echo x > ${outside}; echo y > ${join(repo, "README")}; echo z > ${join(repo, ".git/hooks/post-commit")}; git config core.editor evil; ls ${home.path}/user_data; ls -A ${sockets}/egress | sed s/^/listed-/; echo ok > src/a.txt; echo no > README; echo new > src/deep.txt; git -c user.name=r -c user.email=r@x commit -qam works; true`;
      const recorded = await settled(await begin(tries));
      expect(existsSync(outside)).toBe(false);
      expect(readFileSync(join(repo, "README"), "utf8")).toBe("read me\n");
      expect(existsSync(join(repo, ".git/hooks/post-commit"))).toBe(false);
      expect(git("config", "--default", "none", "core.editor").trim()).toBe("none");
      expect(recorded.enforcement).toMatchObject({ scope: "after_only", outside: "kernel", mechanism: "bubblewrap" });
      expect(recorded.violations.map(({ path }) => path)).toEqual(["README"]);
      const denied = await settled(await begin(tries, { enforce: "deny" }));
      expect(denied.enforcement).toMatchObject({ scope: "kernel", outside: "kernel" });
      expect(denied.violations).toEqual([]);
      expect((await bundleOf(denied.run_id))["changed_files"]).toEqual(["src/a.txt", "src/deep.txt"]);
      const log = await fetchText(`/api/runs/${denied.run_id}/log`);
      expect(log.text).not.toContain("settings");
      expect(log.text).not.toContain("listed-");
      expect(log.text).toContain("Read-only file system");
    },
  );
});

describe("a wish for a run", () => {
  const ask = async (over: Readonly<Record<string, unknown>>) => {
    const { status, body } = await program.call("POST", "/api/runs", wish("true", over));
    return [status, body["error_code"]];
  };
  it.each<readonly [string, Readonly<Record<string, unknown>>, number, string]>([
    ["a folder that is no repository", { repo: "/usr" }, 422, "RUMI-RUN-003"],
    ["a relative path", { repo: "repo" }, 422, "RUMI-RUN-003"],
    ["a base that is not there", { base_ref: "no-such-branch" }, 422, "RUMI-RUN-003"],
    ["a base that is an option", { base_ref: "--output=/tmp/x" }, 422, "RUMI-RUN-003"],
    ["a scope without write", { scope: { write: [] } }, 422, "RUMI-RUN-004"],
    ["a pattern that climbs", { scope: { write: ["../**"] } }, 422, "RUMI-RUN-004"],
    ["a pattern without its end", { scope: { write: ["a[b"] } }, 422, "RUMI-RUN-004"],
    ["two checks of one key", { dod: { required_checks: [CHECK, CHECK] } }, 400, "RUMI-VAL-002"],
    [
      "a check that leaves its checkout",
      { dod: { required_checks: [{ ...CHECK, working_dir: "../.." }] } },
      400,
      "RUMI-VAL-002",
    ],
    ["an unknown field", { sandbox: "off" }, 400, "RUMI-VAL-008"],
    ["no command", { command: [] }, 400, "RUMI-VAL-002"],
    ["a NUL in its command", { command: ["a\0b"] }, 400, "RUMI-VAL-002"],
  ])("[P-1] %s is refused", async (_what, over, status, code) => expect(await ask(over)).toEqual([status, code]));

  const checksOf = (count: number, more: Readonly<Record<string, unknown>> = {}) => ({
    dod: { required_checks: Array.from({ length: count }, (_, at) => ({ ...CHECK, check_key: `c${at}`, ...more })) },
  });
  it.each<readonly [string, Readonly<Record<string, unknown>>]>([
    ["a prompt", { prompt: "x".repeat(RUN_LIMITS.prompt_characters + 1) }],
    ["a command's words", { command: Array.from({ length: RUN_LIMITS.command_words + 1 }, () => "x") }],
    ["a command's word", { command: ["x".repeat(RUN_LIMITS.word_characters + 1)] }],
    ["checks", checksOf(RUN_LIMITS.checks + 1)],
    ["a check's command", checksOf(1, { command: "x".repeat(RUN_LIMITS.check_characters + 1) })],
    ["a run's time", { timeout_seconds: RUN_LIMITS.timeout_seconds + 1 }],
    ["a check's time", checksOf(1, { timeout_sec: RUN_LIMITS.check_timeout_seconds + 1 })],
  ])("[P-1] %s beyond the limit: refused", async (_what, over) => {
    const [status, code] = await ask(over);
    expect([status, String(code)]).toEqual([400, expect.stringMatching(/^RUMI-VAL-0(?:02|12)$/) as string]);
  });

  it("[P-1] no more than eight go on at once, and a list is no longer than its limit", async () => {
    const scope = (at: number) => ({ scope: { write: [`part-${at}/**`] }, dod: { required_checks: [] } });
    const going: number[] = [];
    for (let at = 0; at < RUN_LIMITS.active; at += 1) going.push(await begin("sleep 60", scope(at)));
    expect(await ask(scope(RUN_LIMITS.active))).toEqual([429, "RUMI-RUN-006"]);
    await program.call("POST", `/api/runs/${going[0]}/stop`, {});
    await settled(going[0] ?? 0);
    going.push(await begin("true", scope(RUN_LIMITS.active)));
    for (const run_id of going.slice(1)) await program.call("POST", `/api/runs/${run_id}/stop`, {});
    await Promise.all(going.map(settled));
    expect((await program.call("GET", `/api/runs?limit=${RUN_LIMITS.listed}`)).status).toBe(200);
    expect((await program.call("GET", `/api/runs?limit=${RUN_LIMITS.listed + 1}`)).status).toBe(400);
  });

  it("[P-1] whose scope meets that of a run that goes on is refused with both names and a path they share", async () => {
    const first = await begin("sleep 20", { scope: { write: ["src/**", "docs/*.md"] } });
    const met = await program.call("POST", "/api/runs", wish("true", { scope: { write: ["**/*.md"] } }));
    expect([met.status, met.body["error_code"]]).toEqual([409, "RUMI-RUN-008"]);
    expect(met.body["error"]).toContain(`The run ${first} `);
    expect(met.body["error"]).toMatch(/for instance (?:docs\/|src\/).*\.md/);
    const apart = await begin("true", { scope: { write: ["docs/*.txt", "src.txt"] } });
    await program.call("POST", `/api/runs/${first}/stop`, {});
    await Promise.all([settled(first), settled(apart)]);
    expect((await settled(await begin("true", { scope: { write: ["**/*.md"] } }))).status).toBe("completed");
  });

  it("[P-1] sent again with its key is the same run", async () => {
    const headers = { "idempotency-key": "018f4a5e-0000-7000-8000-00000000f001" };
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(await program.call("POST", "/api/runs", wish("true"), headers));
    const ids = new Set(answers.map(({ body }) => (body["data"] as unknown as Shown).run_id));
    expect([answers.map(({ status }) => status), ids.size]).toEqual([[202, 202, 202], 1]);
    await settled([...ids][0] ?? 0);
  });

  it("[P-3] adds what the project itself excludes to its frozen scope", async () => {
    mkdirSync(join(repo, ".rumi"), { recursive: true });
    writeFileSync(join(repo, ".rumi/scope.json"), JSON.stringify({ exclude: ["src/frozen/**"] }));
    git("add", ".rumi");
    git("commit", "--quiet", "-m", "a rule of the project");
    const run = await settled(await begin("mkdir src/frozen; echo x > src/frozen/x; rm -r .rumi"));
    expect(run.violations.map(({ path, reason }) => [path, reason])).toEqual([
      [".rumi/scope.json", "outside_write"],
      ["src/frozen/x", "excluded"],
    ]);
  });
});

describe("kill -9 of the program", () => {
  it("[P-1][P-5] while a command runs: it is cancelled and never started again; while checks run: they go on where they were", async () => {
    const run_id = await begin("echo started >> src/starts.txt; sleep 60");
    const checking = await begin("echo y > docs.md", {
      scope: { write: ["docs.md"] },
      dod: {
        required_checks: [
          { ...CHECK, check_key: "one", command: "date +%N" },
          { ...CHECK, check_key: "two", command: "sleep 3; echo two" },
        ],
      },
    });
    await eventually(async () => ((await show(checking)).checks[0]?.status === "passed" ? true : undefined));
    await eventually(async () => ((await show(run_id)).phase === "running" ? true : undefined));
    const before = await fetchText(`/api/runs/${checking}/log?check_key=one`);
    await program.kill();
    program = await startProgram({ home: home.path, environment });
    const lost = await settled(run_id);
    expect([lost.status, lost.exit_code, lost.phase]).toEqual(["cancelled", null, "proved"]);
    expect(processesNaming(`code_runs/${run_id}/`)).toEqual([]);
    const { text } = await fetchText(`/api/runs/${run_id}/proof`);
    expect(git("show", `${(JSON.parse(text) as Shown).snapshot_sha}:src/starts.txt`)).toBe("started\n");
    const checked = await settled(checking);
    expect(checked.dod_status).toBe("passed");
    expect((await fetchText(`/api/runs/${checking}/log?check_key=one`)).text).toBe(before.text);
  });
});

describe("the command line", () => {
  const folder = temporaryFolder().path;
  const put = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
  const rumi = (line: string) => cliIn(folder, home.path, line);

  it("[P-1][P-8] runs a command with its output, ends with its code, prints the run's id last; gets and verifies its proof", async () => {
    put("task.txt", "Append a line.\n");
    put("scope.json", SCOPE);
    put("dod.json", { required_checks: [CHECK] });
    const done = rumi(
      `run --repo ${repo} --prompt-file task.txt --scope scope.json --dod dod.json --wait -- sh -c 'cat; echo said >&2; echo more >> src/a.txt; exit 5'`,
    );
    expect([done.code, done.err]).toEqual([5, "said\n"]);
    const [said, run_id = ""] = done.out.trim().split("\n");
    expect(said).toBe("Append a line.");
    const got = rumi(`proof get ${run_id}`);
    expect(got.code).toBe(0);
    writeFileSync(join(folder, "proof.json"), got.out);
    writeFileSync(join(folder, "log.jsonl"), (await fetchText(`/api/runs/${run_id}/log`)).text);
    writeFileSync(join(folder, "proof.dsse.json"), rumi(`proof get ${run_id} --attestation`).out);
    const key = (await program.call("GET", "/api/attestations/key")).body["data"] as unknown as {
      readonly public_key: string;
    };
    writeFileSync(join(folder, "key.pem"), key.public_key);
    const all = rumi(
      `proof verify proof.json --repo ${repo} --log log.jsonl --attestation proof.dsse.json --key key.pem --json`,
    );
    const { verdict, facts } = JSON.parse(all.out) as { verdict: string; facts: { fact: string; state: string }[] };
    expect([all.code, verdict]).toEqual([0, "valid"]);
    const proven = facts.filter(({ state }) => state === "proven").map(({ fact }) => fact);
    expect(proven).toEqual([
      "form",
      "signature",
      "log",
      "prompt_hash",
      "base_sha",
      "head_sha",
      "snapshot_sha",
      "worktree_dirty",
      "changed_files",
      "diff_stat",
      "scope_violations",
    ]);
    // The envelope by a tool that is not ours.
    const envelope = JSON.parse(readFileSync(join(folder, "proof.dsse.json"), "utf8")) as {
      payload: string;
      payloadType: string;
      signatures: { sig: string }[];
    };
    const payload = Buffer.from(envelope.payload, "base64");
    writeFileSync(
      join(folder, "pae"),
      Buffer.concat([
        Buffer.from(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `),
        payload,
      ]),
    );
    writeFileSync(join(folder, "sig"), Buffer.from(envelope.signatures[0]?.sig ?? "", "base64"));
    const openssl = spawnSync("openssl", ["dgst", "-sha256", "-verify", "key.pem", "-signature", "sig", "pae"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(openssl.stdout).toContain("Verified OK");
    expect(JSON.parse(payload.toString())).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ digest: { sha256: sha256(got.out) } }, {}],
    });
    const changed = got.out.replace('"exit_code":5', '"exit_code":0');
    writeFileSync(join(folder, "changed.json"), changed);
    expect(rumi(`proof verify changed.json --repo ${repo} --attestation proof.dsse.json --key key.pem`).code).toBe(1);
    writeFileSync(join(folder, "more.json"), got.out.replace('["src/a.txt"]', "[]"));
    expect(rumi(`proof verify more.json --repo ${repo}`).code).toBe(1);
    execFileSync("git", ["init", "--quiet", join(folder, "empty")]);
    expect(rumi("proof verify proof.json --repo empty").code).toBe(2);
    expect(rumi("proof verify proof.json").code).toBe(3);
    expect(rumi(`proof verify none.json --repo ${repo}`).code).toBe(3);
    expect(rumi(`proof get 99999`).code).toBe(1);
  });
});
