/** The Operations Guide's environment variables: their defaults as it prints them, and what each of them does. */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { readSettings, SETTINGS } from "../src/home/settings.ts";
import { cli, startProgram, type Program } from "./program.ts";
import { installPack, type Data } from "./rig.ts";

/** As the guide's table has them. */
const GUIDE: Readonly<Record<string, string>> = {
  RUMI_SECURITY_MODE: "strict",
  RUMI_LOG_LEVEL: "INFO",
  RUMI_LOG_FORMAT: "json",
  RUMI_DEPRECATION_LEVEL: "warn",
  RUMI_SECRETS_KEY: "",
  RUMI_SECRETS_ALLOW_PLAINTEXT: "auto",
  RUMI_MAX_RESPONSE_BYTES: "4194304",
  RUMI_MAX_CONCURRENT_FLOWS: "10",
  RUMI_MAX_REQUEST_BODY_BYTES: "1048576",
  RUMI_API_BIND_ADDRESS: "127.0.0.1",
  RUMI_CORS_ORIGINS: "",
  RUMI_HMAC_ROTATE: "false",
  RUMI_DIAGNOSTICS_VERBOSE: "false",
  RUMI_EGRESS_SOCKET_GID: "",
  RUMI_CAPABILITY_SOCKET_GID: "",
  RUMI_EGRESS_SOCKET_MODE: "0660",
  RUMI_CAPABILITY_SOCKET_MODE: "0660",
  RUMI_EGRESS_SOCK_DIR: "/run/rumi/egress/packs",
  RUMI_CAPABILITY_SOCK_DIR: "/run/rumi/capability/principals",
  RUMI_SECRET_GET_RATE_LIMIT: "60",
  RUMI_LOCAL_PACK_MODE: "off",
};
const WRONG: Readonly<Record<string, readonly string[]>> = {
  RUMI_SECURITY_MODE: ["Strict"],
  RUMI_LOG_LEVEL: ["debug", "TRACE"],
  RUMI_LOG_FORMAT: ["JSON"],
  RUMI_DEPRECATION_LEVEL: ["raise", "WARN", ""],
  RUMI_SECRETS_KEY: ["short"],
  RUMI_SECRETS_ALLOW_PLAINTEXT: ["yes"],
  RUMI_MAX_RESPONSE_BYTES: ["4MB", "0"],
  RUMI_MAX_CONCURRENT_FLOWS: ["0", "-1"],
  RUMI_MAX_REQUEST_BODY_BYTES: ["1e6"],
  RUMI_API_BIND_ADDRESS: [""],
  RUMI_CORS_ORIGINS: ["localhost:3000"],
  RUMI_HMAC_ROTATE: ["1"],
  RUMI_DIAGNOSTICS_VERBOSE: ["yes"],
  RUMI_EGRESS_SOCKET_GID: ["staff", "-1", "4294967295"],
  RUMI_CAPABILITY_SOCKET_GID: ["1099x"],
  RUMI_EGRESS_SOCKET_MODE: ["660x", "0777", "4660", "0060", "0o660"],
  RUMI_CAPABILITY_SOCKET_MODE: ["rw", "0661"],
  RUMI_EGRESS_SOCK_DIR: ["run/rumi", ""],
  RUMI_CAPABILITY_SOCK_DIR: ["./c"],
  RUMI_SECRET_GET_RATE_LIMIT: ["0"],
  RUMI_LOCAL_PACK_MODE: ["on"],
};

const isRoot = process.getuid?.() === 0;
const home = temporaryFolder();
const plain = temporaryFolder();
const ORIGIN = "http://localhost:3000";
let program: Program;
let usual: Program;

const flowText = (id: string): string =>
  `flow_id: ${id}\nphases: [p]\nsteps: [{id: a, phase: p, type: set, input: 1, output: a}]\n`;
const PACK_FLOW = (id: string): string =>
  `flow_id: ${id}\nphases: [p]\nsteps: [{id: a, phase: p, type: python_file_call, file: ask.py, input: null, output: a}]\n`;
async function furnish(of: Program, folder: string): Promise<void> {
  for (const pack_id of ["my_pack", "local_pack"]) {
    const origin = join(folder, "origin", pack_id);
    mkdirSync(join(origin, "flows"), { recursive: true });
    writeFileSync(
      join(origin, "ask.py"),
      "def run(input_data, context):\n    return context.network_check('a.example.com', 443)\n",
    );
    writeFileSync(join(origin, `flows/${pack_id}.flow.yaml`), PACK_FLOW(pack_id));
    const manifest = { pack_id, pack_identity: `test:${pack_id}`, version: "1.0.0", vocabulary: { types: ["block"] } };
    writeFileSync(join(origin, "ecosystem.json"), JSON.stringify(manifest));
    await installPack(of, origin, pack_id);
  }
}
const legacy = (folder: string): void => {
  mkdirSync(join(folder, "flow"), { recursive: true });
  writeFileSync(join(folder, "flow/old.flow.yaml"), flowText("old"));
};

beforeAll(async () => {
  for (const folder of [home.path, plain.path]) legacy(folder);
  program = await startProgram({
    home: home.path,
    environment: {
      RUMI_LOG_LEVEL: "DEBUG",
      RUMI_LOG_FORMAT: "text",
      RUMI_DEPRECATION_LEVEL: "error",
      RUMI_MAX_RESPONSE_BYTES: "8192",
      RUMI_MAX_REQUEST_BODY_BYTES: "2048",
      RUMI_API_BIND_ADDRESS: "127.0.0.2",
      RUMI_CORS_ORIGINS: ORIGIN,
      RUMI_DIAGNOSTICS_VERBOSE: "true",
      RUMI_SECRETS_KEY: Buffer.alloc(32, 7).toString("base64"),
      RUMI_EGRESS_SOCK_DIR: join(home.path, "e"),
      RUMI_CAPABILITY_SOCK_DIR: join(home.path, "c"),
      RUMI_EGRESS_SOCKET_MODE: "0640",
      RUMI_CAPABILITY_SOCKET_MODE: "600",
      ...(isRoot ? { RUMI_EGRESS_SOCKET_GID: "1099", RUMI_CAPABILITY_SOCKET_GID: "1098" } : {}),
    },
  });
  usual = await startProgram({ home: plain.path, environment: { RUMI_LOCAL_PACK_MODE: "require_approval" } });
  await furnish(program, home.path);
  await furnish(usual, plain.path);
  await program.call("POST", "/api/flows/my_pack/run", {});
}, 120_000);
afterAll(async () => {
  await program?.stop();
  await usual?.stop();
  home.remove();
  plain.remove();
});

describe("each variable of the guide", () => {
  for (const [name, default_] of Object.entries(GUIDE))
    it(`[R-26.1] ${name} has the guide's default, and what it cannot be stops the start by its name`, () => {
      expect(Object.values(SETTINGS).find((row) => row.name === name)?.default).toBe(default_);
      expect(WRONG[name]).not.toEqual([]);
      for (const text of WRONG[name] ?? []) {
        const read = readSettings({ [name]: text });
        expect([text, read.ok ? "read" : read.error]).toMatchObject([text, { code: "RUMI-SYS-002", params: { name } }]);
      }
    });
  it("[R-26.1] the program itself says so, and does not start", () => {
    const folder = temporaryFolder();
    const { code, err } = cli(folder.path, ["start", "--headless"], { RUMI_EGRESS_SOCKET_MODE: "0777" });
    expect([code, err]).toEqual([1, expect.stringMatching(/RUMI-SYS-002[^]*RUMI_EGRESS_SOCKET_MODE/)]);
    folder.remove();
  });
});

describe.runIf(requires("python3"))("what they do", () => {
  const headers = { origin: ORIGIN };
  it("[R-26.1] [R-16.1] RUMI_EGRESS_SOCK_DIR, _SOCKET_MODE and _SOCKET_GID: ls -la shows them", () => {
    const facts = statSync(join(home.path, "e/my_pack.sock"));
    expect([facts.isSocket(), facts.mode & 0o7777]).toEqual([true, 0o640]);
    if (isRoot) expect(facts.gid).toBe(1_099);
  });
  it("[R-26.1] [R-16.1] RUMI_CAPABILITY_SOCK_DIR, _SOCKET_MODE and _SOCKET_GID", () => {
    const facts = statSync(join(home.path, "c/my_pack.sock"));
    expect([facts.isSocket(), facts.mode & 0o7777]).toEqual([true, 0o600]);
    if (isRoot) expect(facts.gid).toBe(1_098);
  });
  it("[R-16.1] [R-6.1] a block of the built program asks over them", async () => {
    const grant = { pack_id: "my_pack", allowed_domains: ["a.example.com"], allowed_ports: [443] };
    const check = async (): Promise<unknown> =>
      ((await program.call("POST", "/api/flows/my_pack/run", {})).body["result"] as unknown as Data)["a"];
    expect(await check()).toMatchObject({ allowed: false, denied_by: "domain" });
    expect((await program.call("POST", "/api/network/grant", grant)).status).toBe(200);
    // Where no name server answers nothing is known of its addresses; the grant is judged all the same.
    expect(await check()).toMatchObject({ denied_by: null, allowed: true });
  });
  it("[R-26.1] RUMI_LOG_LEVEL and RUMI_LOG_FORMAT: the guide's text line, DEBUG among them", () => {
    expect(program.output()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \[(DEBUG|INFO)\] rumi\.[a-z.]+ - /m);
    expect(usual.output()).toMatch(/^\{"timestamp": "[^"]+", "level": "INFO", "module": "rumi\.[a-z.]+", "message": /m);
    expect(usual.output()).not.toContain('"DEBUG"');
  });
  it("[R-26.1] RUMI_DIAGNOSTICS_VERBOSE adds all settings but the secret one", () => {
    const line = (of: Program): string =>
      of
        .output()
        .split("\n")
        .find((one) => one.includes("diagnostics")) ?? "";
    expect(line(program)).toContain("RUMI_MAX_CONCURRENT_FLOWS");
    expect(line(program)).toContain("given");
    expect(program.output()).not.toContain(Buffer.alloc(32, 7).toString("base64"));
    expect([line(usual).includes("this program"), line(usual).includes("RUMI_")]).toEqual([true, false]);
  });
  it("[R-26.1] RUMI_API_BIND_ADDRESS", () => {
    expect([new URL(program.url).hostname, new URL(usual.url).hostname]).toEqual(["127.0.0.2", "127.0.0.1"]);
  });
  it("[R-26.1] RUMI_CORS_ORIGINS", async () => {
    const allowed = async (of: Program): Promise<string | null> =>
      (await of.call("GET", "/api/flows", undefined, headers)).headers.get("access-control-allow-origin");
    expect([await allowed(program), await allowed(usual)]).toEqual([ORIGIN, null]);
  });
  it("[R-26.1] RUMI_MAX_REQUEST_BODY_BYTES", async () => {
    const body = { key: "A", value: "x".repeat(3_000) };
    expect((await program.call("POST", "/api/secrets/set", body)).body["error_code"]).toBe("RUMI-VAL-007");
    expect((await usual.call("POST", "/api/secrets/set", body)).status).toBe(200);
  });
  it("[R-26.1] RUMI_MAX_RESPONSE_BYTES", async () => {
    const large = (folder: string): void => {
      mkdirSync(join(folder, "flows"), { recursive: true });
      const input = `input: "${"x".repeat(10_000)}"`;
      const step = `{id: a, phase: p, type: set, ${input}, output: a}`;
      writeFileSync(join(folder, "flows/large.flow.yaml"), `flow_id: large\nphases: [p]\nsteps: [${step}]\n`);
    };
    for (const folder of [home.path, plain.path]) large(folder);
    expect((await program.call("POST", "/api/flows/large/run", {})).body["truncated"]).toBe(true);
    expect((await usual.call("POST", "/api/flows/large/run", {})).body["truncated"]).toBeUndefined();
  });
  it("[R-26.1] [R-21.1] RUMI_DEPRECATION_LEVEL=error refuses a flow of a legacy path; warn says its line and runs it", async () => {
    const refused = await program.call("POST", "/api/flows/old/run", {});
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([
      404,
      expect.stringContaining("Flow not found: old"),
    ]);
    const listed = JSON.stringify((await program.call("GET", "/api/flows")).body);
    expect(listed).toContain("RUMI-SYS-014");
    expect((await usual.call("POST", "/api/flows/old/run", {})).status).toBe(200);
    expect(usual.output()).toContain("WARNING: Using legacy flow path. This is DEPRECATED and will be removed.");
    expect(program.output()).not.toContain("Using legacy flow path");
  });
  it("[R-26.1] RUMI_LOCAL_PACK_MODE: off never reads its flows, require_approval does once it is approved", async () => {
    expect((await program.call("POST", "/api/flows/local_pack/run", {})).status).toBe(404);
    expect((await usual.call("POST", "/api/flows/local_pack/run", {})).status).toBe(200);
    expect(usual.output()).toContain("WARNING: Using local_pack mode. This is DEPRECATED and will be removed.");
    writeFileSync(join(plain.path, "ecosystem/local_pack/more.py"), "1\n");
    await usual.call("POST", "/api/packs/scan", {});
    expect((await usual.call("POST", "/api/flows/local_pack/run", {})).status).not.toBe(200);
  });
});
