/* oxlint-disable unicorn/consistent-function-scoping -- helpers stay beside the cases that use them */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { millis, ok } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { realClock } from "../../../platform/test/kit.ts";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { isolationFor } from "../isolation.ts";
import type { RunnerHub } from "./hub.ts";
import { runnerSocketPath } from "./socket-path.ts";
import { createRunnerSupervisor, type RunnerProcess } from "./supervisor.ts";

const quiet = { warning: () => {}, info: () => {}, error: () => {} };

function processes() {
  const made: (RunnerProcess & { end(): void; started: boolean })[] = [];
  const spawn = () => {
    let end: () => void = () => {};
    const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      end = () => resolve({ code: 1, signal: null });
    });
    const one = {
      runner_id: `r${made.length + 1}`,
      pid: 1,
      exited,
      started: false,
      start: () => {
        one.started = true;
        return Promise.resolve();
      },
      kill: () => end(),
      end: () => end(),
    };
    made.push(one);
    return one;
  };
  return { made, spawn };
}

describe("the supervisor", () => {
  const hubOf = (ready: () => readonly string[]) => {
    const gone: string[] = [];
    const hub = {
      ready,
      processes: () => new Map<string, number>(),
      standingStill: (): readonly string[] => [],
      runnerGone: (id: string) => {
        gone.push(id);
        return Promise.resolve();
      },
      ask: () => Promise.resolve({ type: "silence" }),
    } as unknown as RunnerHub;
    return { hub, gone };
  };
  const until = async (check: () => boolean): Promise<void> => {
    while (!check()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it("ends an adopted runner that does not stop when it is asked, by the process its hello told", async () => {
    const { spawn } = processes();
    const { hub } = hubOf(() => ["adopted"]);
    const ended: number[] = [];
    const supervisor = createRunnerSupervisor({
      hub: { ...hub, processes: () => new Map([["adopted", 4_711]]) },
      clock: realClock(),
      logger: quiet,
      spawn,
      survivors: { expected: true, wait: millis(10) },
      endProcess: (pid) => ended.push(pid),
    });
    await supervisor.shutdown(millis(60));
    expect(ended).toEqual([4_711]);
  });

  it("[M-7.1.3] ends a runner that stands still with its leases run out, seen twice, and then the next begins", async () => {
    const { made, spawn } = processes();
    const { hub, gone } = hubOf(() => []);
    const looks: number[] = [];
    const stop = new AbortController();
    const supervisor = createRunnerSupervisor({
      hub: { ...hub, standingStill: () => (looks.push(made.length) === 1 ? ["r1", "other"] : ["r1"]) },
      clock: realClock(),
      logger: quiet,
      spawn,
      survivors: { expected: false, wait: millis(0) },
      endProcess: (pid) => expect(pid, "seen once, ended by nobody").toBe(0),
    });
    const running = supervisor.run(stop.signal);
    await until(() => made[1]?.started === true);
    expect(looks).toEqual([1, 1]);
    expect(gone).toEqual(["r1"]);
    stop.abort();
    await running;
  });

  it("[M-7.1.3] proves a runner's exit before it starts the next", async () => {
    const { made, spawn } = processes();
    const { hub, gone } = hubOf(() => []);
    const stop = new AbortController();
    const supervisor = createRunnerSupervisor({
      hub,
      clock: realClock(),
      logger: quiet,
      spawn,
      survivors: { expected: false, wait: millis(0) },
      backoff: { first_ms: 1, last_ms: 5 },
    });
    const running = supervisor.run(stop.signal);
    await until(() => made[0]?.started === true);
    made[0]?.end();
    await until(() => made[1]?.started === true);
    expect(gone).toEqual(["r1"]);
    stop.abort();
    await running;
  });
  it("waits for a runner of an earlier program instead of starting another", async () => {
    const { made, spawn } = processes();
    let ready: string[] = [];
    const { hub } = hubOf(() => ready);
    const stop = new AbortController();
    const running = createRunnerSupervisor({
      hub,
      clock: realClock(),
      logger: quiet,
      spawn,
      survivors: { expected: true, wait: millis(2_000) },
    }).run(stop.signal);
    await new Promise((resolve) => setTimeout(resolve, 30));
    ready = ["old"];
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(made).toEqual([]);
    ready = [];
    await until(() => made[0]?.started === true);
    stop.abort();
    await running;
  });
  it("kills what does not end in time", async () => {
    const { made, spawn } = processes();
    const stop = new AbortController();
    const supervisor = createRunnerSupervisor({
      hub: hubOf(() => []).hub,
      clock: realClock(),
      logger: quiet,
      spawn,
      survivors: { expected: false, wait: millis(0) },
    });
    const running = supervisor.run(stop.signal);
    await until(() => made[0]?.started === true);
    await supervisor.shutdown(millis(50));
    await running;
    expect(made).toHaveLength(1);
  });
});

describe("the socket's path", () => {
  it("stays where it fits, falls back where it does not, and says so where nothing fits", () => {
    const { path, remove } = temporaryFolder();
    mkdirSync(path, { recursive: true });
    expect(runnerSocketPath("/a/b.sock", "/tmp")).toEqual(ok("/a/b.sock"));
    const long = join(path, "x".repeat(100), "runner.sock");
    const short = runnerSocketPath(long, "/tmp");
    expect(short).toMatchObject({ ok: true });
    expect(runnerSocketPath(long, "/tmp")).toEqual(short);
    expect(runnerSocketPath(long, `/tmp/${"y".repeat(100)}`)).toMatchObject({
      ok: false,
      error: { code: "RUMI-BOT-028" },
    });
    remove();
  });
});

describe("isolation", () => {
  const wasm = { level: "L2", mechanism: "wasm-fuel", available: true, reason: null };
  const jail = { level: "L1", mechanism: "bubblewrap", available: false, reason: "bwrap is not installed" };
  it("a python strategy without any jail is refused by name and way out; wasm goes on", () => {
    const python = isolationFor([wasm, jail], "b", { runtime_kind: "python" }, { isolation: "any" });
    expect(python).toMatchObject({
      ok: false,
      error: { code: "RUMI-BOT-020", params: { problem: "bubblewrap: bwrap is not installed" } },
    });
    expect(isolationFor([wasm, jail], "b", { runtime_kind: "rust_wasm" }, { isolation: "strict" }).ok).toBe(true);
    expect(
      isolationFor(
        [wasm, jail, { ...jail, mechanism: "selfjail", available: true }],
        "b",
        { runtime_kind: "python" },
        { isolation: "any" },
      ).ok,
    ).toBe(true);
  });
});
