/**
 * Entry point of the runner process: `main(argv)`.
 *
 * --socket PATH --key-file PATH --runner-id ID --lane-url URL [--sdk-dir DIR --runner-dir DIR] [--container-engine NAME]
 * [--orphan-ms N] [--instances N]
 * The key file holds 64 hexadecimal digits and belongs to its user alone (0600). SIGINT and SIGHUP belong to the
 * terminal and are ignored; SIGTERM ends in order: checkpoints, flush, exit code 0.
 */
import { readFileSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { type Failure, failureText, systemRandom } from "@rumi/kernel";
import {
  CONTAINER_ENGINES,
  detectJails,
  detectPython,
  engineSocket,
  type JailFacts,
  parseContainerEngine,
} from "@rumi/sandbox";
import type { PythonHome } from "../strategy/process.ts";
import { type IsolationFact, Runner, type RunnerOptions } from "./runner.ts";

const GRACE_MS = 10_000;

export type Detectors = {
  readonly python: () => ReturnType<typeof detectPython>;
  readonly jails: (python: ReturnType<typeof detectPython>) => ReturnType<typeof detectJails>;
};

/** `tests` leaves a fence out (M-5.2.7); the program never gives it. */
export async function main(argv: readonly string[], tests: Pick<RunnerOptions, "without"> = {}): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      socket: { type: "string" },
      "key-file": { type: "string" },
      "runner-id": { type: "string" },
      "lane-url": { type: "string" },
      "sdk-dir": { type: "string" },
      "runner-dir": { type: "string" },
      "container-engine": { type: "string" },
      "orphan-ms": { type: "string" },
      instances: { type: "string" },
    },
  });
  const need = (name: "socket" | "key-file" | "runner-id" | "lane-url"): string => {
    const value = values[name];
    if (value === undefined) throw new Error(`--${name} is required`);
    return value;
  };
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  const engine = parseContainerEngine(values["container-engine"] ?? "auto");
  if (engine === undefined) throw new Error(`--container-engine is one of ${CONTAINER_ENGINES.join(", ")}`);
  const socket = engineSocket(engine);
  const { python, isolation } = await pythonHome(values["sdk-dir"], values["runner-dir"], {
    python: () => detectPython(process.env["PATH"] ?? ""),
    jails: (found) => detectJails(found, engine),
  });
  const laneUrl = need("lane-url");
  const runner = new Runner({
    runner_id: need("runner-id"),
    socket_path: need("socket"),
    key: readKey(need("key-file")),
    lane_url: laneUrl.includes("://") ? new URL(laneUrl) : pathToFileURL(laneUrl),
    python: python === null || socket === undefined ? python : { ...python, engine_socket: socket },
    isolation,
    random: systemRandom(),
    wallNow: () => Math.round((performance.timeOrigin + performance.now()) * 1_000),
    log,
    onEnd: () => process.exit(0),
    ...(values["orphan-ms"] === undefined ? {} : { orphan_ms: Number(values["orphan-ms"]) }),
    ...tests,
    ...(values.instances === undefined ? {} : { instances: Number(values.instances) }),
  });
  process.on("SIGTERM", () => void runner.close(GRACE_MS));
}

/** What the control plane needs of it. */
function toldOf({ level, mechanism, available, strict, reason }: JailFacts): IsolationFact {
  return { level, mechanism, available, strict, reason };
}

function wayOut(of: Failure): string {
  const { text, next } = failureText(of, "en");
  return `${text} ${next}`;
}

function readKey(path: string): Uint8Array {
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} must belong to its user alone (mode 0600)`);
  const text = readFileSync(path, "utf8").trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Error(`${path} must hold 64 hexadecimal digits`);
  return new Uint8Array(Buffer.from(text, "hex"));
}

/** What this machine can box strategies in, told to the control plane, which refuses a start with it (RUMI-BOT-020). */
export async function pythonHome(
  sdk_dir: string | undefined,
  runner_dir: string | undefined,
  detect: Detectors,
): Promise<{ readonly python: PythonHome | null; readonly isolation: readonly IsolationFact[] }> {
  const wasm: IsolationFact = { level: "L2", mechanism: "wasm-fuel", available: true, reason: null };
  if (sdk_dir === undefined || runner_dir === undefined) return { python: null, isolation: [wasm] };
  const python = detect.python();
  const interpreter: IsolationFact = {
    level: "interpreter",
    mechanism: "python3",
    available: python.ok,
    reason: python.ok ? null : wayOut(python.error),
  };
  const jails = await detect.jails(python);
  const isolation = [wasm, interpreter, ...jails.map(toldOf)];
  const best = jails.find((jail) => jail.available && jail.strict) ?? jails.find((jail) => jail.available);
  return {
    python:
      python.ok && best !== undefined ? { python: python.value, mechanism: best.mechanism, sdk_dir, runner_dir } : null,
    isolation,
  };
}
