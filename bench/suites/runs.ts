/**
 * The evidence of runs: from the end of the last check to the bundle that can be fetched, for a run that changed 1,000 files;
 * and how long git and the scope take for 10,000 changed paths.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { difference, judge, openRepository, parseScope, systemGit } from "@rumi/runs";
import { measured, repeat, type Measured } from "../measure.ts";
import { startBenchProgram, type BenchProgram } from "../program.ts";

const RUNS = 5;
const ASK_EVERY_MS = 5;

export async function runsSuite(program: string): Promise<readonly Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), "rumi-bench-runs-"));
  try {
    return [...(await bundles(program, folder)), ...(await scopes(folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundles(file: string, folder: string): Promise<readonly Measured[]> {
  const repo = repository(join(folder, "repo"), 1_000);
  const program = await startBenchProgram({
    program: file,
    home: join(folder, "home"),
    environment: { RUMI_SECURITY_MODE: "permissive" },
  });
  try {
    const readies = await repeat(RUNS, (run) => bundleReady(program, repo, run));
    return [measured("run_bundle_ready_ms", "ms", readies)];
  } finally {
    await program.stop();
  }
}

async function bundleReady(program: BenchProgram, repo: string, run: number): Promise<number> {
  const check = { check_key: "last", label: "The last check", kind: "test", command: "echo done", required: true };
  const { run_id } = await program.call("POST", "/api/runs", {
    repo,
    prompt: "Change every file.",
    scope: { write: ["**/*.txt"] },
    dod: { required_checks: [check] },
    command: ["sh", "-c", `for one in */*.txt; do echo ${run} >> "$one"; done`],
  });
  for (;;) {
    const shown = (await program.call("GET", `/api/runs/${Number(run_id)}`)) as {
      readonly phase: string;
      readonly problem: string | null;
      readonly checks: readonly { readonly finished_at?: string | null }[];
      readonly revisions: readonly unknown[];
    };
    if (shown.phase === "broken") throw new Error(shown.problem ?? "it broke");
    if (shown.revisions.length > 0) return Date.now() - Date.parse(shown.checks[0]?.finished_at ?? "");
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

async function scopes(folder: string): Promise<readonly Measured[]> {
  const path = repository(join(folder, "wide"), 10_000);
  execFileSync("sh", ["-c", 'for one in */*.txt; do echo more >> "$one"; done'], { cwd: path });
  commit(path, "changed");
  const git = systemGit(process.env["PATH"] ?? "");
  const repo = await openRepository(git, path);
  const scope = parseScope(
    { write: Array.from({ length: 20 }, (_, at) => `folder-${at}/**/*.txt`), exclude: ["**/secret-*", "infra/**"] },
    [],
  );
  if (!scope.ok) throw new Error(scope.error.problem);
  const times = await repeat(RUNS, async () => {
    const began = performance.now();
    const { changed } = await difference(git, repo, "HEAD~1", "HEAD");
    const judged = await judge(scope.value.scope, changed, { nested: [], special: [] }, []);
    if (changed.length !== 10_000 || judged.length !== 8_000)
      throw new Error(`${changed.length} changed, ${judged.length} violations`);
    return performance.now() - began;
  });
  return [measured("run_scope_10000_ms", "ms", times)];
}

/** `files` files of one line, a hundred to a folder. */
function repository(path: string, files: number): string {
  mkdirSync(path, { recursive: true });
  execFileSync("git", ["init", "--quiet", path]);
  for (let at = 0; at < files; at += 1) {
    const folder = join(path, `folder-${Math.floor(at / 100)}`);
    if (at % 100 === 0) mkdirSync(folder);
    writeFileSync(join(folder, `file-${at}.txt`), `${at}\n`);
  }
  commit(path, "base");
  return path;
}

function commit(path: string, message: string): void {
  execFileSync("git", ["add", "."], { cwd: path });
  execFileSync(
    "git",
    ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "commit", "--quiet", "-m", message],
    { cwd: path },
  );
}
