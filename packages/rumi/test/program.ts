/** Starts the built program as a user would, in a throw-away home, and stops it again. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { temporaryFolder, witness } from "../../../tools/test-support.ts";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BIN = join(ROOT, "bin/rumi");
/** Patience with a machine that is busy; how long a start takes is start.e2e.test.ts's to judge. */
const READY_MS = 60_000;
/** So much of what it said last is told when a test fails. */
const LAST_WORDS = 3_000;

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, never> & { readonly [key: string]: unknown };
};

export type Program = {
  readonly home: string;
  readonly url: string;
  readonly token: string;
  readonly process: ChildProcess;
  /** Everything it printed so far. */
  readonly output: () => string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The command line against this home. */
  cli(...args: string[]): { readonly code: number; readonly out: string; readonly err: string };
  /** SIGTERM, then waits; the exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
};

export function cli(
  home: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): { readonly code: number; readonly out: string; readonly err: string } {
  const done = spawnSync(process.execPath, [BIN, ...args], {
    encoding: "utf8",
    env: { ...clean(), RUMI_HOME: home, ...environment },
    timeout: 120_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: done.status ?? -1, out: done.stdout, err: done.stderr };
}

/** As {@link cli}, while the test goes on. */
export async function cliBeside(
  home: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...clean(), RUMI_HOME: home }, timeout: 120_000 });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode ?? -1, out, err };
}

/** A line as it stands in a document, run by a shell in `folder`; `rumi` and its quotes are the document's. */
export function cliIn(
  folder: string,
  home: string,
  line: string,
): { readonly code: number; readonly out: string; readonly err: string } {
  const done = spawnSync("bash", ["-c", `"${process.execPath}" "${BIN}" ${line}`], {
    cwd: folder,
    encoding: "utf8",
    env: { ...clean(), RUMI_HOME: home },
    timeout: 120_000,
  });
  return { code: done.status ?? -1, out: done.stdout, err: done.stderr };
}

export async function startProgram(
  options: {
    readonly home?: string;
    readonly environment?: Record<string, string>;
    readonly args?: readonly string[];
    readonly console?: "served";
  } = {},
): Promise<Program> {
  const home = options.home ?? temporaryFolder().path;
  const note = join(home, "user_data/settings/running.json");
  rmSync(note, { force: true });
  const child = spawn(
    process.execPath,
    [BIN, "start", ...(options.console === "served" ? [] : ["--headless"]), ...(options.args ?? [])],
    {
      env: { ...clean(), RUMI_HOME: home, RUMI_API_PORT: "0", ...socketFolders(home), ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));
  const deadline = performance.now() + READY_MS;
  while (!existsSync(note)) {
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}: ${output}`);
    if (performance.now() > deadline) throw new Error(`the program is not ready: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.once(
    "exit",
    witness(async () => `the program: ${output.slice(-LAST_WORDS)}`),
  );
  const { url } = JSON.parse(readFileSync(note, "utf8")) as { url: string };
  const token = await tokenOf(home);
  const exited = once(child, "exit");
  const call: Program["call"] = async (method, path, body, headers = {}) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text.startsWith("{") ? JSON.parse(text) : { text }) as Answer["body"],
    };
  };
  return {
    home,
    url,
    token,
    process: child,
    call,
    output: () => output,
    cli: (...args) => cli(home, args),
    stop: async () => {
      if (child.exitCode === null) child.kill("SIGTERM");
      await exited;
      return child.exitCode;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Programs of several homes share a machine, and their packs bear the same names. */
function socketFolders(home: string): Record<string, string> {
  const run = join(home, "user_data/run");
  return { RUMI_EGRESS_SOCK_DIR: join(run, "e"), RUMI_CAPABILITY_SOCK_DIR: join(run, "c") };
}

/** Without holding this process up: what it serves itself, an engine say, is asked by a program that begins. */
async function tokenOf(home: string): Promise<string> {
  const asked = spawn(process.execPath, [BIN, "token"], {
    env: { ...clean(), RUMI_HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  asked.stdout.on("data", (data: Buffer) => (text += data.toString()));
  await once(asked, "close");
  return text.trim();
}

/** A copy of a home whose program goes on writing: what nobody reads there later may come and go meanwhile. */
export function copyLivingHome(home: string): ReturnType<typeof temporaryFolder> {
  const copy = temporaryFolder();
  const filter = (path: string): boolean => !/\.sock$|\.tmp$|user_data.(tlog|settings)./.test(path);
  cpSync(home, copy.path, { recursive: true, filter });
  return copy;
}

/** Waits until `look` answers something; the test's own timeout is the limit. */
export async function eventually<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  every_ms = 50,
): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, every_ms));
  }
}

/** The lines of a category's files in `user_data/audit`, oldest first; a line that is being written is not there yet. */
export function auditLines<T>(home: string, category: string): readonly T[] {
  const folder = join(home, "user_data/audit");
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${category}_`) && name.endsWith(".jsonl"))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1))
    .map((line) => JSON.parse(line) as T);
}

/** Ids of live processes whose command line or environment names `mark`. */
export function processesNaming(mark: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(mark);
      } catch {
        return false; // it ended meanwhile
      }
    })
    .map(Number);
}

/** The environment without settings of Rumi: each test says what it wants. */
function clean(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name, value]) => value !== undefined && !name.startsWith("RUMI_")),
  ) as Record<string, string>;
}
