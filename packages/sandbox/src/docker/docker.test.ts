/** Jails behind a Docker Engine: what it is asked, and that nothing is left however it ends. The engine is a fake one. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import { detectJails, detectPython, type JailedProcess, type JailSpec, spawnJail } from "../index.ts";
import { DOCKER_OWNER } from "./container.ts";
import { FakeEngine } from "./fake-engine.kit.ts";

const MEGABYTE = 1_048_576;
const STRATEGY = `
import os, struct, sys
def read(count):
    data = b""
    while len(data) < count:
        more = os.read(0, count - len(data))
        if not more: sys.exit(0)
        data += more
    return data
while True:
    (length,) = struct.unpack("<I", read(4))
    frame = read(length)
    if frame == b"spin":
        while True: pass
    if frame == b"exit": os._exit(7)
    if frame == b"log": os.write(2, b"said aloud\\n")
    if frame == b"environment": frame = repr(sorted(os.environ)).encode()
    if frame == b"large": frame = bytes(900_000)
    os.write(1, struct.pack("<I", len(frame)))
    for at in range(0, len(frame), 60_000): os.write(1, frame[at:at + 60_000])
`;

const python = detectPython(process.env["PATH"] ?? "");
let folder: ReturnType<typeof temporaryFolder>;
let engine: FakeEngine;
let script = "";

beforeEach(async () => {
  folder = temporaryFolder();
  chmodSync(folder.path, 0o755);
  script = join(folder.path, "strategy.py");
  writeFileSync(script, STRATEGY);
  engine = new FakeEngine(folder.path);
  await engine.listen();
});
afterEach(async () => {
  await engine.close();
  folder.remove();
});

function spec(changes: Partial<JailSpec> = {}): JailSpec {
  if (!python.ok) throw new Error("the suite needs Python");
  return {
    mechanism: "docker",
    isolation: "strict",
    engine_socket: engine.socket,
    program: { kind: "python", python: python.value, script },
    args: [],
    read_only_binds: [folder.path],
    memory_bytes: 256 * MEGABYTE,
    cpu_seconds: 600,
    nofile: 32,
    fsize_bytes: MEGABYTE,
    tmp_bytes: 16 * MEGABYTE,
    threads: 1,
    log_bytes_per_second: 65_536,
    log_bytes_per_run: 65_536,
    start_deadline_ms: 20_000,
    ...changes,
  };
}
async function start(changes: Partial<JailSpec> = {}): Promise<JailedProcess> {
  const started = await spawnJail(spec(changes));
  if (!started.ok) throw new Error(JSON.stringify(started.error));
  return started.value;
}
const ask = async (of: JailedProcess, text: string, deadline_ms = 20_000): Promise<string> => {
  const answer = await of.request(Buffer.from(text), deadline_ms);
  return answer.ok ? Buffer.from(answer.value).toString("latin1") : `${answer.error.kind}: ${answer.error.detail}`;
};
const until = async (what: () => boolean): Promise<void> => {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 10));
};
/** Processes that run this test's script. */
const living = (): number =>
  readdirSync("/proc").filter((name) => {
    try {
      const line = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, "utf8") : "";
      return line.includes(script) && !line.includes("rumi-jail-");
    } catch {
      return false; // it ended meanwhile
    }
  }).length;
/** The bridges of this test's script. */
const bridges = (): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => {
      try {
        const line = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, "utf8") : "";
        return line.includes(script) && line.includes("rumi-jail-");
      } catch {
        return false; // it ended meanwhile
      }
    })
    .map(Number);
/** This process as a bridge would be marked: number, beginning, namespace of processes, start of the machine. */
const ownMark = (): string => {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const began = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  const namespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
  return `${process.pid}.${began}.${namespace}.${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()}`;
};
/** Nothing of it is left, and nothing was asked that the engine's reference does not know. */
async function expectGone(): Promise<void> {
  await until(() => engine.count === 0 && living() === 0);
  expect(engine.problems).toEqual([]);
}

describe.runIf(requires("python3"))("a jail behind the Docker Engine", () => {
  it("[M-5.1.1] L3: it is asked for everything by name, nothing is left to the engine, and the strategy answers", async () => {
    const jail = await start();
    expect([jail.level, jail.mechanism]).toEqual(["L3", "docker"]);
    expect(await ask(jail, "hello")).toBe("hello");
    expect(await ask(jail, "environment")).toBe("[]");
    expect((await ask(jail, "large")).length, "many frames of the attached stream").toBe(900_000);
    expect(await ask(jail, "log")).toBe("log");
    await until(() => jail.logText() !== "");
    expect(jail.logText()).toBe("said aloud\n");
    jail.kill();
    await jail.exited;
    await expectGone();
    expect(engine.requests).toEqual([
      "GET /_ping",
      "GET /containers/json",
      "POST /containers/create",
      "POST /images/create",
      "POST /containers/create",
      "POST /containers/ID/attach",
      "POST /containers/ID/wait",
      "POST /containers/ID/start",
      "DELETE /containers/ID",
    ]);
    const [body] = engine.created;
    const { Cmd, Labels, HostConfig, ...rest } = body as unknown as {
      readonly [name: string]: unknown;
      readonly Cmd: readonly string[];
      readonly Labels: Readonly<Record<string, string>>;
      readonly HostConfig: { readonly SecurityOpt: readonly string[] };
    };
    const { SecurityOpt, ...host } = HostConfig;
    const uid = process.getuid?.() ?? 0;
    expect(rest).toEqual({
      Image: "rumi-jail:1",
      Entrypoint: [],
      Env: ["PYTHONHASHSEED=0"],
      WorkingDir: "/tmp",
      User: uid === 0 ? "65534:65534" : `${uid}:${process.getgid?.() ?? 0}`,
      Hostname: "strategy",
      Tty: false,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      NetworkDisabled: true,
      Healthcheck: { Test: ["NONE"] },
    });
    const memory = (256 + 16 + 64) * MEGABYTE;
    const shown = (path: string): object => ({
      Type: "bind",
      Source: path,
      Target: path,
      ReadOnly: true,
      BindOptions: { Propagation: "rprivate" },
    });
    expect(host).toEqual({
      AutoRemove: true,
      LogConfig: { Type: "none", Config: {} },
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      NetworkMode: "none",
      IpcMode: "none",
      PidMode: "",
      CgroupnsMode: "private",
      Privileged: false,
      ReadonlyRootfs: true,
      CapAdd: [],
      CapDrop: ["ALL"],
      GroupAdd: [],
      Devices: [],
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: 1_000_000_000,
      PidsLimit: 17,
      Tmpfs: { "/tmp": `rw,noexec,nosuid,nodev,mode=1777,size=${16 * MEGABYTE}` },
      Mounts: [shown("/usr"), shown(folder.path)],
      MaskedPaths: expect.arrayContaining(["/proc/kcore", "/proc/keys"]) as unknown,
      ReadonlyPaths: expect.arrayContaining(["/proc/sys", "/proc/sysrq-trigger"]) as unknown,
    });
    expect(SecurityOpt[0]).toBe("no-new-privileges:true");
    const profile = JSON.parse(SecurityOpt[1]?.replace(/^seccomp=/, "") ?? "") as {
      readonly defaultAction: string;
      readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[];
    };
    expect(profile.defaultAction).toBe("SCMP_ACT_ERRNO");
    const allowed = profile.syscalls.filter(({ action }) => action === "SCMP_ACT_ALLOW").flatMap(({ names }) => names);
    expect(allowed).toContain("read");
    for (const name of ["socket", "connect", "clone", "fork", "ptrace", "bpf", "mount", "io_uring_setup"])
      expect(allowed, name).not.toContain(name);
    expect(Cmd.slice(0, 2)).toEqual(["/usr/bin/prlimit", `--as=${256 * MEGABYTE}`]);
    expect(Object.keys(Labels)).toEqual([DOCKER_OWNER]);
  });

  it("[M-5.1.1] what fits into no pipe is held back until it is read, and is no container's end", async () => {
    const jail = await start();
    for (let turn = 0; turn < 20; turn += 1) expect((await ask(jail, "large")).length, `turn ${turn}`).toBe(900_000);
    jail.kill();
    await jail.exited;
    await expectGone();
  });

  it("the image is ours: mount points and links, nothing that runs", async () => {
    const jail = await start();
    jail.kill();
    await jail.exited;
    const listed = spawnSync("tar", ["-tvf", "-"], { input: engine.archives[0], encoding: "utf8" });
    expect([listed.status, listed.stderr]).toEqual([0, ""]);
    const lines = listed.stdout.trim().split("\n");
    expect(lines.filter((line) => line.startsWith("d")).map((line) => line.split(" ").at(-1))).toEqual([
      "dev/",
      "etc/",
      "proc/",
      "sys/",
      "tmp/",
      "usr/",
    ]);
    expect(lines.filter((line) => line.startsWith("l")).map((line) => line.split(/ +/).slice(-3).join(" "))).toEqual([
      "bin -> usr/bin",
      "lib -> usr/lib",
      "lib64 -> usr/lib64",
      "sbin -> usr/sbin",
    ]);
    expect(lines).toHaveLength(10);
    const again = await start();
    again.kill();
    await again.exited;
    expect(engine.archives, "once").toHaveLength(1);
  });

  it("[M-5.2.1] a late one is ended through the engine, within its deadline and little more", async () => {
    const jail = await start();
    const began = performance.now();
    expect(await ask(jail, "spin", 300)).toBe("deadline: no answer within 300 ms");
    await jail.exited;
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(engine.requests.at(-1)).toBe("DELETE /containers/ID");
    await expectGone();
  });

  it("[M-5.2.6] its exit code is the strategy's", async () => {
    const jail = await start();
    expect(await ask(jail, "exit")).toBe("exit: exit code 7");
    expect(await jail.exited).toEqual({ exit_code: 7, signal: null });
    await expectGone();
  });

  it("no container outlives its bridge: one that was killed leaves a strategy without input, and the next bridge takes away what is left", async () => {
    const jail = await start();
    process.kill(jail.pid ?? 0, "SIGKILL");
    await jail.exited;
    await expectGone();
    const place = ownMark().split(".").slice(2).join(".");
    engine.leave({ [DOCKER_OWNER]: `999999999.1.${place}` });
    engine.leave({ [DOCKER_OWNER]: `${process.pid}.0.${place}` });
    const next = await start();
    expect(engine.count, "its own").toBe(1);
    next.kill();
    await next.exited;
    await expectGone();
  });

  it("a bridge that is ended while its container is being created leaves none: a standby that nobody needs any more", async () => {
    engine.mood.slow = { "POST /containers/create": 300 };
    const sound = await start(); // the image is there from now on
    const launched = spawnJail(spec());
    await until(() => engine.requests.filter((step) => step === "POST /containers/create").length === 3);
    const bridge = bridges().find((pid) => pid !== sound.pid) ?? 0;
    process.kill(bridge, "SIGTERM");
    expect((await launched).ok).toBe(false);
    expect(engine.created.length, "it was created all the same").toBe(2);
    expect(engine.count, "the sound one").toBe(1);
    sound.kill();
    await sound.exited;
    await expectGone();
  });

  it("a container of somebody who lives stays, and so does one of somebody whom nobody here could see", async () => {
    const alive = ownMark();
    const [, , namespace, boot] = alive.split(".");
    const others = [
      alive,
      `999999999.1.${Number(namespace) + 1}.${boot}`,
      `999999999.1.${namespace}.00000000-0000-4000-8000-000000000000`,
      "999999999.1",
      "junk",
    ];
    for (const mark of others) engine.leave({ [DOCKER_OWNER]: mark });
    const jail = await start();
    expect(engine.labels.map((labels) => labels[DOCKER_OWNER]).slice(0, -1)).toEqual(others);
    // Its own mark has the same shape.
    expect(engine.created[0]?.Labels[DOCKER_OWNER]?.split(".").slice(2)).toEqual([namespace, boot]);
    jail.kill();
    await jail.exited;
    await until(() => engine.count === others.length && living() === 0);
    expect(engine.problems).toEqual([]);
  });

  it("an engine that never answers the removal does not hold us up", async () => {
    const jail = await start();
    engine.mood.silent = ["DELETE /containers/ID"];
    const began = performance.now();
    jail.kill();
    expect(await jail.exited).toMatchObject({ exit_code: 143 });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it("a native program stands behind the gate until everything around it stands", async () => {
    const jail = await start({ program: { kind: "executable", path: "/usr/bin/cat" }, args: [] });
    expect(await ask(jail, "through cat")).toBe("through cat");
    expect(engine.created[0]?.Cmd).toContain("gate");
    jail.kill();
    await jail.exited;
    await until(() => engine.count === 0);
    expect(engine.problems).toEqual([]);
  });

  it("an engine that speaks less or more than we do is spoken to in the newest version both know", async () => {
    engine.mood.version = "1.43";
    const jail = await start();
    jail.kill();
    await jail.exited;
    await expectGone();
  });

  it.each([
    ["does not listen", {}, /ENOENT/],
    ["is too old", { version: "1.40" }, /version 1\.40.*1\.41 or newer/],
    [
      "refuses to create",
      { refuses: { "POST /containers/create": [409, "name in use"] } },
      /creation .*409: name in use/,
    ],
    ["refuses the image", { refuses: { "POST /images/create": [500, "no space"] } }, /the image .*500: no space/],
    ["refuses the attachment", { refuses: { "POST /containers/ID/attach": [400, "no"] } }, /attachment .*400/],
    [
      "refuses the start",
      { refuses: { "POST /containers/ID/start": [500, "OCI runtime"] } },
      /start .*500: OCI runtime/,
    ],
    ["sends no frames", { garbles: Buffer.from("HTTP is not this") }, /not framed as agreed/],
  ] as const)("[M-5.1.1] an engine that %s is a coded refusal with its own words", async (what, mood, said) => {
    Object.assign(engine.mood, mood);
    const socket = what === "does not listen" ? join(folder.path, "nowhere.sock") : engine.socket;
    const started = await spawnJail(spec({ engine_socket: socket }));
    expect(started).toMatchObject({
      ok: false,
      error: {
        code: "RUMI-STR-060",
        reasonCode: "M.SANDBOX.MECHANISM_UNAVAILABLE",
        params: { mechanism: "docker", problem: expect.stringMatching(said) as string },
      },
    });
    await expectGone();
  });

  it("[M-5.1.1] it is looked for only where it is named, and found by starting one", async () => {
    const by = async (word: Parameters<typeof detectJails>[1]) =>
      (await detectJails(python, word)).find(({ mechanism }) => mechanism === "docker");
    expect(await by("auto")).toMatchObject({
      available: false,
      reason: "it is used when RUMI_CONTAINER_ENGINE names it",
    });
    expect(engine.requests).toEqual([]);
    expect(await by(`docker:${engine.socket as `/${string}`}`)).toMatchObject({
      level: "L3",
      available: true,
      strict: true,
      reason: null,
    });
    const absent = await by("docker:/nowhere/docker.sock");
    expect([absent?.available, absent?.reason]).toEqual([false, expect.stringMatching(/Docker Engine at \/nowhere/)]);
    expect(existsSync("/nowhere")).toBe(false);
    await expectGone();
  });
});
