/** Sockets that a jail is given: connected to before every socket call is gone, and nothing else can be. */
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import {
  detectPython,
  JAIL_CONNECTIONS_MAX,
  LOCAL_MECHANISMS,
  type JailMechanism,
  type JailSpec,
  spawnJail,
} from "../index.ts";

const GROUP = 1_099;
const MEGABYTE = 1_048_576;
const SCRIPT = `
import errno, json, os, sys
out = os.dup(1)
while True:
    head = os.read(0, 4)
    if len(head) < 4: break
    act = json.loads(os.read(0, int.from_bytes(head, "little")))
    try:
        if act["do"] == "given":
            said = {p: [errno.errorcode.get(-fd, "fd") if fd < 0 else "fd" for fd in fds] for p, fds in JAIL_SOCKETS.items()}
        elif act["do"] == "talk":
            fd = JAIL_SOCKETS[act["path"]][act["at"]]
            os.write(fd, act["say"].encode()); said = os.read(fd, 100).decode()
        elif act["do"] == "connect":
            import socket
            s = socket.socket(socket.AF_UNIX); s.connect(act["path"]); said = "connected"
        elif act["do"] == "descriptors":
            said = [fd for fd in range(3, 256) if fd != out and fd not in JAIL_SOCKETS[act["path"]] and _open(fd)]
    except BaseException as problem:
        said = type(problem).__name__
    answer = json.dumps(said).encode()
    os.write(out, len(answer).to_bytes(4, "little") + answer)
`;
const OPEN = `
import os
def _open(fd):
    try: os.fstat(fd); return True
    except OSError: return False
`;

const folder = temporaryFolder();
const app = join(folder.path, "app");
const doors = join(folder.path, "doors");
const [mine, others] = [join(doors, "mine.sock"), join(doors, "others.sock")];
const servers: Server[] = [];
const python = detectPython(process.env["PATH"] ?? "");
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  chmodSync(folder.path, 0o755);
  for (const path of [app, doors]) mkdirSync(path, { mode: 0o755 });
  writeFileSync(join(app, "script.py"), OPEN + SCRIPT);
  for (const path of [mine, others]) {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => socket.write(`heard ${data.toString()}`));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    chmodSync(path, 0o660);
  }
  if (isRoot) chownSync(mine, 0, GROUP);
});
afterAll(() => {
  for (const server of servers) server.close();
  folder.remove();
});

const spec = (mechanism: JailMechanism, over: Partial<JailSpec> = {}): JailSpec => {
  if (!python.ok) throw new Error("the suite needs Python");
  return {
    mechanism,
    isolation: "strict",
    program: { kind: "python", python: python.value, script: join(app, "script.py") },
    args: [],
    read_only_binds: [app],
    sockets: [{ path: mine, connections: 2 }],
    memory_bytes: 256 * MEGABYTE,
    nofile: 32,
    fsize_bytes: 0,
    tmp_bytes: MEGABYTE,
    threads: 1,
    log_bytes_per_second: 65_536,
    log_bytes_per_run: 65_536,
    start_deadline_ms: 10_000,
    ...over,
  };
};
async function tried(of: JailSpec, acts: readonly object[]): Promise<readonly unknown[]> {
  const jail = await spawnJail(of);
  if (!jail.ok) throw new Error(JSON.stringify(jail.error));
  const said: unknown[] = [];
  try {
    for (const act of acts) {
      const answer = await jail.value.request(Buffer.from(JSON.stringify(act)), 10_000);
      said.push(answer.ok ? (JSON.parse(Buffer.from(answer.value).toString()) as unknown) : answer.error.detail);
    }
  } finally {
    jail.value.kill();
    await jail.value.exited;
  }
  return said;
}

describe.runIf(requires("python3")).each(LOCAL_MECHANISMS)("sockets of a jail: %s", (mechanism) => {
  const groups = isRoot ? { groups: [GROUP] } : {};
  it("[R-16.1] it talks over the socket it was given, and opens neither that nor another one itself", async () => {
    const [given, first, second, again, other, descriptors] = await tried(spec(mechanism, groups), [
      { do: "given" },
      { do: "talk", path: mine, at: 0, say: "one" },
      { do: "talk", path: mine, at: 1, say: "two" },
      { do: "connect", path: mine },
      { do: "connect", path: others },
      { do: "descriptors", path: mine },
    ]);
    expect(given).toEqual({ [mine]: ["fd", "fd"] });
    expect([first, second]).toEqual(["heard one", "heard two"]);
    expect([again, other]).toEqual(["PermissionError", "PermissionError"]);
    expect(descriptors, "open beside the pipes and both connections").toEqual([]);
  });
  it("[R-16.1] without sockets there is none", async () => {
    expect(await tried(spec(mechanism, { sockets: [] }), [{ do: "given" }])).toEqual([{}]);
  });
});

describe.runIf(requires("python3") && isRoot)("sockets behind a group", () => {
  const rows: readonly [string, JailMechanism, Partial<JailSpec>][] = [
    ["self-jail", "self-jail", {}],
    ["bubblewrap as another user", "bubblewrap", { host_uid: 65_534 }],
  ];
  for (const [name, mechanism, over] of rows)
    it(`[R-16.1] ${name}: whoever is not in the group is told EACCES, whoever is gets through`, async () => {
      expect(await tried(spec(mechanism, over), [{ do: "given" }])).toEqual([{ [mine]: ["EACCES", "EACCES"] }]);
      const within = spec(mechanism, { ...over, groups: [GROUP] });
      expect(await tried(within, [{ do: "given" }])).toEqual([{ [mine]: ["fd", "fd"] }]);
      const elsewhere = spec(mechanism, { ...over, groups: [GROUP + 1] });
      expect(await tried(elsewhere, [{ do: "given" }])).toEqual([{ [mine]: ["EACCES", "EACCES"] }]);
    });
});

describe("sockets that are refused", () => {
  it("[R-16.1] what is no socket, what a link leads to, too many, and for programs that connect to nothing", async () => {
    const linked = join(folder.path, "linked");
    symlinkSync(doors, linked);
    const rows: readonly [string, Partial<JailSpec>, string][] = [
      ["a file", { sockets: [{ path: join(app, "script.py"), connections: 1 }] }, "RUMI-STR-065"],
      ["nothing", { sockets: [{ path: join(doors, "none.sock"), connections: 1 }] }, "RUMI-STR-065"],
      ["behind a link", { sockets: [{ path: join(linked, "mine.sock"), connections: 1 }] }, "RUMI-STR-065"],
      ["too many", { sockets: [{ path: mine, connections: JAIL_CONNECTIONS_MAX + 1 }] }, "RUMI-STR-055"],
      ["no group", { groups: [-1] }, "RUMI-STR-055"],
      ["an executable", { program: { kind: "executable", path: "/usr/bin/true" } }, "RUMI-STR-065"],
    ];
    for (const [name, over, code] of rows) {
      const jail = await spawnJail(spec("bubblewrap", over));
      expect([name, jail.ok ? "started" : jail.error.code]).toEqual([name, code]);
    }
    const most = { sockets: [{ path: mine, connections: JAIL_CONNECTIONS_MAX }] };
    const given = await tried(spec("bubblewrap", most), [{ do: "given" }]);
    expect(given).toEqual([{ [mine]: Array.from({ length: JAIL_CONNECTIONS_MAX }, () => "fd") }]);
  });
});
