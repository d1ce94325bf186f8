/**
 * The runner as a process of its own: detached, so that the terminal's Ctrl-C and our own death leave it alone; its
 * output goes to a file, so that it never writes into a pipe that nobody holds any more.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunnerProcess } from "@rumi/control";

export type RunnerProcessOptions = {
  readonly runner_id: string;
  /** The bundled runner.js. */
  readonly entry: URL;
  readonly arguments: readonly string[];
  /** Folder of its log file. */
  readonly log_folder: string;
};

export function runnerProcess(options: RunnerProcessOptions): RunnerProcess {
  let child: ChildProcess | undefined;
  let ended: (end: { code: number | null; signal: string | null }) => void = () => {};
  const exited = new Promise<{ readonly code: number | null; readonly signal: string | null }>(
    (resolve) => (ended = resolve),
  );
  return {
    runner_id: options.runner_id,
    exited,
    get pid() {
      return child?.pid;
    },
    start: () =>
      new Promise((resolve, reject) => {
        const log = openSync(join(options.log_folder, `${options.runner_id}.log`), "a", 0o600);
        const made = spawn(process.execPath, [fileURLToPath(options.entry), ...options.arguments], {
          detached: true,
          stdio: ["ignore", log, log],
          env: runnerEnvironment(process.env),
        });
        closeSync(log);
        child = made;
        made.once("spawn", () => resolve());
        made.once("error", reject);
        made.once("exit", (code, signal) => ended({ code, signal }));
        made.unref();
      }),
    kill: (signal) => void child?.kill(signal),
  };
}

/** What a runner may know of our environment: nothing that could be a secret. */
function runnerEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ"] as const;
  return Object.fromEntries(kept.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));
}
