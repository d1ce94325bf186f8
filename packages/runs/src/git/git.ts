/**
 * Git as a child process, the installed one, asked in a way that leaves nothing to the machine's or the user's settings.
 *
 * How to think: whatever a run left in its tree or in the repository's configuration is hostile. So evidence is taken with a
 * git directory of our own (`evidence`), whose configuration nobody else writes, over the repository's objects; hooks, file
 * system monitors, external differs and remote protocols are off everywhere.
 *
 * Invariant (repository.test.ts "a hostile tree"): taking evidence runs no program that the tree or the repository names.
 */
import { spawn } from "node:child_process";
import { RUN_LIMITS } from "../limits.ts";

export class GitProblem extends Error {
  readonly exit_code: number | null;
  constructor(words: readonly string[], exit_code: number | null, said: string) {
    super(`git ${words.slice(0, 3).join(" ")}: ${said.trim().slice(0, 500) || `exit code ${String(exit_code)}`}`);
    this.exit_code = exit_code;
  }
}

/** How git is started. Tests and the program give the real one. */
export type GitRun = (
  words: readonly string[],
  options?: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string | Uint8Array;
  },
) => Promise<Buffer>;

const QUIET = [
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.untrackedCache=false",
  "-c",
  "core.quotePath=false",
  "-c",
  "protocol.allow=never",
  "-c",
  "gc.auto=0",
  "-c",
  "advice.addEmbeddedRepo=false",
  "-c",
  "submodule.recurse=false",
] as const;

/** Rejects with a `GitProblem`: it could not be started, ended with another code than 0, took too long or said too much. */
export function systemGit(path: string): GitRun {
  return (words, { cwd = "/", env = {}, input } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn("git", [...QUIET, ...words], {
        cwd,
        env: {
          PATH: path,
          LC_ALL: "C",
          GIT_CONFIG_NOSYSTEM: "1",
          GIT_CONFIG_GLOBAL: "/dev/null",
          GIT_TERMINAL_PROMPT: "0",
          GIT_OPTIONAL_LOCKS: "0",
          ...env,
        },
        stdio: ["pipe", "pipe", "pipe"],
      });
      const out: Buffer[] = [];
      let size = 0;
      let said = "";
      const late = setTimeout(() => {
        said += " it took too long";
        child.kill("SIGKILL");
      }, RUN_LIMITS.git_ms);
      child.stdout.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= RUN_LIMITS.git_output_bytes) out.push(chunk);
        else child.kill("SIGKILL");
      });
      child.stderr.on("data", (chunk: Buffer) => {
        if (said.length < 4_096) said += chunk.toString("utf8");
      });
      child.on("error", (problem) => {
        clearTimeout(late);
        reject(new GitProblem(words, null, problem.message));
      });
      child.on("close", (code) => {
        clearTimeout(late);
        if (size > RUN_LIMITS.git_output_bytes) reject(new GitProblem(words, code, "it said too much"));
        else if (code === 0) resolve(Buffer.concat(out));
        else reject(new GitProblem(words, code, said));
      });
      child.stdin.on("error", () => {}); // it ended without reading: its exit code says why
      child.stdin.end(input ?? "");
    });
}

export const line = (answer: Buffer): string => answer.toString("utf8").trim();

/** Parts that end in NUL, as `-z` gives them. */
export function parts(answer: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  let from = 0;
  for (let at = answer.indexOf(0); at >= 0; at = answer.indexOf(0, from)) {
    found.push(answer.subarray(from, at));
    from = at + 1;
  }
  return found;
}
