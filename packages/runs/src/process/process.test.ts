import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createScrubber, millis, NO_SECRETS, systemClock } from "@rumi/kernel";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import { bindRoots, commandLine } from "./box.ts";
import { startChild, type ChildEnd } from "./child.ts";
import { executedNothing } from "./executed-nothing.ts";
import { createRunLog } from "./run-log.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const clock = systemClock();

describe("[P-4] whether a check did nothing", () => {
  it.each<readonly [string, string, number, boolean]>([
    ["true", "", 0, true],
    ["  # later\n", "", 0, true],
    [": ; exit 0", "", 0, true],
    ["tsc --noEmit", "", 0, false],
    ["pytest", "collected 0 items\n\nno tests ran in 0.01s\n", 0, true],
    ["pytest", "collected 12 items\n", 0, false],
    ["python -m unittest", "Ran 0 tests in 0.000s\n\nOK\n", 0, true],
    ["python -m unittest", "Ran 20 tests in 0.000s\n\nOK\n", 0, false],
    ["vitest", "No test files found, exiting with code 0\n", 0, true],
    ["node --test", "# tests 0\n# pass 0\n", 0, true],
    ["go test ./...", "?   x [no test files]\n", 0, true],
    ["go test ./...", "?   x [no test files]\nok  \ty\t0.1s\n", 0, false],
    ["cargo test", "running 0 tests\n\ntest result: ok. 0 passed\n", 0, true],
    ["cargo test", "running 3 tests\n...\nrunning 0 tests\n", 0, false],
    ["true", "", 1, false],
  ])("%s → %j", (command, tail, exit_code, flagged) =>
    expect(executedNothing({ command, exit_code, tail })).toBe(flagged),
  );
});

describe("[P-3] what a box makes writable for patterns", () => {
  it.each<readonly [readonly string[], readonly string[]]>([
    [["src/**"], ["folder src"]],
    [["src/*.ts", "src/**"], ["folder src"]],
    [
      ["a/b.txt", "a/c/*.md"],
      ["exact a/b.txt", "folder a/c"],
    ],
    [["a/b.txt", "a/*"], ["folder a"]],
    [["**/x", "a/b"], ["folder "]],
    [["docs/"], ["folder docs"]],
    [[String.raw`od\*d/x`], ["folder "]],
  ])("%j → %j", (patterns, roots) =>
    expect(bindRoots(patterns).map(({ kind, path }) => `${kind} ${path}`)).toEqual(roots),
  );

  it("lays what is hidden under what is mounted", () => {
    const line = commandLine({
      mechanism: "bubblewrap",
      command: ["ls"],
      cwd: "/w",
      hidden: [folder.path, "/no/such/folder"],
      blocked: [],
      mounts: [{ path: `${folder.path}/tree`, access: "write" }],
    });
    expect(line.indexOf(folder.path)).toBeLessThan(line.indexOf(`${folder.path}/tree`));
    expect(line).not.toContain("/no/such/folder");
    expect(line.slice(-3)).toEqual(["/w", "--", "ls"]);
    expect(commandLine({ mechanism: "none", command: ["ls"], cwd: "/", hidden: [], blocked: [], mounts: [] })).toEqual([
      "nice",
      "-n",
      "10",
      "ls",
    ]);
  });
});

describe("[P-3] a socket that is blocked", () => {
  it.runIf(requires("bubblewrap"))("is none in the box, though a socket needs no right to write", async () => {
    const socket = join(mkdtempSync("/var/tmp/rumi-socket-"), "engine.sock");
    const server = createServer((connection) => connection.end("at your service"));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const connect = `import socket; s = socket.socket(socket.AF_UNIX); s.connect("${socket}"); print(s.recv(99))`;
    const ask = (blocked: readonly string[]) => {
      const [file = "", ...words] = commandLine({
        mechanism: "bubblewrap",
        command: ["python3", "-c", connect],
        cwd: "/",
        hidden: [],
        blocked,
        mounts: [],
      });
      return new Promise<string>((resolve) => execFile(file, words, (_problem, out, said) => resolve(out + said)));
    };
    expect(await ask([])).toContain("at your service");
    expect(await ask([socket, "/no/such/socket"])).toContain("ConnectionRefusedError");
    server.close();
    rmSync(dirname(socket), { recursive: true, force: true });
  });
});

describe("[P-2] a command's life", () => {
  const live = (
    line: readonly string[],
    over: { readonly timeout?: number; readonly stop?: AbortSignal; readonly input?: string } = {},
  ) => {
    let said = "";
    const child = startChild({
      line,
      cwd: folder.path,
      environment: { PATH: process.env["PATH"] ?? "" },
      input: over.input ?? "",
      timeout: millis(over.timeout ?? 20_000),
      stop: over.stop ?? new AbortController().signal,
      clock,
      onOutput: (_stream, chunk) => (said += chunk.toString()),
    });
    return { child, said: () => said };
  };
  it.each<readonly [readonly string[], Partial<ChildEnd>]>([
    [["sh", "-c", "exit 7"], { exit_code: 7, cause: "itself" }],
    [["sh", "-c", "kill -SEGV $$"], { exit_code: 139, cause: "itself" }],
    [["/no/such/program"], { exit_code: null, cause: "not_started" }],
  ])("%j", async (line, end) => expect(await live(line).child.ended).toMatchObject(end));

  it("has its own environment and nothing of ours, and reads its input", async () => {
    const { child, said } = live(["sh", "-c", "cat; env | cut -d= -f1 | sort | tr '\\n' ' '"], { input: "hello " });
    await child.ended;
    expect(
      said()
        .trim()
        .split(" ")
        .filter((name) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(name)),
    ).toEqual(["hello", "PATH"]);
  });

  it("is ended when its time is up, with what it put into the background", async () => {
    const { child } = live(["sh", "-c", "sleep 987 & sleep 987"], { timeout: 200 });
    expect(await child.ended).toMatchObject({ exit_code: 143, cause: "timed_out" });
    expect(execFileSync("sh", ["-c", "pgrep -f '^sleep 987' | wc -l"], { encoding: "utf8" }).trim()).toBe("0");
  });

  it("leaves nothing running that held its output open", async () => {
    const began = performance.now();
    expect(await live(["sh", "-c", "sleep 986 & exit 0"]).child.ended).toMatchObject({ exit_code: 0 });
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it("stopped before it was started ends all the same", async () => {
    const stop = new AbortController();
    stop.abort();
    expect((await live(["sleep", "985"], { stop: stop.signal }).child.ended).cause).toBe("stopped");
  });
});

describe("[P-2] a run's log", () => {
  const at = (name: string, limit_bytes = 1_000_000, scrubber = NO_SECRETS) => {
    const path = join(folder.path, name);
    const log = createRunLog(path, { clock, scrubber, limit_bytes });
    const records = () =>
      readFileSync(path, "utf8")
        .trim()
        .split("\n")
        .map((one) => JSON.parse(one) as { readonly stream: string; readonly data: string });
    return { path, log, records };
  };
  it("survives being cut inside a character, keeps streams apart, and knows its own digest", () => {
    const { path, log, records } = at("cut.jsonl");
    const bytes = Buffer.from("日本語\nand é 💥");
    for (const byte of bytes) log.output("stdout", Buffer.from([byte]));
    log.output("stderr", Buffer.from([0xff, 0x0a]));
    const end = log.close();
    const said = (stream: string) =>
      records()
        .filter((one) => one.stream === stream)
        .map(({ data }) => data)
        .join("");
    expect([said("stdout"), said("stderr")]).toEqual(["日本語\nand é 💥", "\ufffd\n"]);
    expect(end).toMatchObject({
      sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
      bytes: readFileSync(path).length,
    });
  });
  it("cuts a line without an end, never within a character", () => {
    const { log, records } = at("long.jsonl");
    log.output("stdout", Buffer.from(`a${"💥".repeat(20_000)}`));
    log.close();
    expect(records().length).toBeGreaterThan(2);
    expect(
      records()
        .map(({ data }) => data)
        .join(""),
    ).toBe(`a${"💥".repeat(20_000)}`);
    expect(records().every(({ data }) => data.isWellFormed())).toBe(true);
  });
  it("keeps no more than its limit and says how much was not kept", () => {
    const { log, records } = at("full.jsonl", 2_000);
    for (let i = 0; i < 100; i += 1) log.output("stdout", Buffer.from(`${"x".repeat(99)}\n`));
    const end = log.close();
    expect(end.dropped_bytes).toBeGreaterThan(5_000);
    expect(records().at(-1)?.data).toBe(`${end.dropped_bytes} bytes of output beyond the limit of 2000 were not kept`);
  });
  it("[R-10.1] holds no secret that is known, even one that came in two pieces", () => {
    const scrubber = createScrubber();
    scrubber.know("API_KEY", "hunter2-and-more");
    const { path, log } = at("secret.jsonl", 1_000_000, scrubber);
    log.output("stdout", Buffer.from("key: hunter2-"));
    log.output("stdout", Buffer.from("and-more\n"));
    log.close();
    expect(readFileSync(path, "utf8")).not.toContain("hunter2");
  });
});
