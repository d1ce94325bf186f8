/** A jail that is ended while it is being set up, at many moments of its first milliseconds. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, describe, it } from "vitest";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import { detectPython, LOCAL_MECHANISMS, type LocalMechanism, type JailSpec } from "../index.ts";
import { endTree } from "./end-tree.ts";
import { planJail } from "./plan.ts";
import { startChild } from "./process.ts";

const ROUNDS = 40;
/** Longer than any jail takes until it reads its input. */
const WITHIN_MS = 40;
const folder = temporaryFolder();
const script = join(folder.path, "waits.py");
const python = detectPython("");
const usable = (mechanism: LocalMechanism): boolean =>
  requires("python3") && (mechanism === "self-jail" || requires(mechanism));

beforeAll(() => {
  chmodSync(folder.path, 0o755);
  writeFileSync(script, "import os\nwhile os.read(0, 1): pass\n");
});
afterAll(() => folder.remove());

/** Host processes, zombies left out, whose command line names `marker`. */
function processesOf(marker: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(marker);
      } catch {
        return false; // it ended while it was looked at
      }
    });
}

function specOf(mechanism: LocalMechanism, marker: string): JailSpec {
  if (!python.ok) throw new Error("the suite needs Python");
  return {
    mechanism,
    isolation: "any",
    program: { kind: "python", python: python.value, script },
    args: [marker],
    read_only_binds: [folder.path],
    memory_bytes: 268_435_456,
    nofile: 32,
    fsize_bytes: 0,
    tmp_bytes: 0,
    threads: 1,
    log_bytes_per_second: 0,
    log_bytes_per_run: 0,
    start_deadline_ms: 10_000,
  };
}

/** Starts `rounds` jails one after the other, ends each at its own moment, and says how many were left behind. */
async function leftBehind(mechanism: LocalMechanism, rounds: number, kill: (pid: number) => void): Promise<number> {
  const marker = `marker-early-${mechanism}-${kill.name}-${process.pid}`;
  const plan = planJail(specOf(mechanism, marker), {
    architecture: process.arch,
    pid: process.pid,
    is_root: process.getuid?.() === 0,
  });
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  for (let round = 0; round < rounds; round += 1) {
    const child = startChild(plan.value, "pipe", "pipe", "pipe");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const at = performance.now() + (round / rounds) * WITHIN_MS;
    while (performance.now() < at);
    if (child.pid !== undefined) kill(child.pid);
    await ended;
  }
  return (await settled(marker)).length;
}

/** What is left of `marker` when everything that ends by itself had time to; it is ended then, so that no test hurts another. */
async function settled(marker: string): Promise<readonly string[]> {
  for (let waited = 0; waited < 5_000 && processesOf(marker).length > 0; waited += 20)
    await new Promise((resolve) => setTimeout(resolve, 20));
  return processesOf(marker).map((pid) => {
    const said = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")[0] ?? "";
    process.kill(pid, "SIGKILL");
    return said;
  });
}

describe.each(LOCAL_MECHANISMS)("%s, ended in its first milliseconds", (mechanism) => {
  it.runIf(usable(mechanism))(
    "[M-5.2.1] [M-5.2.7] leaves nothing behind, whenever it is",
    { timeout: 120_000 },
    async () => expect(await leftBehind(mechanism, ROUNDS, endTree)).toBe(0),
  );

  const kinds = mechanism === "self-jail" ? ["python"] : ["python", "executable"];
  it.runIf(usable(mechanism)).each(kinds)(
    "[M-5.2.7] and nothing runs on when its host dies while it starts: %s",
    { timeout: 120_000 },
    async (kind) => {
      const fixture = fileURLToPath(new URL("./early-orphan.fixture.ts", import.meta.url));
      const marker = `marker-orphaned-early-${mechanism}-${kind}-${process.pid}`;
      for (const after_ms of [0, 4, 12]) {
        const args = ["--import", "tsx", fixture, mechanism, kind, folder.path, marker, String(after_ms)];
        const host = spawn(process.execPath, args, { stdio: "ignore" });
        const [, signal] = (await once(host, "exit")) as [number | null, string | null];
        expect(signal).toBe("SIGKILL");
        expect(await settled(marker)).toEqual([]);
      }
    },
  );
});
