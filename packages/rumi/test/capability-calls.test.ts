/** Calls of capabilities: grants of the guide's curls, handlers in real jails, secrets under their allow-list. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NO_SECRETS, ok, systemRandom } from "@rumi/kernel";
import { createMetrics } from "@rumi/operations";
import {
  CALL_LIMITS,
  createBlocks,
  createCapabilityCalls,
  createHandlerRegistry,
  createSecrets,
  PACK_LIMITS,
  secretDeclarations,
  secretsGet,
  type Blocks,
  type CallCapability,
  type CapabilityAnswer,
  type CapabilityAsk,
  type Secrets,
} from "@rumi/platform";
import { detectJails, detectPython, type JailMechanism } from "@rumi/sandbox";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

const RUNNER_DIR = fileURLToPath(new URL("../../sandbox/python", import.meta.url));
const CODE = `
import os, time
def execute(context, args):
    if args.get("sleep"):
        time.sleep(args["sleep"])
    if args.get("raise"):
        raise ValueError("as it was told")
    if args.get("large"):
        return "x" * args["large"]
    return {"read": args.get("path"), "context": context, "env": sorted(os.environ), "host": os.path.exists("/etc/passwd")}
`;
const python = detectPython(process.env["PATH"] ?? "");
const mechanism = (await detectJails(python, "auto"))[0]?.mechanism as JailMechanism;

let world: ServedControl;
let jails: Blocks;
let secrets: Secrets;
let call: CallCapability;
let metrics: ReturnType<typeof createMetrics>;

beforeEach(async () => {
  metrics = createMetrics();
  world = await openServedControl({
    bare: true,
    platform: ({ store, folder, clock }) => {
      secrets = createSecrets({
        store,
        clock,
        random: systemRandom(),
        scrubber: NO_SECRETS,
        folder: join(folder, "user_data/secrets"),
        key: { kind: "none", plain_text: "allowed", problem: "a test" },
        reads_per_minute: 3,
        liveBotsUsing: () => Promise.resolve([]),
      });
      return {};
    },
    get declarations() {
      return secretDeclarations(secrets);
    },
  });
  const { store, library } = world;
  jails = createBlocks({
    verify: (pack_id) => library.verify(pack_id),
    home: () =>
      Promise.resolve(
        python.ok ? ok({ python: python.value, mechanism, isolation: "any", runner_dir: RUNNER_DIR }) : python,
      ),
  });
  call = createCapabilityCalls({
    store,
    clock: world.clock,
    random: systemRandom(),
    metrics,
    library,
    jails,
    handlers: createHandlerRegistry({
      store,
      folder: join(world.folder, "user_data/capabilities/handlers"),
      limits: PACK_LIMITS,
    }),
    builtins: { "secrets.get": secretsGet(secrets.readSecret) },
  });
});
afterEach(async () => {
  await jails.close();
  await world.close();
});

const post = (path: string, body?: unknown): Promise<Reply> => world.http("POST", path, body);
const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error_code"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
const FOLDER = "share/capability_handlers/fs_read_v1";
async function install(pack_id: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
  const manifest = sampleManifest({ pack_id, pack_identity: `local:${pack_id}`, strategies: [] });
  writePack(join(world.folder, "ecosystem", pack_id), manifest, files);
  data(await post("/api/packs/scan", ""));
  data(await post(`/api/packs/${pack_id}/approve`));
}
/** The guide's way from a pack to a handler that is trusted; the folder of its copy. */
async function trust(more: Data = {}): Promise<string> {
  const manifest = {
    handler_id: "fs_read_handler",
    permission_id: "fs.read",
    entrypoint: "handler.py:execute",
    ...more,
  };
  await install("provider", { [`${FOLDER}/handler.json`]: JSON.stringify(manifest), [`${FOLDER}/handler.py`]: CODE });
  const scan = data(await post("/api/capability/candidates/scan", ""));
  const [candidate] = scan["candidates"] as readonly Data[];
  const key = encodeURIComponent(String(candidate?.["candidate_key"]));
  return join(world.folder, String(data(await post(`/api/capability/requests/${key}/approve`))["path"]));
}
const grant = async (principal_id: string, permission_id: string, config?: Data): Promise<Data> =>
  data(
    await post("/api/capability/grants/grant", {
      principal_id,
      permission_id,
      ...(config === undefined ? {} : { config }),
    }),
  );
const ask = (over: Partial<CapabilityAsk> = {}): Promise<CapabilityAnswer> =>
  call({ principal: "my_pack", permission_id: "fs.read", args: {}, timeout_seconds: 30, request_id: null, ...over });
const typeOf = (answer: CapabilityAnswer): readonly string[] =>
  answer.success ? ["success"] : [answer.error_type, answer.error_code];
const last = async (): Promise<string | undefined> => (await world.actions()).at(-1);

describe.runIf(requires("bubblewrap") && requires("python3"))("a handler in its jail", () => {
  it("[R-7.1] [R-8.1] answers whom its permission was granted, and knows nothing of the host", async () => {
    await install("my_pack");
    await trust();
    expect(typeOf(await ask())).toEqual(["grant_denied", "RUMI-CAP-010"]);
    expect(await last()).toBe("permission.denied");
    await grant("my_pack", "fs.read", { allowed_paths: ["/a"] });
    const answer = await ask({ args: { path: "/a" }, request_id: "r1" });
    expect(answer).toMatchObject({
      success: true,
      output: {
        read: "/a",
        host: false,
        context: {
          principal_id: "my_pack",
          owner_pack: "my_pack",
          permission_id: "fs.read",
          handler_id: "fs_read_handler",
          grant_config: { allowed_paths: ["/a"] },
          request_id: "r1",
        },
      },
    });
    expect(answer.latency_ms).toBeGreaterThan(0);
    expect(await last()).toBe("capability.executed");
  });

  it("[R-8.1] a child needs its parent's grant too, and has what both configs leave", async () => {
    await install("my_pack");
    await trust();
    await grant("my_pack__child", "fs.read", { allowed_paths: ["/a", "/b"] });
    expect(typeOf(await ask({ principal: "my_pack__child" }))).toEqual(["grant_denied", "RUMI-CAP-010"]);
    await grant("my_pack", "fs.read", { allowed_paths: ["/b", "/c"] });
    expect(await ask({ principal: "my_pack__child" })).toMatchObject({
      output: { context: { principal_id: "my_pack__child", grant_config: { allowed_paths: ["/b"] } } },
    });
  });

  it("[R-7.1] [R-5.1] each refusal has its type: approval, trust, no handler, an error, time, size", async () => {
    await install("my_pack");
    const copy = await trust();
    await grant("my_pack", "fs.read");
    await grant("my_pack", "no.such");
    await grant("my_pack", "docker.run");
    expect(typeOf(await ask({ permission_id: "no.such" }))).toEqual(["handler_not_found", "RUMI-CAP-001"]);
    expect(typeOf(await ask({ permission_id: "docker.run" }))).toEqual(["handler_not_found", "RUMI-CAP-001"]);
    expect(typeOf(await ask({ principal: "nobody" }))).toEqual(["approval_denied", "RUMI-PACK-006"]);
    const raised = await ask({ args: { raise: true } });
    expect(typeOf(raised)).toEqual(["execution_error", "RUMI-CAP-002"]);
    expect(JSON.stringify(raised)).toContain("as it was told");
    expect(await last()).toBe("capability.executed");
    const began = performance.now();
    expect(typeOf(await ask({ args: { sleep: 30 }, timeout_seconds: 1 }))).toEqual(["timeout", "RUMI-CAP-002"]);
    expect(performance.now() - began).toBeLessThan(5_000);
    const most = CALL_LIMITS.response_bytes - 2;
    expect((await ask({ args: { large: 100 } })).success).toBe(true);
    expect(typeOf(await ask({ args: { large: most + 1 } }))).toEqual(["response_too_large", "RUMI-CAP-002"]);
    const path = "x".repeat(CALL_LIMITS.args_bytes);
    expect(typeOf(await ask({ args: { path } }))).toEqual(["execution_error", "RUMI-CAP-002"]);
    writeFileSync(join(world.folder, "ecosystem/provider/README.md"), "x");
    expect(typeOf(await ask())).toEqual(["approval_denied", "RUMI-PACK-007"]);
    data(await post("/api/packs/provider/approve"));
    chmodSync(join(copy, "handler.py"), 0o644);
    writeFileSync(join(copy, "handler.py"), "def execute(context, args):\n    return 'other'\n");
    expect(typeOf(await ask())).toEqual(["trust_denied", "RUMI-CAP-006"]);
  });

  it("[R-7.1] [R-8.1] what a handler asks of its own pack and of its caller is asked at every call", async () => {
    await install("my_pack");
    await trust({ requires: ["fs.scan"], caller_requires: ["fs.list", "fs.stat"] });
    await grant("my_pack", "fs.read");
    expect(typeOf(await ask())).toEqual(["requires_denied", "RUMI-CAP-016"]);
    expect(await last()).toBe("permission.denied");
    await grant("provider", "fs.scan");
    await grant("my_pack", "fs.list");
    expect(typeOf(await ask())).toEqual(["caller_requires_denied", "RUMI-CAP-017"]);
    expect(await last()).toBe("permission.denied");
    await grant("my_pack", "fs.stat");
    expect((await ask()).success).toBe(true);
    data(await post("/api/capability/grants/revoke", { principal_id: "provider", permission_id: "fs.scan" }));
    expect(typeOf(await ask())).toEqual(["requires_denied", "RUMI-CAP-016"]);
  });

  it("[R-17.2] who claims another principal is audited, and counts as who it is", async () => {
    await install("my_pack");
    await trust();
    await grant("provider", "fs.read");
    expect(typeOf(await ask({ claimed_principal: "provider" }))).toEqual(["grant_denied", "RUMI-CAP-010"]);
    expect((await world.actions()).slice(-2)).toEqual(["principal_id_overridden", "permission.denied"]);
    await grant("my_pack", "fs.read");
    expect(await ask({ claimed_principal: "my_pack" })).toMatchObject({
      output: { context: { principal_id: "my_pack" } },
    });
    expect((await world.actions()).filter((action) => action === "principal_id_overridden")).toHaveLength(1);
  });
});

describe("secrets.get", () => {
  it("[R-10.1] [R-10.4] gives a named key's value, none that the grant does not name, and no more than the limit", async () => {
    await install("my_pack");
    data(await post("/api/secrets/set", { key: "API_KEY", value: "s3cret-value" }));
    data(await post("/api/secrets/set", { key: "OTHER", value: "another" }));
    const get = (args: CapabilityAsk["args"]): Promise<CapabilityAnswer> => ask({ permission_id: "secrets.get", args });
    expect(typeOf(await get({ key: "API_KEY" }))).toEqual(["grant_denied", "RUMI-CAP-010"]);
    await grant("my_pack", "secrets.get");
    expect(typeOf(await get({ key: "API_KEY" }))).toEqual(["grant_denied", "RUMI-CAP-013"]);
    await grant("my_pack", "secrets.get", { allowed_keys: ["API_KEY", "GONE"] });
    expect(await get({ key: "API_KEY" })).toMatchObject({ success: true, output: { value: "s3cret-value" } });
    expect(typeOf(await get({ key: "OTHER" }))).toEqual(["grant_denied", "RUMI-CAP-013"]);
    expect(typeOf(await get({ key: 1 }))).toEqual(["execution_error", "RUMI-CAP-002"]);
    expect(typeOf(await get({ key: "API_KEY", more: 1 }))).toEqual(["execution_error", "RUMI-CAP-002"]);
    expect(typeOf(await get({ key: "GONE" }))).toEqual(["execution_error", "RUMI-SEC-001"]);
    expect((await get({ key: "API_KEY" })).success).toBe(true);
    expect(typeOf(await get({ key: "API_KEY" }))).toEqual(["rate_limited", "RUMI-SEC-004"]);
    const told = await world.store.rows<{ text: string }>({
      sql: "SELECT payload AS text FROM log_payload",
      parameters: [],
    });
    expect(told.filter(({ text }) => text.includes("s3cret-value"))).toEqual([]);
  });

  it("[R-17.1] who is denied again and again is not looked at any more, and fills no log", async () => {
    await install("my_pack");
    for (let at = 0; at < CALL_LIMITS.denials_per_minute; at += 1)
      expect(typeOf(await ask({ permission_id: "secrets.get" }))).toEqual(["grant_denied", "RUMI-CAP-010"]);
    const before = (await world.actions()).length;
    expect(typeOf(await ask({ permission_id: "secrets.get" }))).toEqual(["rate_limited", "RUMI-CAP-014"]);
    expect((await world.actions()).length).toBe(before);
    const counted = metrics.snapshot().find(({ name }) => name === "capability.calls");
    expect(counted?.series.map(({ labels, value }) => [labels["result"], value])).toEqual([
      ["grant_denied", CALL_LIMITS.denials_per_minute],
      ["rate_limited", 1],
    ]);
  });

  it("[R-8.1] a pack calls at most so often within a minute", async () => {
    await install("my_pack");
    await grant("my_pack", "docker.run");
    const get = (): Promise<CapabilityAnswer> => ask({ permission_id: "secrets.get", args: { key: "NONE" } });
    await grant("my_pack", "secrets.get", { allowed_keys: ["NONE"] });
    const many = Array.from({ length: CALL_LIMITS.calls_per_minute }, get);
    expect((await Promise.all(many)).filter((one) => one.success)).toEqual([]);
    expect(typeOf(await get())).toEqual(["rate_limited", "RUMI-CAP-014"]);
  });
});
