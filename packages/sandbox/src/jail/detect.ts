/** Finds out which jails work on this machine by really starting one of each. */
import { type Failure, type Result, failureText } from "@rumi/kernel";
import { SANDBOX_LIMITS } from "../limits.ts";
import { spawnJailRunning } from "./process.ts";
import type { PythonFacts } from "./python.ts";
import {
  type ContainerEngine,
  engineSocket,
  isOffered,
  JAIL_LEVELS,
  JAIL_MECHANISMS,
  type JailLevel,
  type JailMechanism,
  type JailSpec,
} from "./spec.ts";

export type JailFacts = {
  readonly mechanism: JailMechanism;
  readonly level: JailLevel;
  readonly available: boolean;
  /** Whether isolation `strict` accepts it on this machine. */
  readonly strict: boolean;
  /** Why not available, and what to do; null when it is. */
  readonly reason: string | null;
  readonly weaker: readonly string[];
};

/** `engine` other than `auto` offers that one only. */
export async function detectJails(
  python: Result<PythonFacts, Failure>,
  engine: ContainerEngine = "auto",
): Promise<readonly JailFacts[]> {
  const facts: JailFacts[] = [];
  for (const mechanism of JAIL_MECHANISMS)
    facts.push(isOffered(mechanism, engine) ? await probe(mechanism, python, engine) : notOffered(mechanism, engine));
  return facts;
}

function notOffered(mechanism: JailMechanism, engine: ContainerEngine): JailFacts {
  const reason =
    engine === "auto" ? "it is used when RUMI_CONTAINER_ENGINE names it" : `RUMI_CONTAINER_ENGINE names ${engine}`;
  return { mechanism, level: JAIL_LEVELS[mechanism], available: false, strict: false, reason, weaker: [] };
}

async function probe(
  mechanism: JailMechanism,
  python: Result<PythonFacts, Failure>,
  engine: ContainerEngine,
): Promise<JailFacts> {
  const socket = engineSocket(engine);
  const level = JAIL_LEVELS[mechanism];
  const absent = (of: Failure): JailFacts => {
    const { text, next } = failureText(of, "en");
    return { mechanism, level, available: false, strict: false, reason: `${text} ${next}`, weaker: [] };
  };
  if (!python.ok) return absent(python.error);
  const spec: JailSpec = {
    mechanism,
    isolation: "any",
    ...(socket === undefined ? {} : { engine_socket: socket }),
    program: { kind: "python", python: python.value, script: "/usr/probe.py" },
    args: [],
    read_only_binds: [],
    memory_bytes: 536_870_912,
    nofile: 32,
    fsize_bytes: 1_048_576,
    tmp_bytes: 1_048_576,
    threads: 1,
    log_bytes_per_second: 65_536,
    log_bytes_per_run: 65_536,
    start_deadline_ms: SANDBOX_LIMITS.probe_ms,
  };
  const started = await spawnJailRunning(spec, "pass");
  if (!started.ok) return absent(started.error);
  const { exit_code } = await started.value.exited;
  const { weaker } = started.value;
  if (exit_code !== 0)
    return {
      mechanism,
      level,
      available: false,
      strict: false,
      reason: `the probe ended with exit code ${exit_code}`,
      weaker,
    };
  return {
    mechanism,
    level,
    available: true,
    strict: mechanism !== "self-jail" ? !weaker.some((text) => text.includes("filter")) : weaker.length === 0,
    reason: null,
    weaker,
  };
}
