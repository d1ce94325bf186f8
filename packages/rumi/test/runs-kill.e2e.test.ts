/**
 * kill -9 of the program at whatever moment of a run: it comes to its end all the same, its command was started once at most,
 * and what its bundle says is what git says. And a command that leaves a hundred thousand files.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { cliIn, eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { RUN_LIMITS } from "@rumi/runs";
import { makeRepository, type Git } from "./repository.ts";

const SLOW_MS = 360_000;
/** Not in /tmp, which a box hides anyway. */
const home = mkdtempSync("/var/tmp/rumi-kill-");
const work = temporaryFolder();
const repo = join(work.path, "repo");
let program: Program;

let git: Git;
type Shown = {
  readonly run_id: number;
  readonly phase: string;
  readonly status: string;
  readonly exit_code: number | null;
  readonly problem: string | null;
  readonly dod_status: string;
  readonly snapshot_sha: string;
};
const CHECK = { check_key: "there", label: "It is there", kind: "build", command: "ls src", required: true };
const begin = async (command: string, over: object = {}): Promise<number> => {
  const wish = { repo, prompt: "p", scope: { write: ["src/**"] }, dod: { required_checks: [CHECK] }, ...over };
  const answer = await program.call("POST", "/api/runs", { ...wish, command: ["/bin/sh", "-c", command] });
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
const verified = (run_id: number): number => {
  const bundle = cliIn(work.path, home, `proof get ${run_id} > bundle.json`);
  expect(bundle.err).toBe("");
  return cliIn(work.path, home, `proof verify bundle.json --repo ${repo}`).code;
};

beforeAll(async () => {
  const files = Array.from({ length: 400 }, (_, at) => [`src/${at}.txt`, `${at}\n`]);
  git = makeRepository(repo, Object.fromEntries(files) as Record<string, string>);
  program = await startProgram({ home });
}, SLOW_MS);
afterAll(async () => {
  expect(await program.stop()).toBe(0);
  rmSync(home, { recursive: true, force: true });
  work.remove();
});

describe("kill -9 of the program", () => {
  it.each([0, 30, 80, 150, 250, 400, 600, 900, 1_300])(
    "[P-1] [P-5] [P-6] %i ms after a run was taken: it settles, its command ran once at most, its bundle holds",
    async (after_ms) => {
      const run_id = await begin("echo once >> src/starts; for f in src/*.txt; do echo more >> $f; done");
      await new Promise((resolve) => setTimeout(resolve, after_ms));
      await program.kill();
      program = await startProgram({ home });
      const run = await settled(run_id);
      expect([run.phase, run.problem]).toEqual(["proved", null]);
      expect(["completed", "cancelled", "failed"]).toContain(run.status);
      expect(processesNaming(`code_runs/${run_id}/`)).toEqual([]);
      expect(git("fsck", "--no-dangling").trim()).toBe("");
      const starts = spawnSync("git", ["show", `${run.snapshot_sha}:src/starts`], { cwd: repo, encoding: "utf8" });
      expect(["", "once\n"]).toContain(starts.stdout);
      if (run.status === "completed") expect([starts.stdout, run.dod_status]).toEqual(["once\n", "passed"]);
      expect(verified(run_id)).toBe(0);
    },
    SLOW_MS,
  );

  it(
    "[P-1] [P-5] again while it comes back from the first: the same",
    async () => {
      const run_id = await begin("echo once >> src/starts; sleep 0.5; echo more >> src/1.txt");
      for (const after_ms of [700, 0, 300]) {
        await new Promise((resolve) => setTimeout(resolve, after_ms));
        await program.kill();
        program = await startProgram({ home });
      }
      expect((await settled(run_id)).phase).toBe("proved");
      expect(verified(run_id)).toBe(0);
    },
    SLOW_MS,
  );
});

describe("what is much", () => {
  it(
    "[P-2] [P-4] a hundred thousand files are judged and proven, and the program answers meanwhile",
    async () => {
      const run_id = await begin(
        "mkdir src/many out; seq 1 99000 | (cd src/many; xargs touch); seq 1 1000 | (cd out; xargs touch)",
      );
      const run = await eventually(async () => {
        expect((await fetch(new URL("/health", program.url))).ok).toBe(true);
        const now = await show(run_id);
        return ["proved", "broken"].includes(now.phase) ? now : undefined;
      }, 100);
      expect([run.phase, run.status]).toEqual(["proved", "completed"]);
      expect(verified(run_id)).toBe(0);
    },
    SLOW_MS,
  );

  it(
    "[P-2] [P-4] as many violations as there may be are all in the bundle; with one more there is none, and it is said why",
    async () => {
      const most = RUN_LIMITS.violations;
      const leave = (files: number): Promise<number> => begin(`mkdir out; seq 1 ${files} | (cd out; xargs touch)`);
      const full = await leave(most);
      expect([(await settled(full)).phase, verified(full)]).toEqual(["proved", 0]);
      const bundle = (await program.call("GET", `/api/runs/${full}/proof`)).body as { scope_violations?: unknown };
      expect(bundle.scope_violations).toHaveLength(most);
      const last = await program.call("POST", `/api/runs/${full}/violations/${most}/approve`, { reason: "seen" });
      expect([last.status, (last.body["data"] as unknown as { path: string }).path]).toEqual([200, "out/999"]);
      const over = await settled(await leave(most + 1));
      expect([over.phase, over.problem]).toEqual(["broken", `it left more than ${most} violations of its scope`]);
    },
    SLOW_MS,
  );
});
