/**
 * A command's life: started as a group of its own, its output followed, ended by SIGTERM and then SIGKILL where somebody
 * wants that or its time is up.
 */
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { millis, type Clock, type Millis } from "@rumi/kernel";
import { RUN_LIMITS } from "../limits.ts";

export type ChildEnd = {
  /** As a shell tells it: 128 + n after the signal n; null where it could not be started. */
  readonly exit_code: number | null;
  readonly cause: "itself" | "stopped" | "timed_out" | "not_started";
  /** Why it could not be started. */
  readonly problem: string | null;
};
export type Child = { readonly pid: number | null; readonly ended: Promise<ChildEnd> };

export type ChildOptions = {
  readonly line: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly input: string;
  readonly timeout: Millis;
  readonly stop: AbortSignal;
  readonly clock: Clock;
  readonly onOutput: (stream: "stdout" | "stderr", chunk: Buffer) => void;
};

export function startChild(options: ChildOptions): Child {
  const [file = "", ...words] = options.line;
  const child = spawn(file, words, {
    cwd: options.cwd,
    env: { ...options.environment },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  child.stdin.on("error", () => {}); // it may not want to read its prompt
  child.stdin.end(options.input);
  child.stdout.on("data", (chunk: Buffer) => options.onOutput("stdout", chunk));
  child.stderr.on("data", (chunk: Buffer) => options.onOutput("stderr", chunk));
  const { pid } = child;
  const gone = new AbortController();
  let cause: ChildEnd["cause"] = "itself";
  const end = async (why: "stopped" | "timed_out"): Promise<void> => {
    if (pid === undefined || gone.signal.aborted) return;
    cause = why;
    terminate(pid);
    await options.clock.sleep(millis(RUN_LIMITS.stop_grace_ms), gone.signal);
    if (!gone.signal.aborted) killGroup(pid);
  };
  const onStop = (): void => void end("stopped");
  options.stop.addEventListener("abort", onStop, { once: true });
  if (options.stop.aborted) onStop();
  const alarm = options.clock
    .sleep(options.timeout, gone.signal)
    .then(() => (gone.signal.aborted ? undefined : end("timed_out")));
  const ended = new Promise<ChildEnd>((resolve) => {
    child.on("error", (problem) => {
      gone.abort();
      if (pid === undefined) resolve({ exit_code: null, cause: "not_started", problem: problem.message });
    });
    child.on("exit", () => {
      if (pid !== undefined) killGroup(pid); // what it left running does not outlive it
    });
    child.on("close", (code, signal) => {
      gone.abort();
      resolve({ exit_code: exitCodeOf(code, signal), cause, problem: null });
    });
  });
  return {
    pid: pid ?? null,
    ended: (async () => {
      const last = await ended;
      options.stop.removeEventListener("abort", onStop);
      await alarm;
      return last;
    })(),
  };
}

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number | null {
  return code ?? (signal === null ? null : 128 + constants.signals[signal]);
}

/** SIGTERM for everything below `pid` but the box itself: that one would take its processes with it at once. */
function terminate(pid: number): void {
  const all = [pid, ...descendants(pid)];
  const meant = all.filter((one) => !isBox(one));
  for (const one of meant.length === 0 ? all : meant) signal(one, "SIGTERM");
}

function descendants(pid: number): readonly number[] {
  const found: number[] = [];
  const waiting = [pid];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop())
    for (const child of childrenOf(at)) {
      found.push(child);
      waiting.push(child);
    }
  return found;
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8")
        .split(" ")
        .filter((word) => word !== "")
        .map(Number),
    );
  } catch {
    return []; // it is gone
  }
}

function isBox(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "bwrap";
  } catch {
    return false;
  }
}

/** Everything of the process group that `pid` leads, and whatever it started elsewhere that is still below it. */
export function killGroup(pid: number): void {
  for (const one of descendants(pid)) signal(one, "SIGKILL");
  signal(-pid, "SIGKILL");
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code !== "ESRCH") throw problem; // it had ended by itself
  }
}

/** Tells a process from a later one with the same number; null where it is gone. */
export function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
