/** The bundled program as its own process in a throw-away home, and as much of its API as the bench needs. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock, systemRandom, uuidv7 } from "@rumi/kernel";

const READY_MS = 30_000;
const POLL_MS = 2;

export type BenchProgram = {
  readonly url: string;
  readonly token: string;
  readonly process: ChildProcess;
  /** From spawning the process until it says that it is ready. */
  readonly startup_ms: number;
  /** The answer's data; throws for a refusal. */
  call(
    method: string,
    path: string,
    body?: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>>>;
  stop(): Promise<void>;
};

export async function startBenchProgram(options: {
  readonly program: string;
  readonly home: string;
  readonly node_arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<BenchProgram> {
  const { program, home, node_arguments = [], environment = {} } = options;
  const note = join(home, "user_data/settings/running.json");
  const env = { ...process.env, ...environment, RUMI_HOME: home, RUMI_API_PORT: "0" };
  rmSync(note, { force: true });
  const began = performance.now();
  const child = spawn(process.execPath, [...node_arguments, program, "start", "--headless"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (output = (output + data.toString()).slice(-4_096)));
  while (!existsSync(note)) {
    if (child.exitCode !== null || performance.now() - began > READY_MS)
      throw new Error(`the program did not start: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const startup_ms = performance.now() - began;
  const { url } = JSON.parse(readFileSync(note, "utf8")) as { readonly url: string };
  const token = spawnSync(process.execPath, [program, "token"], { env, encoding: "utf8" }).stdout.trim();
  return {
    url,
    token,
    process: child,
    startup_ms,
    call: async (method, path, body) => {
      for (let attempt = 0; ; attempt += 1) {
        const answer = await fetch(new URL(path, url), {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const said = (await answer.json()) as { readonly data?: Readonly<Record<string, unknown>> };
        if (answer.ok) return said.data ?? {};
        if (answer.status !== 409 || attempt >= 100)
          throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(said)}`);
        await new Promise((resolve) => setTimeout(resolve, 50)); // a move into place may still be under way
      }
    },
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

const clock = systemClock();
const random = systemRandom();
/** Ordered by time, as the command line makes them. */
export const commandId = (): string => uuidv7(clock.now(), random);
