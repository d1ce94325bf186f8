/** Packs' sockets as their code meets them: blocks in real jails, real sockets, a real server behind the proxy. */
import { chmodSync, existsSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NO_SECRETS, ok, systemRandom, type Json } from "@rumi/kernel";
import { createMetrics } from "@rumi/operations";
import {
  CLAIMS_LOGGED_PER_MINUTE,
  createBlocks,
  createCapabilityCalls,
  createEgressProxy,
  createHandlerRegistry,
  createPackProbes,
  createPackSockets,
  createSecrets,
  createSlidingWindow,
  PACK_LIMITS,
  PACK_SOCKETS_MAX,
  secretDeclarations,
  secretsGet,
  systemDial,
  type Blocks,
  type PackSockets,
  type Secrets,
  type SlidingWindow,
} from "@rumi/platform";
import { detectPython, LOCAL_MECHANISMS, type LocalMechanism } from "@rumi/sandbox";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

const RUNNER_DIR = fileURLToPath(new URL("../../sandbox/python", import.meta.url));
const GROUP = 1_099;
const python = detectPython(process.env["PATH"] ?? "");
const isRoot = process.getuid?.() === 0;
const BLOCKS = {
  "fetch.py": "def run(input_data, context):\n    return context['http_request'](**input_data)\n",
  "bytes.py": `
def run(input_data, context):
    got = context.http_request("POST", input_data, headers={"a": "b"}, body=bytes([0, 255]))
    return [type(got["body"]).__name__, list(got["body"])]
`,
  "check.py": "def run(input_data, context):\n    return context.network_check(*input_data)\n",
  "call.py": "def run(input_data, context):\n    return context['capability'].call(*input_data)\n",
  "claim.py": `
def run(input_data, context):
    line = context.capability._line if input_data == "capability" else None
    if line is None:
        line = next(c.cell_contents for c in context.http_request.__closure__ if hasattr(c.cell_contents, "ask"))
    heads = {
        "capability": {"op": "capability_call", "permission_id": "secrets.get", "args": {"key": "API_KEY"},
                       "timeout_seconds": 5, "request_id": None, "principal_id": "rich_pack"},
        "egress": {"op": "network_check", "domain": "api.example.com", "port": 80, "principal_id": "rich_pack"},
    }
    return line.ask(heads[input_data])[0]
`,
  "otherwise.py": `
import os, socket, urllib.request
def tried(act):
    try:
        return act()
    except BaseException as problem:
        return type(problem).__name__
def run(input_data):
    return {
        "socket": tried(lambda: socket.socket(socket.AF_UNIX).connect(input_data)),
        "tcp": tried(lambda: socket.create_connection(("127.0.0.1", 80), 1)),
        "udp": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
        "pair": tried(lambda: socket.socketpair()),
        "name": tried(lambda: socket.getaddrinfo("api.example.com", 80)),
        "url": tried(lambda: urllib.request.urlopen("http://api.example.com/", timeout=1)),
        "others": tried(lambda: sorted(os.listdir(os.path.dirname(input_data)))),
    }
`,
  "threads.py": `
import threading
def run(input_data, context):
    threading.stack_size(262_144)
    got = []
    def one(at):
        got.append(context.http_request("GET", input_data + str(at))["body"])
    all = [threading.Thread(target=one, args=(at,)) for at in range(6)]
    for thread in all: thread.start()
    for thread in all: thread.join()
    return sorted(got)
`,
  "keys.py": `
def run(input_data, context):
    asked = ("network_check", "http_request", "capability", "nothing")
    return [sorted(context), [name in context for name in asked], context.get("nothing", 1), context]
`,
};

const servers: Server[] = [];
let port = 0;
let serve: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;
let world: ServedControl;
let sockets: PackSockets;
let blocks: Blocks;
let requests: SlidingWindow;
let secrets: Secrets;
let logged: string[];
let folder: string;
const later: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const server = createHttp((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => serve(request, response, Buffer.concat(parts)));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  for (const server of servers) server.close();
});
beforeEach(async () => {
  serve = (request, response) => void response.end(`served ${request.url}`);
  logged = [];
  const resolve = (): Promise<readonly string[]> => Promise.resolve(["93.184.216.34"]);
  world = await openServedControl({
    bare: true,
    platform: ({ store, folder: home, clock }) => {
      requests = createSlidingWindow(clock, 60_000);
      secrets = createSecrets({
        store,
        clock,
        random: systemRandom(),
        scrubber: NO_SECRETS,
        folder: join(home, "user_data/secrets"),
        key: { kind: "none", plain_text: "allowed", problem: "a test" },
        reads_per_minute: 60,
        liveBotsUsing: () => Promise.resolve([]),
      });
      return { network: { resolve, recent: (pack_id) => requests.recent(pack_id) } };
    },
    get declarations() {
      return secretDeclarations(secrets);
    },
  });
  folder = world.folder;
  chmodSync(folder, 0o755); // for boxes that are another user
  const { store, clock, library } = world;
  const random = systemRandom();
  const metrics = createMetrics();
  const handlers = createHandlerRegistry({ store, folder: join(folder, "handlers"), limits: PACK_LIMITS });
  const call = createCapabilityCalls({
    store,
    clock,
    random,
    metrics,
    library,
    handlers,
    jails: { callHandler: () => Promise.reject(new Error("no handler is called here")) },
    builtins: { "secrets.get": secretsGet(secrets.readSecret) },
  });
  const proxy = createEgressProxy({
    store,
    clock,
    random,
    metrics,
    resolve,
    dial: (_address, _port, signal) => systemDial("127.0.0.1", port, signal),
    requests,
    max_response_bytes: 4_194_304,
  });
  const logger = {
    ...world.pipeline.settings.logger,
    error: (_text: string, more?: object) => void logged.push(JSON.stringify(more)),
  };
  const open = (gid: number | null): PackSockets => {
    const made = createPackSockets({
      store,
      clock,
      random,
      logger,
      proxy,
      call,
      runtime: { metrics, packProbes: createPackProbes(clock), hostHealth: () => Promise.resolve({}) },
      egress: { folder: join(folder, "e"), gid, mode: 0o660, variable: "RUMI_EGRESS_SOCK_DIR" },
      capability: { folder: join(folder, "c"), gid, mode: 0o600, variable: "RUMI_CAPABILITY_SOCK_DIR" },
    });
    later.push(() => made.close());
    return made;
  };
  reopen = open;
  sockets = open(null);
  blocks = boxed("bubblewrap", sockets);
  for (const pack_id of ["my_pack", "rich_pack"]) await install(pack_id);
});
afterEach(async () => {
  for (const close of later.splice(0).toReversed()) await close();
  await world.close();
});

let reopen: (gid: number | null) => PackSockets;
function boxed(mechanism: LocalMechanism, of: PackSockets): Blocks {
  const made = createBlocks({
    verify: (pack_id) => world.library.verify(pack_id),
    home: () =>
      Promise.resolve(
        python.ok ? ok({ python: python.value, mechanism, isolation: "any", runner_dir: RUNNER_DIR }) : python,
      ),
    sockets: (by) => of.of(by),
  });
  later.push(() => made.close());
  return made;
}
const post = (path: string, body?: unknown): Promise<Reply> => world.http("POST", path, body);
const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error_code"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
async function install(pack_id: string): Promise<void> {
  const manifest = sampleManifest({ pack_id, pack_identity: `local:${pack_id}`, strategies: [] });
  writePack(join(folder, "ecosystem", pack_id), manifest, BLOCKS);
  data(await post("/api/packs/scan", ""));
  data(await post(`/api/packs/${pack_id}/approve`));
}
const grant = async (pack_id = "my_pack"): Promise<Data> =>
  data(await post("/api/network/grant", { pack_id, allowed_domains: ["api.example.com"], allowed_ports: [80] }));
async function run(file: string, input: Json, principal = "my_pack", by = blocks, timeout_ms = 20_000): Promise<Json> {
  const [pack = ""] = principal.split("__");
  const outcome = await by.call({
    owner_pack: pack,
    principal_id: principal,
    file,
    input,
    context: { flow_id: "f", step_id: "s", phase: "p", ts: "", owner_pack: pack, inputs: {} },
    timeout_ms,
    signal: new AbortController().signal,
  });
  return outcome.kind === "output" ? outcome.output : { failed: outcome.problem };
}
const own = (pack_id: string) => ({ pack_id, principal_id: pack_id });
const URL_ = "http://api.example.com/";

describe.runIf(requires("bubblewrap") && requires("python3"))("what a block may ask", () => {
  it("[R-16.1] http_request answers with exactly the agreed members, allowed and refused", async () => {
    expect(await run("fetch.py", { method: "GET", url: `${URL_}a` })).toMatchObject({
      success: false,
      error_type: "domain_denied",
    });
    await grant();
    serve = (request, response, body) =>
      void response.writeHead(201, { "x-a": "b" }).end(`${request.method} ${request.url} ${body.toString()} é`);
    const answer = (await run("fetch.py", { method: "POST", url: `${URL_}a`, headers: {}, body: "ä" })) as Data;
    expect(Object.keys(answer)).toEqual([
      "success",
      "status_code",
      "headers",
      "body",
      "latency_ms",
      "redirect_hops",
      "bytes_read",
      "final_url",
    ]);
    expect(answer).toMatchObject({
      success: true,
      status_code: 201,
      body: "POST /a ä é",
      redirect_hops: 0,
      bytes_read: 13,
      final_url: `${URL_}a`,
    });
    const refused = (await run("fetch.py", { method: "GET", url: "http://evil.com/" })) as Data;
    expect(Object.keys(refused).toSorted()).toEqual(["error", "error_type", "success"]);
  });
  it("[R-16.1] bytes that are no text come as bytes; what is no request is told so, and nothing is raised", async () => {
    await grant();
    serve = (_request, response, body) => void response.end(body);
    expect(await run("bytes.py", URL_)).toEqual(["bytes", [0, 255]]);
    const rows: readonly [Json, string][] = [
      [{ method: "GET", url: URL_, body: { a: 1 } }, "The body is neither text nor bytes"],
      [{ method: "POST", url: URL_, body: "x".repeat(1_048_577) }, "more than 1048576 bytes"],
      [{ method: "GET", url: URL_, headers: { a: "b\r\nc: d" } }, "RUMI-NET-007"],
      [{ method: "GET", url: URL_, timeout_seconds: 121 }, "RUMI-NET-007"],
      [{ method: "GET", url: URL_, headers: ["a"] }, "RUMI-NET-007"],
    ];
    for (const [input, says] of rows) {
      const answer = (await run("fetch.py", input)) as Data;
      expect([answer["error_type"], String(answer["error"])]).toEqual([
        "invalid_request",
        expect.stringContaining(says),
      ]);
    }
    expect(await run("fetch.py", { method: "GET", url: URL_ }), "and the next one goes").toMatchObject({
      success: true,
    });
  });
  it("[R-16.1] several threads of a block wait side by side", async () => {
    await grant();
    let [now, most] = [0, 0];
    serve = (request, response) => {
      most = Math.max(most, (now += 1));
      setTimeout(() => {
        now -= 1;
        response.end(request.url);
      }, 100);
    };
    expect(await run("threads.py", URL_)).toEqual([0, 1, 2, 3, 4, 5].map((at) => `/${at}`));
    expect(most).toBe(4);
  });
  it("[R-6.1] network_check says what the check over HTTP says", async () => {
    expect(await run("check.py", ["api.example.com", 80])).toMatchObject({ allowed: false, denied_by: "domain" });
    await grant();
    const allowed = { domain: "api.example.com", port: 80, allowed: true, denied_by: null, reason: null };
    expect(await run("check.py", ["api.example.com", 80])).toEqual(allowed);
    expect(await run("check.py", ["127.0.0.1", 80])).toMatchObject({ allowed: false, denied_by: "address" });
    expect(await run("check.py", ["api.example.com", "80"])).toMatchObject({ error_type: "invalid_request" });
  });
  it("[R-7.1] [R-16.1] capability.call is the pack's own: granted or not, with its time and its id", async () => {
    await post("/api/secrets/set", { key: "API_KEY", value: "planted" });
    const ask: Json = ["secrets.get", { key: "API_KEY" }, 5, "r-1"];
    const denied = (await run("call.py", ask)) as Data;
    expect(Object.keys(denied).toSorted()).toEqual(["error", "error_type", "latency_ms", "output", "success"]);
    expect(denied).toMatchObject({ success: false, output: null, error_type: "grant_denied" });
    const config = { allowed_keys: ["API_KEY"] };
    data(await post("/api/capability/grants/grant", { principal_id: "my_pack", permission_id: "secrets.get", config }));
    expect(await run("call.py", ask)).toMatchObject({ success: true, error: null, error_type: null });
    expect(await run("call.py", ["none.such"])).toMatchObject({ success: false, error_type: "grant_denied" });
    expect(await run("call.py", ["secrets.get", { key: "API_KEY" }, 121])).toMatchObject({
      success: false,
      error_type: "execution_error",
    });
  });
  it("[R-8.1] [R-16.1] a child of the pack has a socket of its own, and what both were granted", async () => {
    await post("/api/secrets/set", { key: "API_KEY", value: "planted" });
    const ask: Json = ["secrets.get", { key: "API_KEY" }];
    const granted = async (principal_id: string): Promise<Data> =>
      data(
        await post("/api/capability/grants/grant", {
          principal_id,
          permission_id: "secrets.get",
          config: { allowed_keys: ["API_KEY"] },
        }),
      );
    await granted("my_pack");
    expect(await run("call.py", ask)).toMatchObject({ success: true });
    expect(await run("call.py", ask, "my_pack__child")).toMatchObject({ error_type: "grant_denied" });
    await granted("my_pack__child");
    expect(await run("call.py", ask, "my_pack__child")).toMatchObject({ success: true });
    const long = `my_pack__${"x".repeat(200)}`;
    expect(await run("call.py", ask, long)).toMatchObject({ error_type: "grant_denied" });
    expect(readdirSync(join(folder, "c")).toSorted()).toEqual([
      "my_pack.sock",
      "my_pack__child.sock",
      expect.stringMatching(/^principal\.[0-9a-f]{32}\.sock$/),
    ]);
    expect(readdirSync(join(folder, "e"))).toEqual(["my_pack.sock"]);
  });
  it("what may be asked is there by item and by name, and no part of the context's JSON", async () => {
    const facts = ["flow_id", "inputs", "owner_pack", "phase", "step_id", "ts"];
    const [keys, there, none, context] = (await run("keys.py", null)) as readonly [Json, Json, Json, Data];
    expect([keys, there, none]).toEqual([facts, [true, true, true, false], 1]);
    expect(Object.keys(context).toSorted()).toEqual(facts);
  });
  it("a block that is ended takes its request with it", async () => {
    await grant();
    let ended = false;
    serve = (_request, response) => void response.on("close", () => (ended = true));
    expect(await run("fetch.py", { method: "GET", url: URL_ }, "my_pack", blocks, 700)).toMatchObject({
      failed: expect.stringContaining("no answer within 0.7 s") as string,
    });
    await expect.poll(() => ended).toBe(true);
  });
});

describe.runIf(requires("bubblewrap") && requires("runc") && requires("python3")).each(LOCAL_MECHANISMS)(
  "from inside %s",
  (mechanism) => {
    it("[R-16.1] its own two sockets are all there is: no other pack's, no network, no name", async () => {
      sockets = reopen(isRoot ? GROUP : null);
      const there = await sockets.of(own("rich_pack"));
      const inside = boxed(mechanism, sockets);
      await grant();
      expect(await run("fetch.py", { method: "GET", url: URL_ }, "my_pack", inside)).toMatchObject({ success: true });
      expect(await run("call.py", ["secrets.get", {}], "my_pack", inside)).toMatchObject({
        // The mode of this folder's sockets is 0600: whoever is another user than the program does not get in.
        error_type: mechanism === "self-jail" && isRoot ? "socket_not_found" : "grant_denied",
      });
      const otherwise = (await run("otherwise.py", there.egress, "my_pack", inside)) as Data;
      const { others, ...rest } = otherwise;
      for (const [way, came] of Object.entries(rest))
        expect([way, came]).toEqual([way, expect.stringMatching(/^(PermissionError|OSError|gaierror|URLError)$/)]);
      expect(mechanism === "self-jail" ? "PermissionError" : ["my_pack.sock"]).toEqual(others);
    });
  },
);

describe.runIf(isRoot && requires("python3"))("the group of a socket", () => {
  it("[R-16.1] [R-27.1] ls -la shows it; a box that is another user gets in with it, and not without", async () => {
    await grant();
    const without = boxed("self-jail", sockets);
    expect(await run("fetch.py", { method: "GET", url: URL_ }, "my_pack", without)).toMatchObject({
      success: false,
      error_type: "socket_not_found",
      error: expect.stringContaining("this process may not open it") as string,
    });
    await sockets.close();
    const open = reopen(GROUP);
    const within = boxed("self-jail", open);
    expect(await run("fetch.py", { method: "GET", url: URL_ }, "my_pack", within)).toMatchObject({ success: true });
    const facts = statSync(join(folder, "e/my_pack.sock"));
    expect([facts.isSocket(), facts.mode & 0o7777, facts.gid, facts.uid]).toEqual([true, 0o660, GROUP, 0]);
    expect(statSync(join(folder, "c/my_pack.sock")).mode & 0o7777).toBe(0o600);
    await open.close();
    expect(readdirSync(join(folder, "e"))).toEqual([]);
  });
});

describe.runIf(requires("bubblewrap") && requires("python3"))("[R-17.2] a claim to be somebody else", () => {
  it("counts for nothing and is audited, over either socket", async () => {
    await post("/api/secrets/set", { key: "API_KEY", value: "planted" });
    const config = { allowed_keys: ["API_KEY"] };
    const rich = { principal_id: "rich_pack", permission_id: "secrets.get", config };
    data(await post("/api/capability/grants/grant", rich));
    await grant("rich_pack");
    expect(await run("claim.py", "capability")).toMatchObject({ success: false, error_type: "grant_denied" });
    expect(await run("claim.py", "egress")).toMatchObject({ allowed: false, denied_by: "domain" });
    const events = data(await world.http("GET", "/api/audit/events?limit=200"))["events"] as readonly Data[];
    const claims = events.filter(({ action }) => action === "principal_id_overridden");
    expect(claims).toHaveLength(2);
    for (const { details, outcome } of claims)
      expect([outcome, details]).toMatchObject([
        "REJECTED",
        { owner_pack: "my_pack", claimed_principal: "rich_pack", used_principal: "my_pack" },
      ]);
    expect(await run("claim.py", "egress", "rich_pack"), "its own name is no claim").toMatchObject({ allowed: true });
  });
  it("again and again fills no log", async () => {
    for (let at = 0; at < CLAIMS_LOGGED_PER_MINUTE + 5; at += 1) await run("claim.py", "egress");
    const claims = (await world.actions()).filter((action) => action === "principal_id_overridden");
    expect(claims).toHaveLength(CLAIMS_LOGGED_PER_MINUTE);
  });
});

describe.runIf(requires("bubblewrap") && requires("python3"))("a socket that cannot be served", () => {
  it("[R-16.1] another program's is left alone, one that nobody serves is replaced, a file is not touched", async () => {
    await grant();
    const path = join(folder, "e/my_pack.sock");
    const other = reopen(null);
    await other.of(own("my_pack"));
    const { ino } = statSync(path);
    expect(await run("fetch.py", { method: "GET", url: URL_ })).toMatchObject({ error_type: "socket_not_found" });
    expect(logged.join("\n")).toMatch(/RUMI-NET-011.*another program serves it.*RUMI_EGRESS_SOCK_DIR/);
    expect(statSync(path).ino).toBe(ino);
    await other.close();
    // Left by one that was killed.
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(join(folder, "e/dead"), resolve));
    renameSync(join(folder, "e/dead"), path);
    await new Promise<void>((resolve) => dead.close(() => resolve()));
    expect(existsSync(path)).toBe(true);
    expect((await sockets.of(own("my_pack"))).egress).toBe(path);
    await sockets.close();
    const next = reopen(null);
    writeFileSync(path, "mine");
    expect((await next.of(own("my_pack"))).egress).toBeNull();
    expect([statSync(path).isFile(), logged.at(-1)]).toEqual([
      true,
      expect.stringContaining("no socket is in its place"),
    ]);
  });
  it("[R-16.1] one above the most that there may be is not served, and those that are served stay", async () => {
    const of = (at: number) => sockets.of({ pack_id: "my_pack", principal_id: `my_pack__${at}` });
    for (let at = 0; at < PACK_SOCKETS_MAX; at += 1) expect((await of(at)).capability).toContain(`my_pack__${at}.sock`);
    const { egress, capability } = await of(PACK_SOCKETS_MAX);
    expect([egress === null, capability]).toEqual([false, null]);
    expect((await of(0)).capability).toContain("my_pack__0.sock");
  });
  it("[R-16.1] after a stop there is none", async () => {
    await sockets.of(own("my_pack"));
    await sockets.close();
    expect(await sockets.of(own("my_pack"))).toEqual({ egress: null, capability: null, groups: [] });
    expect([readdirSync(join(folder, "e")), readdirSync(join(folder, "c"))]).toEqual([[], []]);
  });
});
